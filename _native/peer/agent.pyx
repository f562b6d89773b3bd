"""The ICE side of a synthetic user; the rules are in agent.pxd."""

from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset

from simplestchat._native.core.histogram cimport histogram_add
from simplestchat._native.core.siphash cimport splitmix
from simplestchat._native.core.types cimport E_MALFORMED, E_NOMEM, OK, u16, u32, u64, u8, us_t
from simplestchat._native.crypto.stunauth cimport stun_seal, stun_verify
from simplestchat._native.peer.entities cimport (
    ICE_NAME_SIZE, OWN_PASSWORD_SIZE, OWN_UFRAG_SIZE, TRANSACTIONS, Path, SwarmState, Transaction,
)
from simplestchat._native.peer.output cimport PEER_SLOT, peer_commit, peer_reserve
from simplestchat._native.wire.stun cimport (
    STUN_BINDING_REQUEST, STUN_BINDING_SUCCESS, StunView, stun_parse, stun_write_request, stun_write_success,
)

cdef enum:
    # RFC 8445 section 5.1.2.1 for a peer-reflexive candidate (110) of one address and one component.
    PRIORITY = (110 << 24) | (65535 << 8) | 255
    MIN_UFRAG = 4                  # RFC 8839 section 5.4
    MIN_PASSWORD = 22

cdef const char* ICE_CHARS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"


cdef u64 path_random(Path* p) noexcept nogil:
    return splitmix(&p.random)


cdef void _ice_chars(Path* p, char* out, int size) noexcept nogil:
    cdef int i
    for i in range(size):
        out[i] = ICE_CHARS[path_random(p) & 63]


cdef int agent_set(Path* p, const u8* ufrag, size_t ufrag_size, const u8* password, size_t password_size) noexcept nogil:
    cdef size_t user_size = ufrag_size + 1 + OWN_UFRAG_SIZE
    cdef u8* names
    if not (MIN_UFRAG <= ufrag_size <= ICE_NAME_SIZE and MIN_PASSWORD <= password_size <= ICE_NAME_SIZE):
        return E_MALFORMED
    names = <u8*>malloc(user_size + password_size)
    if names == NULL:
        return E_NOMEM
    if p.tie_breaker == 0:
        p.tie_breaker = path_random(p) | 1
    _ice_chars(p, p.own_ufrag, OWN_UFRAG_SIZE)
    _ice_chars(p, p.own_password, OWN_PASSWORD_SIZE)
    memcpy(names, ufrag, ufrag_size)
    names[ufrag_size] = c':'
    memcpy(names + ufrag_size + 1, p.own_ufrag, OWN_UFRAG_SIZE)
    memcpy(names + user_size, password, password_size)
    free(p.ice.user)
    p.ice.user = names
    p.ice.user_size = <u16>user_size
    p.ice.password_size = <u16>password_size
    memset(p.transactions, 0, sizeof(p.transactions))
    return OK


cdef void agent_free(Path* p) noexcept nogil:
    free(p.ice.user)
    p.ice.user = NULL


cdef void agent_seek(Path* p, us_t now) noexcept nogil:
    p.seeking = 1
    p.checks = 0
    p.check_us = now


cdef us_t _spacing(Path* p) noexcept nogil:
    cdef us_t gap
    if not p.seeking:
        return CHECK_US * 4 // 5 + <us_t>(path_random(p) % (CHECK_US * 2 // 5))
    gap = <us_t>SEEK_FIRST_US << p.checks
    p.checks += p.checks < SEEK_DOUBLINGS
    return gap


cdef void agent_check(SwarmState* s, Path* p, us_t now) noexcept nogil:
    cdef Transaction* t = &p.transactions[p.next_transaction]
    cdef u8* out = peer_reserve(&s.out)
    cdef u64 words[2]
    cdef int size
    if out == NULL:
        return                     # with the next turn's room
    p.next_transaction = (p.next_transaction + 1) % TRANSACTIONS
    words[0] = path_random(p)
    words[1] = path_random(p)
    memcpy(t.id, words, sizeof(t.id))
    t.sent_us = now if now > 0 else 1
    p.check_us = now + _spacing(p)
    size = stun_write_request(out, PEER_SLOT, t.id, p.ice.user, p.ice.user_size, PRIORITY, True, p.tie_breaker, True)
    if size > 0:
        size = stun_seal(out, size, PEER_SLOT, p.ice.user + p.ice.user_size, p.ice.password_size)
    if size > 0:
        p.totals.stun_sent += 1
        peer_commit(s, p, size, 0, now)


cdef bint _answered(SwarmState* s, Path* p, const u8* data, u32 size, const StunView* view, us_t arrival) noexcept nogil:
    cdef Transaction* t
    cdef int i
    for i in range(TRANSACTIONS):
        t = &p.transactions[i]
        if t.sent_us and memcmp(t.id, data + view.txid_off, sizeof(t.id)) == 0:
            if stun_verify(data, size, view, p.ice.user + p.ice.user_size, p.ice.password_size) != OK:
                return False
            p.rtt_us = max(arrival - t.sent_us, <us_t>1)
            histogram_add(&s.measures.rtt, p.rtt_us)
            t.sent_us = 0
            p.seeking = p.checks = 0
            p.check_us = arrival + _spacing(p)
            return True
    return False


cdef bint _is_for_us(const Path* p, const u8* data, u32 size, const StunView* view) noexcept nogil:
    if view.username_len <= OWN_UFRAG_SIZE or data[view.username_off + OWN_UFRAG_SIZE] != c':':
        return False
    if memcmp(data + view.username_off, p.own_ufrag, OWN_UFRAG_SIZE) != 0 or view.unknown_count:
        return False
    return stun_verify(data, size, view, <const u8*>p.own_password, OWN_PASSWORD_SIZE) == OK


cdef void _answer(SwarmState* s, Path* p, const u8* data, const StunView* view, us_t now) noexcept nogil:
    cdef u8* out = peer_reserve(&s.out)
    cdef int size
    if out == NULL:
        return
    size = stun_write_success(out, PEER_SLOT, data + view.txid_off, p.server.remote_ip, p.server.remote_port)
    if size > 0:
        size = stun_seal(out, size, PEER_SLOT, <const u8*>p.own_password, OWN_PASSWORD_SIZE)
    if size > 0:
        p.totals.stun_sent += 1
        peer_commit(s, p, size, 0, now)


cdef bint agent_receive(SwarmState* s, Path* p, const u8* data, u32 size, us_t arrival, us_t now) noexcept nogil:
    cdef StunView view
    if stun_parse(data, size, &view) == OK:
        if view.type == STUN_BINDING_SUCCESS and _answered(s, p, data, size, &view, arrival):
            return True
        if view.type == STUN_BINDING_REQUEST and _is_for_us(p, data, size, &view):
            _answer(s, p, data, &view, now)
            return False
    p.totals.dropped += 1
    return False
