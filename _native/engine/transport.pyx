"""One peer's path; the rules are in transport.pxd."""

from libc.stdlib cimport calloc, free

from simplestchat._native.cc.arrival cimport arrivals_init, arrivals_note
from simplestchat._native.cc.arrival cimport Arrivals
from simplestchat._native.core.bytes cimport get16
from simplestchat._native.core.budget cimport budget_has, budget_init, budget_spend
from simplestchat._native.core.table cimport table64_free, table64_init
from simplestchat._native.core.types cimport E_STATE, OK, Tuple, u32, u64, u8, us_t
from simplestchat._native.crypto.dtls cimport (
    DTLS_CLIENT, DTLS_CLOSED, DTLS_CONNECTED, DTLS_FAILED, DTLS_NEW, DTLS_SERVER, SrtpKeys, dtls_close, dtls_deadline,
    dtls_drain, dtls_feed, dtls_free, dtls_keys, dtls_new, dtls_set_fingerprint, dtls_start, dtls_state, dtls_steps, dtls_tick,
)
from simplestchat._native.crypto.openssl cimport OPENSSL_cleanse
from simplestchat._native.crypto.random cimport csprng_bytes, csprng_u32
from simplestchat._native.crypto.srtp cimport srtp_free, srtp_new
from simplestchat._native.engine.allocation cimport allocation_tick, allocation_want
from simplestchat._native.engine.consumer cimport consumer_free, consumer_restart
from simplestchat._native.engine.entities cimport (
    EVENT_TRANSPORT_STATE, EXT_TRANSPORT_CC, MAX_IN_BPS, MAX_IN_BURST, MAX_IN_PPS, MAX_TRANSPORTS, NEVER_US, TRANSPORT_CONNECTED, TRANSPORT_DISCONNECTED,
    TRANSPORT_FAILED, Consumer, Pair, ShardState, Source, Transport, WaitingDatagram,
)
from simplestchat._native.engine.estimation cimport estimation_free, estimation_tick
from simplestchat._native.engine.events cimport event_put
from simplestchat._native.engine.feedback cimport feedback_send_arrivals
from simplestchat._native.engine.handshakes cimport (
    HANDSHAKE_CHEAP, handshakes_data, handshakes_forget, handshakes_put, handshakes_take, handshakes_wait,
)
from simplestchat._native.engine.ice cimport ice_find, ice_forget, ice_may_send, ice_new_credentials, ice_receive
from simplestchat._native.engine.output cimport OUT_SLOT, out_commit, out_has_headroom, out_reserve
from simplestchat._native.engine.pacing cimport pacing_free, pacing_tick
from simplestchat._native.engine.producer cimport producer_free, producer_receive, producer_tick, producer_want_keyframe
from simplestchat._native.engine.reports cimport reports_receive, reports_tick
from simplestchat._native.engine.sources cimport sources_find, sources_learn
from simplestchat._native.engine.timers cimport timers_add, timers_hasten, timers_remove, timers_set
from simplestchat._native.wire.demux cimport KIND_DTLS, KIND_RTCP, KIND_RTP, KIND_STUN, demux
from simplestchat._native.wire.rtp cimport RtpExt, RtpView, rtp_ext_find, rtp_parse

cdef enum:
    SENT_SSRCS_AT_FIRST = 4        # grows as consumers come, see parameters
    LEAST_WAIT_US = 1000           # no deadline may keep the loop from sleeping
    IN_BYTES_PER_US = MAX_IN_BPS // 8000000
    IN_LEAST_COST = MAX_IN_BPS // 8 // MAX_IN_PPS


cdef void _set_state(ShardState* s, Transport* t, u8 state) noexcept nogil:
    if t.state != state:
        t.state = state
        event_put(s, EVENT_TRANSPORT_STATE, state, t.id, 0)


