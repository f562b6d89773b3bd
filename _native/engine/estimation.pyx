"""What a receiver's path carries; see estimation.pxd."""

from simplestchat._native.cc.allocator cimport allocator_free
from simplestchat._native.cc.bwe cimport (
    bwe_feedback, bwe_free, bwe_loss, bwe_new, bwe_probe, bwe_remb, bwe_rtt, bwe_tick,
)
from simplestchat._native.cc.pacer cimport pacer_init
from simplestchat._native.core.types cimport OK, u8, u16, u32, u64, us_t
from simplestchat._native.engine.allocation cimport allocation_want
from simplestchat._native.engine.entities cimport (
    EVENT_BANDWIDTH, EXT_TRANSPORT_CC, NEVER_US, TRANSPORT_CONNECTED, Consumer, ShardState, Transport,
)
from simplestchat._native.engine.events cimport event_put
from simplestchat._native.engine.outgoing cimport outgoing_again, outgoing_padding
from simplestchat._native.engine.output cimport out_has_headroom
from simplestchat._native.engine.pacing cimport pacing_adjust
from simplestchat._native.engine.timers cimport timers_hasten
from simplestchat._native.stream.sent cimport SENT_WAITING, SentPacket, sent_find
from simplestchat._native.wire.rtcp cimport RtcpView
from simplestchat._native.wire.twcc cimport TWCC_MAX_PACKETS, TwccPacket, TwccView, twcc_read

cdef enum:
    START_BPS = 500000             # before anything is known: a thin link survives it, probes find more in a second
    FALL_PERCENT = 95              # an estimate below this share of what was divided is divided at once
    TOLD_PERCENT = 10              # the node hears of changes by more than this,
    TOLD_US = 1000000              # and so often at most
    PING_US = 1000000              # where nothing leaves of which the receiver could tell, one packet so often asks whether there is a path
    PING_SIZE = 32
    PROBE_TURNS = 16               # a probe repeats the latest packets in turn


cdef bint estimation_begin(ShardState* s, Transport* t, us_t now) noexcept nogil:
    if t.bwe == NULL and not t.pipe:
        t.bwe = bwe_new(START_BPS, now)
        if t.bwe != NULL:
            pacer_init(&t.pacer, now)
            pacing_adjust(t, now)
            t.bwe_us = t.probe_us = now
            t.divided_us = now
            allocation_want(s, t, now)
    return t.bwe != NULL


cdef void estimation_free(Transport* t) noexcept nogil:
    if t.bwe != NULL:
        bwe_free(t.bwe)
        t.bwe = NULL
    allocator_free(&t.allocator)


cdef void _changed(ShardState* s, Transport* t, us_t now) noexcept nogil:
    """The estimate may be another one."""
    cdef u64 estimate = t.bwe.estimate_bps
    pacing_adjust(t, now)
    if estimate * 100 < t.allocated_bps * FALL_PERCENT:
        allocation_want(s, t, now)
    if now - t.told_us >= TOLD_US and (estimate * 100 > t.told_bps * (100 + TOLD_PERCENT) or estimate * (100 + TOLD_PERCENT) < t.told_bps * 100):
        t.told_us = now
        t.told_bps = estimate
        event_put(s, EVENT_BANDWIDTH, 0, t.id, estimate)
    t.bwe_us = t.probe_us = now            # it may want to probe
    timers_hasten(&s.timers, t, now)


cdef void estimation_feedback(ShardState* s, Transport* t, const u8* data, const RtcpView* view, us_t now) noexcept nogil:
    cdef TwccPacket packets[TWCC_MAX_PACKETS]
    cdef TwccView feedback
    if t.bwe == NULL or twcc_read(data, view, &feedback, packets, TWCC_MAX_PACKETS) != OK:
        return
    s.counters.feedbacks_in += 1
    bwe_feedback(t.bwe, &feedback, packets, now)
    _changed(s, t, now)


cdef void estimation_remb(ShardState* s, Transport* t, u64 bitrate_bps, us_t now) noexcept nogil:
    t.remb_bps = bitrate_bps
    if t.consumer_count and estimation_begin(s, t, now):
        bwe_remb(t.bwe, bitrate_bps, now)
        _changed(s, t, now)


cdef void estimation_report(ShardState* s, Transport* t, const Consumer* c, u8 fraction_lost, us_t now) noexcept nogil:
    if t.bwe == NULL:
        return
    if c.send.rtt_us:
        bwe_rtt(t.bwe, c.send.rtt_us, now)
    if not c.ext[EXT_TRANSPORT_CC]:
        bwe_loss(t.bwe, fraction_lost, now)
    _changed(s, t, now)


cdef Consumer* _prober(Transport* t) noexcept nogil:
    """A consumer that has a stream for what is sent again."""
    cdef Consumer* c
    cdef u32 i
    for i in range(t.consumer_count):
        c = t.consumers[i]
        if c.video and c.rtx_ssrc and c.ext[EXT_TRANSPORT_CC]:
            return c
    return NULL


cdef u32 _send_probe(ShardState* s, Transport* t, Consumer* c, u32 size, us_t now, u32 cluster) noexcept nogil:
    """One of the latest packets again, or padding when it is larger than asked for by far, or gone."""
    cdef SentPacket* sent
    cdef u32 bytes = 0
    t.probe_turn = (t.probe_turn + 1) % PROBE_TURNS
    sent = sent_find(&c.sent, <u16>(c.seq.next_out - 1 - t.probe_turn), c.seq.next_out)
    if sent != NULL and not sent.flags & SENT_WAITING:
        bytes = outgoing_again(s, c, sent, now, cluster)
    if bytes == 0:
        bytes = outgoing_padding(s, c, size, now, cluster)
    s.counters.probes_out += bytes > 0
    return bytes


cdef us_t _probe(ShardState* s, Transport* t, us_t now) noexcept nogil:
    cdef Consumer* c
    cdef u32 cluster
    cdef u32 size
    cdef us_t next_us = NEVER_US
    if now < t.probe_us:
        return t.probe_us
    c = _prober(t)
    if c == NULL:
        return NEVER_US                    # asked again with the next feedback
    while bwe_probe(t.bwe, now, &cluster, &size, &next_us):
        if not out_has_headroom(&s.out):
            next_us = now
            break
        if _send_probe(s, t, c, size, now, cluster) == 0:
            next_us = NEVER_US
            break
    t.probe_us = next_us
    return next_us


cdef void _ping(ShardState* s, Transport* t, us_t now) noexcept nogil:
    """More is wanted, and all is held back: without a packet that is told of, nobody would ever know that there is room."""
    cdef Consumer* c
    if t.allocator.taken_bps or t.allocator.all_bps == 0 or now - t.bwe.sent_us < PING_US or not out_has_headroom(&s.out):
        return
    c = _prober(t)
    if c != NULL:
        outgoing_padding(s, c, PING_SIZE, now, 0)


cdef us_t estimation_tick(ShardState* s, Transport* t, us_t now) noexcept nogil:
    cdef u64 before
    if t.bwe == NULL or t.state != TRANSPORT_CONNECTED:
        return NEVER_US
    if now >= t.bwe_us:
        before = t.bwe.estimate_bps
        t.bwe_us = bwe_tick(t.bwe, now)
        if t.bwe.estimate_bps != before:
            pacing_adjust(t, now)
            if t.bwe.estimate_bps * 100 < t.allocated_bps * FALL_PERCENT:
                allocation_want(s, t, now)
        _ping(s, t, now)
    return min(t.bwe_us, _probe(s, t, now))
