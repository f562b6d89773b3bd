"""The ICE-lite side of a transport; the rules are in ice.pxd."""

from libc.string cimport memcmp, memcpy, memset

from simplestchat._native.core.table cimport (
    table64_get, table64_put, table64_remove, tupletable_get, tupletable_put, tupletable_remove,
)
from simplestchat._native.core.types cimport E_LIMIT, OK, Tuple, i8, u16, u32, u64, u8, us_t
from simplestchat._native.crypto.random cimport csprng_ice_chars
from simplestchat._native.crypto.stunauth cimport stun_seal, stun_verify
from simplestchat._native.engine.entities cimport (
    MAX_PAIRS, PASSWORD_SIZE, UFRAG_SIZE, IceCredentials, Pair, ShardState, Transport,
)
from simplestchat._native.engine.output cimport OUT_SLOT, out_commit, out_reserve
from simplestchat._native.wire.stun cimport (
    STUN_BINDING_REQUEST, StunView, stun_parse, stun_write_error, stun_write_success,
)

cdef enum:
    ROLE_CONFLICT = 487
    UNKNOWN_ATTRIBUTE = 420
    TAKEOVER_SILENCE_US = 5000000     # twice the slowest pace at which browsers check


cdef inline u64 _ufrag_key(const char* ufrag) noexcept nogil:
    cdef u64 key
    memcpy(&key, ufrag, UFRAG_SIZE)
    return key


cdef int ice_new_credentials(ShardState* s, Transport* t) noexcept nogil:
    cdef IceCredentials* fresh = &t.ice[0]
    cdef int status
    cdef u64 taken
    if t.ice[1].valid:
        table64_remove(&s.by_ufrag, _ufrag_key(t.ice[1].ufrag))
    t.ice[1] = t.ice[0]
    while True:
        csprng_ice_chars(&s.random, fresh.ufrag, UFRAG_SIZE)
        if not table64_get(&s.by_ufrag, _ufrag_key(fresh.ufrag), &taken):
            break
    csprng_ice_chars(&s.random, fresh.password, PASSWORD_SIZE)
    status = table64_put(&s.by_ufrag, _ufrag_key(fresh.ufrag), <u64>t)
    fresh.valid = status == OK
    return status


cdef void _drop_old_credentials(ShardState* s, Transport* t) noexcept nogil:
    if t.ice[1].valid:
        table64_remove(&s.by_ufrag, _ufrag_key(t.ice[1].ufrag))
        memset(&t.ice[1], 0, sizeof(IceCredentials))


cdef void ice_forget(ShardState* s, Transport* t) noexcept nogil:
    cdef int i
    _drop_old_credentials(s, t)
    if t.ice[0].valid:
        table64_remove(&s.by_ufrag, _ufrag_key(t.ice[0].ufrag))
    for i in range(MAX_PAIRS):
        if t.pairs[i].used:
            tupletable_remove(&s.by_tuple, &t.pairs[i].tuple)
    memset(t.ice, 0, sizeof(t.ice))
    memset(t.pairs, 0, sizeof(t.pairs))
    t.selected = -1


cdef int _pair_index(const Transport* t, const Tuple* tuple) noexcept nogil:
    cdef int i
    for i in range(MAX_PAIRS):
        if t.pairs[i].used and memcmp(&t.pairs[i].tuple, tuple, sizeof(Tuple)) == 0:
            return i
    return -1


cdef Transport* ice_find(ShardState* s, const Tuple* tuple, Pair** pair) noexcept nogil:
    cdef u64 value
    cdef Transport* t
    cdef int at
    if not tupletable_get(&s.by_tuple, tuple, &value):
        return NULL
    t = <Transport*>value
    at = t.selected
    if at < 0 or memcmp(&t.pairs[at].tuple, tuple, sizeof(Tuple)) != 0:
        at = _pair_index(t, tuple)
        if at < 0:
            return NULL
    pair[0] = &t.pairs[at]
    return t


cdef bint ice_may_send_unproven(Transport* t, u32 size) noexcept nogil:
    cdef Pair* pair
    if t.selected < 0:
        return False
    pair = &t.pairs[t.selected]
    if pair.bytes_out + size > 3 * pair.bytes_in + UNPROVEN_ALLOWANCE:
        return False
    pair.bytes_out += size
    return True


cdef void _remove_pair(ShardState* s, Transport* t, int at) noexcept nogil:
    tupletable_remove(&s.by_tuple, &t.pairs[at].tuple)
    memset(&t.pairs[at], 0, sizeof(Pair))
    if t.selected == at:
        t.selected = -1