cdef Transport* transport_new(ShardState* s, u32 id, us_t now) noexcept nogil:
    cdef u64 seeds[2]
    cdef Transport* t
    if s.transport_count >= MAX_TRANSPORTS:
        return NULL
    t = <Transport*>calloc(1, sizeof(Transport))
    if t == NULL:
        return NULL
    csprng_bytes(&s.random, <u8*>seeds, sizeof(seeds))
    t.id = id
    t.selected = -1
    t.deadline_us = NEVER_US
    budget_init(&t.budget, MAX_IN_BURST, now)
    t.rtcp_ssrc = csprng_u32(&s.random)
    s.transport_count += 1
    t.source_seed = seeds[0]
    if (table64_init(&t.sent_by_ssrc, SENT_SSRCS_AT_FIRST, seeds[1]) != OK
            or timers_add(&s.timers, t) != OK or ice_new_credentials(s, t) != OK):
        transport_free(s, t)
        return NULL
    return t


cdef void transport_free(ShardState* s, Transport* t) noexcept nogil:
    while t.producer_count:
        producer_free(s, t.producers[t.producer_count - 1])
    while t.consumer_count:
        consumer_free(s, t.consumers[t.consumer_count - 1])
    handshakes_forget(&s.handshakes, t)
    if t.dtls != NULL:
        dtls_close(t.dtls)
        _drain_dtls(s, t)
        dtls_free(t.dtls)
    srtp_free(t.send_srtp)
    srtp_free(t.recv_srtp)
    ice_forget(s, t)
    timers_remove(&s.timers, t)
    table64_free(&t.source_by_ssrc)
    table64_free(&t.sent_by_ssrc)
    estimation_free(t)
    pacing_free(t)
    free(t.arrivals)
    free(t.sources)
    free(t.producers)
    free(t.consumers)
    s.transport_count -= 1
    s.pipe_count -= t.pipe
    free(t)


cdef void _drain_dtls(ShardState* s, Transport* t) noexcept nogil:
    cdef u8* out
    cdef int size
    while t.selected >= 0:
        out = out_reserve(&s.out)
        size = dtls_drain(t.dtls, out, OUT_SLOT) if out != NULL else 0
        if size <= 0:
            break
        if ice_may_send(t, size):
            out_commit(&s.out, &t.pairs[t.selected].tuple, size)
            t.packets_out += 1
            t.bytes_out += size


cdef void _begin_media(ShardState* s, Transport* t, us_t now) noexcept nogil:
    """Media may flow, for the first time or again: each stream begins a run, and what is due towards the peer waits no longer.

    What a consumer missed without consent must not show as a jump of its sequence: past half of all numbers its receiver would
    guess a wrong rollover, and never open a packet again.
    """
    cdef Consumer* c
    cdef u32 i
    _set_state(s, t, TRANSPORT_CONNECTED)
    t.rtcp_us = now
    t.reported = 0
    for i in range(t.consumer_count):
        c = t.consumers[i]
        consumer_restart(c)
        if not c.paused:
            producer_want_keyframe(s, c.producer, c.stream, now)
    allocation_want(s, t, now)


cdef void _take_keys(ShardState* s, Transport* t, us_t now) noexcept nogil:
    """The handshake is done."""
    cdef SrtpKeys keys
    if dtls_keys(t.dtls, &keys) == OK:
        t.send_srtp = srtp_new(keys.suite, keys.send_key, keys.send_salt)
        t.recv_srtp = srtp_new(keys.suite, keys.recv_key, keys.recv_salt)
    OPENSSL_cleanse(&keys, sizeof(keys))
    if t.send_srtp == NULL or t.recv_srtp == NULL:
        s.counters.handshakes_failed += 1
        _set_state(s, t, TRANSPORT_FAILED)
        return
    s.counters.handshakes += 1
    _begin_media(s, t, now)


