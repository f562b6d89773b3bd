"""One transport of a synthetic user; the rules are in path.pxd."""

from libc.stdlib cimport calloc, free

from simplestchat._native.core.histogram cimport histogram_add
from simplestchat._native.core.table cimport table64_remove
from simplestchat._native.core.types cimport OK, Tuple, u32, u64, u8, us_t
from simplestchat._native.crypto.dtls cimport (
    DTLS_CLIENT, DTLS_CLOSED, DTLS_CONNECTED, DTLS_FAILED, DTLS_NEW, SrtpKeys, dtls_close, dtls_deadline, dtls_drain,
    dtls_feed, dtls_free, dtls_keys, dtls_new, dtls_set_fingerprint, dtls_start, dtls_state, dtls_tick,
)
from simplestchat._native.crypto.openssl cimport OPENSSL_cleanse
from simplestchat._native.crypto.srtp cimport srtp_free, srtp_new
from simplestchat._native.peer.agent cimport agent_check, agent_free, agent_receive, agent_seek, path_random
from simplestchat._native.peer.entities cimport (
    GOODBYE_SIZE, MAX_PATHS, MAX_PEER_DATAGRAM, PEER_NEVER_US, Path, SwarmState,
)
from simplestchat._native.peer.events cimport EVENT_CONNECTED, EVENT_DISCONNECTED, EVENT_FAILED, swarm_event
from simplestchat._native.peer.feedback cimport feedback_arrivals, feedback_ask, feedback_receive, feedback_report
from simplestchat._native.peer.idtable cimport idtable_put
from simplestchat._native.peer.link cimport link_deadline, link_free, link_put, link_take
from simplestchat._native.peer.media cimport media_deadline, media_receive, media_send
from simplestchat._native.peer.output cimport PEER_SLOT, peer_commit, peer_has_headroom, peer_reserve, peer_uplink
from simplestchat._native.peer.sources cimport sources_free
from simplestchat._native.peer.timers cimport peer_timers_add, peer_timers_hasten, peer_timers_remove, peer_timers_set
from simplestchat._native.peer.tracks cimport tracks_end, tracks_free, tracks_start
from simplestchat._native.wire.demux cimport KIND_DTLS, KIND_RTCP, KIND_RTP, KIND_STUN, demux

cdef enum:
    LEAST_WAIT_US = 200            # before what could not be done now is tried again
    FIRST_REPORT_US = 100000       # behind the connection
    NO_CONSENT_WAIT_US = 20000


cdef void _set_state(SwarmState* s, Path* p, u8 state) noexcept nogil:
    s.connected += (state == PATH_CONNECTED) - (p.state == PATH_CONNECTED)
    p.state = state


cdef Path* path_new(SwarmState* s, u32 id, u32 user, const Tuple* server, u64 seed, us_t now) noexcept nogil:
    cdef Path* p
    if s.path_count >= MAX_PATHS:
        return NULL
    p = <Path*>calloc(1, sizeof(Path))
    if p == NULL:
        return NULL
    p.id = id
    p.user = user
    p.socket = -1
    p.server = server[0]
    p.random = p.seed = seed
    p.rtcp_ssrc = <u32>path_random(p)
    p.state = PATH_CHECKING
    p.added_us = p.deadline_us = now
    p.feedback_us = p.report_us = PEER_NEVER_US
    agent_seek(p, now)
    p.dtls = dtls_new(s.dtls, DTLS_CLIENT)
    if p.dtls == NULL or idtable_put(&s.by_path, id, <u64>p, MAX_PATHS, s.table_seed) != OK or peer_timers_add(&s.timers, p) != OK:
        table64_remove(&s.by_path, id)
        dtls_free(p.dtls)
        free(p)
        return NULL
    p.at = s.path_count
    s.paths[s.path_count] = p
    s.path_count += 1
    return p


cdef int path_expect(Path* p, int hash, const u8* digest, size_t size) noexcept nogil:
    return dtls_set_fingerprint(p.dtls, hash, digest, size)


cdef void _free_keys(Path* p) noexcept nogil:
    dtls_free(p.dtls)
    p.dtls = NULL
    srtp_free(p.send_srtp)
    srtp_free(p.recv_srtp)
    p.send_srtp = p.recv_srtp = NULL