cdef int _free_pair(ShardState* s, Transport* t) noexcept nogil:
    """An unused place, or that of the pair (not the selected one) that was checked longest ago."""
    cdef int i
    cdef int oldest = -1
    for i in range(MAX_PAIRS):
        if not t.pairs[i].used:
            return i
        if i != t.selected and (oldest < 0 or t.pairs[i].checked_us < t.pairs[oldest].checked_us):
            oldest = i
    _remove_pair(s, t, oldest)
    return oldest


cdef int _add_pair(ShardState* s, Transport* t, const Tuple* tuple, us_t now) noexcept nogil:
    """The pair of this tuple, made when new; -1 at the cap.

    A tuple of another transport is taken over once that one is silent there, so that nobody drives a live one away by forging it.
    """
    cdef u64 value
    cdef Transport* owner
    cdef int theirs
    cdef int at = _pair_index(t, tuple)
    if at >= 0:
        return at
    if tupletable_get(&s.by_tuple, tuple, &value):
        owner = <Transport*>value
        theirs = _pair_index(owner, tuple)
        if owner.pairs[theirs].proven and now - owner.pairs[theirs].checked_us < TAKEOVER_SILENCE_US:
            return -1
        _remove_pair(s, owner, theirs)
    at = _free_pair(s, t)
    if tupletable_put(&s.by_tuple, tuple, <u64>t) != OK:
        return -1
    memset(&t.pairs[at], 0, sizeof(Pair))
    t.pairs[at].tuple = tuple[0]
    t.pairs[at].used = 1
    return at


cdef void _select(Transport* t, int at, bint nominated, us_t now) noexcept nogil:
    cdef bint silent
    if t.selected == at:
        return
    if t.selected >= 0:
        silent = now - t.pairs[t.selected].checked_us > MIGRATION_GAP_US
        if not nominated or (now - t.migrated_us < MIGRATION_GAP_US and not silent):
            return
        t.migrated_us = now
    t.selected = <i8>at


cdef Transport* _authenticate(ShardState* s, const u8* data, u32 size, const StunView* view) noexcept nogil:
    """The transport whose credentials made this request, NULL when nobody's did. USERNAME is ours:theirs."""
    cdef u64 value
    cdef Transport* t
    cdef int which
    if view.username_len <= UFRAG_SIZE + 1 or data[view.username_off + UFRAG_SIZE] != c':':
        return NULL
    if not table64_get(&s.by_ufrag, _ufrag_key(<const char*>data + view.username_off), &value):
        return NULL
    t = <Transport*>value
    which = 0 if memcmp(data + view.username_off, t.ice[0].ufrag, UFRAG_SIZE) == 0 else 1
    if not t.ice[which].valid:
        return NULL
    if stun_verify(data, size, view, <const u8*>t.ice[which].password, PASSWORD_SIZE) != OK:
        return NULL
    if which == 0:
        _drop_old_credentials(s, t)
    return t


cdef void _answer(ShardState* s, const Transport* t, const u8* data, const StunView* view, const Tuple* tuple) noexcept nogil:
    cdef u8* out = out_reserve(&s.out)
    cdef const IceCredentials* used = &t.ice[0]
    cdef const u8* txid = data + view.txid_off
    cdef int size
    if out == NULL:
        return
    if memcmp(data + view.username_off, t.ice[0].ufrag, UFRAG_SIZE) != 0:
        used = &t.ice[1]
    if view.unknown_count:
        size = stun_write_error(out, OUT_SLOT, txid, UNKNOWN_ATTRIBUTE, view.unknown, view.unknown_count)
    elif view.controlled:
        size = stun_write_error(out, OUT_SLOT, txid, ROLE_CONFLICT, NULL, 0)
    else:
        size = stun_write_success(out, OUT_SLOT, txid, tuple.remote_ip, tuple.remote_port)
    if size > 0:
        size = stun_seal(out, size, OUT_SLOT, <const u8*>used.password, PASSWORD_SIZE)
    if size > 0:
        out_commit(&s.out, tuple, size)


cdef Transport* ice_receive(ShardState* s, const u8* data, u32 size, const Tuple* tuple, us_t now) noexcept nogil:
    cdef StunView view
    cdef Transport* t
    cdef int at
    if stun_parse(data, size, &view) != OK or view.type != STUN_BINDING_REQUEST:
        s.counters.dropped_stun += 1
        return NULL
    t = _authenticate(s, data, size, &view)
    if t == NULL:
        s.counters.dropped_stun += 1
        return NULL
    _answer(s, t, data, &view, tuple)
    if view.unknown_count or view.controlled:
        return NULL
    at = _add_pair(s, t, tuple, now)
    if at < 0:
        return NULL
    t.pairs[at].checked_us = now
    t.pairs[at].bytes_in += size
    t.checked_us = now
    _select(t, at, view.use_candidate, now)
    return t