cdef void _after_dtls(ShardState* s, Transport* t, us_t now) noexcept nogil:
    """Sends what the handshake wants to send and follows its state."""
    cdef int state = dtls_state(t.dtls)
    _drain_dtls(s, t)
    if state == DTLS_CONNECTED and t.send_srtp == NULL and t.state != TRANSPORT_FAILED:
        _take_keys(s, t, now)
    elif (state == DTLS_FAILED or state == DTLS_CLOSED) and t.state != TRANSPORT_FAILED:
        s.counters.handshakes_failed += state == DTLS_FAILED
        _set_state(s, t, TRANSPORT_FAILED)
    timers_hasten(&s.timers, t, now)


cdef int transport_connect(ShardState* s, Transport* t, int peer_role, int hash, const u8* digest, u32 size, us_t now) noexcept nogil:
    cdef int status
    if t.connect_called:
        return E_STATE
    if t.dtls == NULL:
        t.dtls_role = DTLS_CLIENT if peer_role == PEER_SERVER else DTLS_SERVER
        t.dtls = dtls_new(s.dtls, t.dtls_role)
        if t.dtls == NULL:
            return E_STATE
    elif peer_role == PEER_SERVER:
        return E_STATE             # it has sent a ClientHello already
    status = dtls_set_fingerprint(t.dtls, hash, digest, size)
    if status != OK:
        return status
    t.connect_called = 1
    if t.selected >= 0 and t.dtls_role == DTLS_CLIENT and dtls_state(t.dtls) == DTLS_NEW:
        dtls_start(t.dtls, now)
    _after_dtls(s, t, now)
    return OK


cdef void _checked(ShardState* s, Transport* t, us_t now) noexcept nogil:
    """A check was valid: consent is fresh, and a handshake that waited for a path may begin."""
    if t.state == TRANSPORT_DISCONNECTED:
        _begin_media(s, t, now)
    if t.connect_called and t.dtls_role == DTLS_CLIENT and dtls_state(t.dtls) == DTLS_NEW:
        dtls_start(t.dtls, now)
        _after_dtls(s, t, now)
    timers_hasten(&s.timers, t, now + CONSENT_US)


cdef bint _shake(ShardState* s, Transport* t, const WaitingDatagram* d, us_t now) noexcept nogil:
    """One DTLS datagram. Whether libssl had work with it."""
    cdef bint had_keys = t.send_srtp != NULL
    cdef Pair* pair
    cdef u32 steps
    if ice_find(s, &d.tuple, &pair) != t:
        s.counters.dropped_unknown += 1    # the pair went while it waited
        return False
    if t.dtls == NULL:             # its ClientHello overtook transport.connect
        t.dtls_role = DTLS_SERVER
        t.dtls = dtls_new(s.dtls, DTLS_SERVER)
        if t.dtls == NULL:
            return False
    steps = dtls_steps(t.dtls)
    if dtls_state(t.dtls) == DTLS_NEW:
        dtls_start(t.dtls, now)
    if dtls_feed(t.dtls, handshakes_data(d), d.size, now) != OK:
        s.counters.dropped_dtls += 1
    _after_dtls(s, t, now)
    if not had_keys and t.send_srtp != NULL:
        pair.proven = 1
    return dtls_steps(t.dtls) != steps


cdef bint transport_handshakes(ShardState* s, us_t now) noexcept nogil:
    cdef Transport* t
    cdef WaitingDatagram* d
    cdef bint worked = False
    cdef int left = HANDSHAKE_CHEAP
    while left and not worked and handshakes_wait(&s.handshakes) and out_has_headroom(&s.out):
        d = handshakes_take(&s.handshakes, &t)
        worked = _shake(s, t, d, now)
        free(d)
        left -= 1
    return handshakes_wait(&s.handshakes)


cdef void _note_arrival(ShardState* s, Transport* t, const Source* source, const u8* data, const RtpView* view, us_t now) noexcept nogil:
    """An authentic packet that may have a transport-wide number: its sender is told when it came."""
    cdef RtpExt ext
    if view.ext_profile == 0 or not rtp_ext_find(data, view, source.producer.ext[EXT_TRANSPORT_CC], &ext) or ext.size != 2:
        return
    if t.arrivals == NULL:
        t.arrivals = <Arrivals*>calloc(1, sizeof(Arrivals))
        if t.arrivals == NULL:
            return
        arrivals_init(t.arrivals)
    arrivals_note(t.arrivals, get16(data + ext.off), now)
    timers_hasten(&s.timers, t, t.arrivals.due_us)