cdef void path_free(SwarmState* s, Path* p) noexcept nogil:
    peer_timers_remove(&s.timers, p)
    tracks_free(s, p)
    sources_free(p)
    agent_free(p)
    _free_keys(p)
    link_free(p.up)
    link_free(p.down)
    free(p.receptions)
    free(p.arrivals)
    free(p)


# The handshake.


cdef void path_fail(SwarmState* s, Path* p) noexcept nogil:
    if p.state == PATH_FAILED:
        return
    _set_state(s, p, PATH_FAILED)
    p.consenting = 0
    dtls_free(p.dtls)
    p.dtls = NULL
    swarm_event(s, EVENT_FAILED, p.id, 0, 0)


cdef void _drain_dtls(SwarmState* s, Path* p, us_t now) noexcept nogil:
    cdef u8* out
    cdef int size
    while True:
        out = peer_reserve(&s.out)
        size = dtls_drain(p.dtls, out, PEER_SLOT) if out != NULL else 0
        if size <= 0:
            break
        peer_commit(s, p, size, 0, now)


cdef bint _take_keys(Path* p) noexcept nogil:
    """Keys and goodbye out of a finished handshake, whose state is then freed."""
    cdef SrtpKeys keys
    cdef int size
    if dtls_keys(p.dtls, &keys) == OK:
        p.send_srtp = srtp_new(keys.suite, keys.send_key, keys.send_salt)
        p.recv_srtp = srtp_new(keys.suite, keys.recv_key, keys.recv_salt)
    OPENSSL_cleanse(&keys, sizeof(keys))
    dtls_close(p.dtls)
    size = dtls_drain(p.dtls, p.goodbye, GOODBYE_SIZE)
    p.goodbye_size = <u8>max(size, 0)
    dtls_free(p.dtls)
    p.dtls = NULL
    return p.send_srtp != NULL and p.recv_srtp != NULL


cdef void _connected(SwarmState* s, Path* p, us_t now) noexcept nogil:
    cdef us_t ice = p.first_answer_us - p.added_us
    cdef us_t dtls = now - p.first_answer_us
    _set_state(s, p, PATH_CONNECTED)
    p.report_us = now + FIRST_REPORT_US
    histogram_add(&s.measures.ice, ice)
    histogram_add(&s.measures.dtls, dtls)
    swarm_event(s, EVENT_CONNECTED, p.id, ice, dtls)
    tracks_start(p, now)


cdef void _after_dtls(SwarmState* s, Path* p, us_t now) noexcept nogil:
    """Sends what the handshake wants to send and follows its state."""
    cdef int state = dtls_state(p.dtls)
    _drain_dtls(s, p, now)
    if state == DTLS_CONNECTED:
        if _take_keys(p):
            _connected(s, p, now)
        else:
            path_fail(s, p)
    elif state == DTLS_FAILED or state == DTLS_CLOSED:
        path_fail(s, p)
    peer_timers_hasten(&s.timers, p, now)


cdef void _answered(SwarmState* s, Path* p, us_t arrival, us_t now) noexcept nogil:
    """A check was answered: consent is fresh, and the first time the handshake begins."""
    p.answered_us = now
    if p.state == PATH_FAILED:
        return
    if not p.consenting and p.send_srtp != NULL:
        p.feedback_us = p.report_us = now
    p.consenting = 1
    if p.first_answer_us == 0:
        p.first_answer_us = max(arrival, <us_t>1)
        _set_state(s, p, PATH_HANDSHAKE)
    if p.state == PATH_DISCONNECTED:
        _set_state(s, p, PATH_CONNECTED)
        swarm_event(s, EVENT_CONNECTED, p.id, 0, 0)
    if p.dtls != NULL and dtls_state(p.dtls) == DTLS_NEW:
        dtls_start(p.dtls, now)
        _after_dtls(s, p, now)
    peer_timers_hasten(&s.timers, p, p.check_us)


# What arrives.