cdef bint _receive_rtp(ShardState* s, Transport* t, const u8* data, u32 size, us_t now) noexcept nogil:
    cdef RtpView view
    cdef Source* source
    if rtp_parse(data, size, &view) != OK:
        s.counters.dropped_malformed += 1
        return False
    source = sources_find(t, view.ssrc)
    if source == NULL and not t.pipe:
        if not sources_learn(s, t, data, size, &view, now):
            return False
        source = sources_find(t, view.ssrc)
        if source == NULL:
            return True                    # authentic, and nobody's
    elif source == NULL or source.producer == NULL:
        s.counters.dropped_unrouted += 1
        return False
    elif not producer_receive(s, source, data, size, &view, now):
        return False
    if source.producer != NULL and source.producer.ext[EXT_TRANSPORT_CC]:
        _note_arrival(s, t, source, data, &view, now)
    return True


cdef void _receive_sealed(ShardState* s, Transport* t, Pair* pair, int kind, const u8* data, u32 size, us_t now) noexcept nogil:
    """Media or feedback. Only what is authentic is charged: a stranger who forges this address must not use up its budget."""
    cdef bint authentic
    if not t.pipe and not budget_has(&t.budget, IN_BYTES_PER_US, MAX_IN_BURST, now):
        s.counters.dropped_budget += 1
        t.dropped_in += 1
        return
    authentic = _receive_rtp(s, t, data, size, now) if kind == KIND_RTP else reports_receive(s, t, data, size, now)
    if authentic:
        pair.proven = 1
        budget_spend(&t.budget, max(size, <u32>IN_LEAST_COST))


cdef void transport_receive(ShardState* s, const u8* data, u32 size, const Tuple* tuple, us_t now) noexcept nogil:
    cdef int kind = demux(data, size)
    cdef Pair* pair
    cdef Transport* t
    s.counters.packets_in += 1
    s.counters.bytes_in += size
    if kind == KIND_STUN:
        t = ice_receive(s, data, size, tuple, now)
        if t != NULL:
            _checked(s, t, now)
        return
    t = ice_find(s, tuple, &pair)
    if t == NULL:
        s.counters.dropped_unknown += 1
        return
    t.packets_in += 1
    t.bytes_in += size
    pair.bytes_in += size
    if kind == KIND_DTLS and not t.pipe:
        if not handshakes_put(&s.handshakes, t, data, size, tuple):
            s.counters.dropped_handshakes += 1
    elif t.recv_srtp != NULL and (kind == KIND_RTP or kind == KIND_RTCP):
        _receive_sealed(s, t, pair, kind, data, size, now)
    else:
        s.counters.dropped_unknown += 1


cdef void transport_tick(ShardState* s, Transport* t, us_t now) noexcept nogil:
    cdef us_t deadline = NEVER_US
    cdef u32 i
    if t.dtls != NULL:
        if dtls_deadline(t.dtls) <= now:
            dtls_tick(t.dtls, now)
            _after_dtls(s, t, now)
        deadline = dtls_deadline(t.dtls)
    if t.state == TRANSPORT_CONNECTED:
        if now - t.checked_us >= CONSENT_US:
            _set_state(s, t, TRANSPORT_DISCONNECTED)
        else:
            deadline = min(deadline, t.checked_us + CONSENT_US, reports_tick(s, t, now), feedback_send_arrivals(s, t, now))
            deadline = min(deadline, pacing_tick(s, t, now), estimation_tick(s, t, now))
            deadline = min(deadline, allocation_tick(s, t, now))
            for i in range(t.producer_count):
                deadline = min(deadline, producer_tick(s, t.producers[i], now))
    timers_set(&s.timers, t, max(deadline, now + LEAST_WAIT_US))