cdef void _arrived(SwarmState* s, Path* p, const u8* data, u32 size, us_t arrival, us_t now) noexcept nogil:
    """One datagram behind its downlink."""
    cdef int kind = demux(data, size)
    p.totals.packets_in += 1
    p.totals.bytes_in += size
    if kind == KIND_STUN:
        if agent_receive(s, p, data, size, arrival, now):
            _answered(s, p, arrival, now)
    elif kind == KIND_RTP and p.recv_srtp != NULL:
        media_receive(s, p, data, size, arrival, now)
    elif kind == KIND_RTCP and p.recv_srtp != NULL:
        feedback_receive(s, p, data, size, arrival, now)
    elif kind == KIND_DTLS and p.dtls != NULL and dtls_state(p.dtls) != DTLS_NEW:
        if dtls_feed(p.dtls, data, size, now) != OK:
            p.totals.dropped += 1
        _after_dtls(s, p, now)
    else:
        p.totals.dropped += 1


cdef void path_receive(SwarmState* s, Path* p, const u8* data, u32 size, us_t arrival, us_t now) noexcept nogil:
    if p.silent or p.leaving:
        return
    if size > MAX_PEER_DATAGRAM:
        p.totals.dropped += 1
    elif p.down == NULL:
        _arrived(s, p, data, size, arrival, now)
    else:
        link_put(p.down, data, size, arrival)
        peer_timers_hasten(&s.timers, p, link_deadline(p.down))


cdef bint _downlink(SwarmState* s, Path* p, us_t now) noexcept nogil:
    """What has passed the downlink until `now`. True when there was no room for what more of it may cause."""
    cdef const u8* data
    cdef us_t at = 0
    cdef u32 size
    while peer_has_headroom(&s.out):
        size = link_take(p.down, now, &data, &at)
        if size == 0:
            return False
        if not p.silent and not p.leaving:
            _arrived(s, p, data, size, at, now)
    return True


# What is due.


cdef void _watch_consent(SwarmState* s, Path* p, us_t now) noexcept nogil:
    if p.state < PATH_CONNECTED:
        if now - p.added_us >= CONNECT_US:
            path_fail(s, p)
    elif p.state == PATH_CONNECTED and now - p.answered_us >= SILENCE_US:
        _set_state(s, p, PATH_DISCONNECTED)
        agent_seek(p, now)
        swarm_event(s, EVENT_DISCONNECTED, p.id, 0, 0)
    elif now - p.answered_us >= CONSENT_US:
        p.consenting = 0


cdef us_t _consent_deadline(const Path* p) noexcept nogil:
    if p.state < PATH_CONNECTED:
        return p.added_us + CONNECT_US
    if p.state == PATH_CONNECTED:
        return p.answered_us + SILENCE_US
    return p.answered_us + CONSENT_US if p.consenting else PEER_NEVER_US


cdef inline us_t _arrivals_deadline(const Path* p) noexcept nogil:
    return p.arrivals.due_us if p.arrivals != NULL else <us_t>PEER_NEVER_US


cdef bint _tick_media(SwarmState* s, Path* p, us_t now) noexcept nogil:
    """True when the queue filled up."""
    if media_send(s, p, now):
        return True
    if not p.consenting:
        return False
    if now >= p.feedback_us and feedback_ask(s, p, now):
        return True
    if _arrivals_deadline(p) <= now and feedback_arrivals(s, p, now):
        return True
    # What is still due of the senders are their reports.
    if now >= p.report_us or media_deadline(p) <= now:
        if not peer_has_headroom(&s.out):
            return True
        feedback_report(s, p, now)
    return False


cdef bint _tick_links(SwarmState* s, Path* p, us_t now) noexcept nogil:
    """True when the queue filled up. A link that nobody wants any more goes when it is empty."""
    if p.down != NULL:
        if _downlink(s, p, now):
            return True
        if p.down_clear and link_deadline(p.down) == PEER_NEVER_US:
            link_free(p.down)
            p.down = NULL
    if p.up != NULL:
        if peer_uplink(s, p, now):
            return True
        if p.up_clear and link_deadline(p.up) == PEER_NEVER_US:
            link_free(p.up)
            p.up = NULL
    return False


cdef us_t _deadline(const Path* p, us_t now) noexcept nogil:
    cdef us_t first
    if p.state == PATH_FAILED:
        return PEER_NEVER_US
    first = min(p.check_us, _consent_deadline(p))
    if p.dtls != NULL:
        first = min(first, dtls_deadline(p.dtls))
    if p.send_srtp != NULL and p.consenting:
        return min(first, media_deadline(p), p.feedback_us, p.report_us, _arrivals_deadline(p))
    # Schedules go on without consent, for nobody.
    return min(first, now + NO_CONSENT_WAIT_US) if p.publication_count and p.send_srtp != NULL else first


cdef us_t _link_deadlines(const Path* p) noexcept nogil:
    return min(link_deadline(p.up) if p.up != NULL else PEER_NEVER_US, link_deadline(p.down) if p.down != NULL else PEER_NEVER_US)


cdef bint _tick_living(SwarmState* s, Path* p, us_t now) noexcept nogil:
    """True when the queue filled up."""
    if not peer_has_headroom(&s.out):
        return True
    _watch_consent(s, p, now)
    if p.state == PATH_FAILED:
        return False
    if now >= p.check_us:
        agent_check(s, p, now)
    if p.dtls != NULL and dtls_deadline(p.dtls) <= now:
        dtls_tick(p.dtls, now)
        _after_dtls(s, p, now)
    return p.send_srtp != NULL and _tick_media(s, p, now)


cdef void _tick_leaving(SwarmState* s, Path* p, us_t now) noexcept nogil:
    cdef u8* out = peer_reserve(&s.out)
    cdef int i
    if p.goodbye_size and out != NULL:
        for i in range(p.goodbye_size):
            out[i] = p.goodbye[i]
        peer_commit(s, p, p.goodbye_size, 0, now)
        p.goodbye_size = 0
    if p.up != NULL:
        peer_uplink(s, p, now)
    if p.goodbye_size == 0 and (p.up == NULL or link_deadline(p.up) == PEER_NEVER_US or now >= p.leave_us):
        peer_timers_remove(&s.timers, p)
        p.next_gone = s.gone
        s.gone = p


cdef bint path_tick(SwarmState* s, Path* p, us_t now) noexcept nogil:
    cdef us_t first = PEER_NEVER_US
    if p.leaving:
        if not peer_has_headroom(&s.out):
            return True
        _tick_leaving(s, p, now)
        first = p.leave_us
    elif _tick_links(s, p, now) or (not p.silent and _tick_living(s, p, now)):
        return True
    if not p.silent and not p.leaving:
        first = _deadline(p, now)
    first = min(first, _link_deadlines(p))
    peer_timers_set(&s.timers, p, first if first > now else now + LEAST_WAIT_US)
    return False


# What is done to it.


cdef void path_want(SwarmState* s, Path* p) noexcept nogil:
    if s.has_loop and not p.wanting:
        p.wanting = 1
        p.next_wanting = s.wanting
        s.wanting = p


cdef void path_rebind(SwarmState* s, Path* p, us_t now) noexcept nogil:
    p.rebind = 1
    path_want(s, p)
    agent_seek(p, now)
    peer_timers_hasten(&s.timers, p, now)


cdef void path_silence(SwarmState* s, Path* p, us_t now) noexcept nogil:
    p.silent = 1
    _set_state(s, p, PATH_DISCONNECTED)
    tracks_end(s, p, now)
    peer_timers_set(&s.timers, p, now)


cdef void _unwant(SwarmState* s, Path* p) noexcept nogil:
    cdef Path** at = &s.wanting
    while at[0] != NULL and at[0] != p:
        at = &at[0].next_wanting
    if at[0] == p:
        at[0] = p.next_wanting
    p.wanting = 0


cdef void path_leave(SwarmState* s, Path* p, us_t now) noexcept nogil:
    cdef Path* last = s.paths[s.path_count - 1]
    if p.silent or p.send_srtp == NULL or p.state == PATH_FAILED:
        p.goodbye_size = 0
    _set_state(s, p, PATH_FAILED)
    p.leaving = 1
    p.leave_us = now + LEAVE_US
    table64_remove(&s.by_path, p.id)
    tracks_free(s, p)
    _free_keys(p)
    if p.wanting:
        _unwant(s, p)
    s.paths[p.at] = last
    last.at = p.at
    s.path_count -= 1
    peer_timers_set(&s.timers, p, now)
