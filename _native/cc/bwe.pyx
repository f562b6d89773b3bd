"""How much may be sent to one receiver; see bwe.pxd for the contract."""

from libc.stdlib cimport calloc, free
from simplestchat._native.cc.aimd cimport aimd_init, aimd_set, aimd_update
from simplestchat._native.cc.delay cimport DELAY_EMPTY_US, delay_busy, delay_busy_bps, delay_packet, delay_reset, delay_round, delay_stands
from simplestchat._native.cc.fallback cimport fallback_bps, fallback_init, fallback_loss, fallback_remb
from simplestchat._native.cc.groups cimport groups_packet, groups_reset
from simplestchat._native.cc.history cimport (
    DEPARTURE_ARRIVED, DEPARTURE_LOST, DEPARTURE_UNTOLD, Departure, history_find, history_free, history_put,
)
from simplestchat._native.cc.loss cimport LOSS_FREE, LOSS_UNSURE, loss_anyway, loss_came, loss_forget, loss_init, loss_lift, loss_round, loss_told
from simplestchat._native.cc.overuse cimport USAGE_NORMAL, USAGE_OVER, Usage, overuse_group, overuse_init
from simplestchat._native.cc.probe cimport (
    PROBE_TAKE_PERMILLE, PROBE_THROUGH, ProbeResult, probe_arrived, probe_begin, probe_due, probe_init, probe_lowered,
    probe_result, probe_sent,
)
from simplestchat._native.cc.rate cimport RATE_LONG, RATE_SHORT, rate_add, rate_bps
from simplestchat._native.cc.trendline cimport trendline_group, trendline_reset, trendline_value
from simplestchat._native.core.types cimport i32, i64, u8, u16, u32, u64, us_t
from simplestchat._native.wire.twcc cimport TWCC_REFERENCE_US, TwccPacket, TwccView

cdef enum:
    _REFERENCE_BITS = 24
    _FIRST_RTT_US = 100000
    _CLOCK_JUMP_US = 10000000
    _REPORT_US = 10000000        # a reported round trip is believed so long
    _LEAST_RTT_US = 1000
    _MOST_RTT_US = 10000000


cdef Bwe* bwe_new(u64 start_bps, us_t now) noexcept nogil:
    cdef Bwe* b = <Bwe*> calloc(1, sizeof(Bwe))
    if b == NULL:
        return NULL
    start_bps = min(max(start_bps, <u64> BWE_LEAST_BPS), <u64> BWE_MOST_BPS)
    b.estimate_bps = b.delay_bps = start_bps
    b.loss_bps = BWE_MOST_BPS
    b.rtt_us = _FIRST_RTT_US
    aimd_init(&b.aimd, start_bps, now)
    overuse_init(&b.overuse)
    loss_init(&b.losses, now)
    probe_init(&b.probe, now)
    fallback_init(&b.fallback, start_bps, now)
    return b


cdef void bwe_free(Bwe* b) noexcept nogil:
    if b == NULL:
        return
    history_free(&b.history)
    free(b)


cdef u64 bwe_bytes(const Bwe* b) noexcept nogil:
    return sizeof(Bwe) + (<u64> (b.history.mask + 1) * sizeof(Departure) if b.history.slots != NULL else 0)


cdef u16 bwe_send(Bwe* b, u32 size, us_t now, u32 cluster) noexcept nogil:
    cdef u16 number = <u16> b.history.next
    cdef Departure* departure = history_put(&b.history, now)
    if departure != NULL:
        departure.size = <u16> min(size, <u32> 0xFFFF)
        departure.cluster = 0
    rate_add(&b.sent, size, now)
    b.sent_us = now
    if b.unheard_us == 0:
        b.unheard_us = now
    if b.probe.cluster.sending:
        # Media that leaves meanwhile is part of the rate.
        if departure != NULL:
            departure.cluster = b.probe.cluster.id
        probe_sent(&b.probe, b.history.next - 1, size, now)
    return number


cdef void _restart_clock(Bwe* b) noexcept nogil:
    # What was measured on the clock before says nothing on this one.
    groups_reset(&b.groups)
    trendline_reset(&b.trend)
    delay_reset(&b.delay)
    b.arrived.begun = False


# What to add to the arrivals of this feedback, so that they go on where those before were.
cdef us_t _unwrap(Bwe* b, i32 reference) noexcept nogil:
    cdef i64 turn = <i64> 1 << _REFERENCE_BITS, far
    if not b.heard:
        b.heard = True
        b.reference = reference
    far = (reference - b.reference) & (turn - 1)
    if far >= turn // 2:
        far -= turn
    b.reference += far
    return (b.reference - reference) * TWCC_REFERENCE_US


cdef Usage _detect(Bwe* b, us_t sent, us_t arrival) noexcept nogil:
    cdef us_t left_apart, arrived_apart
    if not groups_packet(&b.groups, sent, arrival, &left_apart, &arrived_apart):
        return USAGE_NORMAL
    trendline_group(&b.trend, arrived_apart - left_apart, arrival)
    return overuse_group(&b.overuse, trendline_value(&b.trend), b.trend.slope, left_apart, arrival)


cdef inline u64 _within(u64 bps) noexcept nogil:
    return min(max(bps, <u64> BWE_LEAST_BPS), <u64> BWE_MOST_BPS)


cdef void _publish(Bwe* b, us_t now) noexcept nogil:
    b.queue_us = b.delay.standing_us
    b.slope = b.trend.slope
    b.trend_ms = trendline_value(&b.trend)
    b.threshold_ms = b.overuse.threshold_ms
    b.aimd.bps = _within(b.aimd.bps)
    b.delay_bps = b.aimd.bps
    b.loss_bps = _within(b.losses.bps)
    if b.heard:
        b.loss = b.losses.average
        b.estimate_bps = min(b.delay_bps, b.loss_bps)
    else:
        b.estimate_bps = _within(fallback_bps(&b.fallback, now))


# Everything that a feedback says of one packet that arrived.
cdef bint _arrived(Bwe* b, const Departure* departure, us_t arrival) noexcept nogil:
    if arrival < b.arrival_us - _CLOCK_JUMP_US or arrival > b.arrival_us + _CLOCK_JUMP_US:
        _restart_clock(b)
        b.arrival_us = arrival
    b.arrival_us = max(b.arrival_us, arrival)
    rate_add(&b.arrived, departure.size, arrival)
    delay_packet(&b.delay, arrival - departure.sent_us, departure.size, arrival)
    if departure.cluster == 0:
        return _detect(b, departure.sent_us, arrival) == USAGE_OVER
    # What a probe does to the queue says nothing about the media's rate.
    groups_reset(&b.groups)
    probe_arrived(&b.probe, departure.cluster, departure.size, departure.sent_us, arrival)
    return False


cdef void _judge_probe(Bwe* b, u64 told, us_t now) noexcept nogil:
    cdef u64 bps = 0
    cdef ProbeResult result = probe_result(&b.probe, told, loss_anyway(&b.losses), b.rtt_us, now, &bps)
    if result == PROBE_THROUGH:
        bps = bps * PROBE_TAKE_PERMILLE // 1000
        if bps > b.aimd.bps:
            b.aimd.capacity_bps = 0
            aimd_set(&b.aimd, bps, now)
        if b.losses.state == LOSS_UNSURE and bps > b.losses.bps:
            loss_lift(&b.losses, b.rtt_us, now)


cdef void _heard(Bwe* b, us_t newest_sent, us_t now) noexcept nogil:
    cdef us_t rtt = min(max(now - newest_sent, <us_t> _LEAST_RTT_US), <us_t> _MOST_RTT_US)
    b.unheard_us = 0
    if b.halved_us:              # the path is back: what it carries now is soon found out
        b.halved_us = 0
        b.back_us = now
        b.probe.next_us = now
        loss_forget(&b.losses, b.rtt_us, now)
    if b.reported_us == 0 or now - b.reported_us > _REPORT_US:
        b.rtt_us = rtt if b.feedback_us == 0 else b.rtt_us + (rtt - b.rtt_us) // 8
    b.feedback_us = now


# What a feedback says, and that nothing said before. True: the trend of the delay is over its threshold.
cdef bint _take(Bwe* b, const TwccView* view, const TwccPacket* packets, us_t offset, u64* told, us_t* newest_sent) noexcept nogil:
    cdef Departure* departure
    cdef bint over = False
    cdef u32 i
    for i in range(view.count):
        departure = history_find(&b.history, <u16> (view.base_seq + i))
        if departure == NULL or departure.state == DEPARTURE_ARRIVED:
            continue
        told[0] = b.history.next - <u16> (b.history.next - view.base_seq - i)
        if not packets[i].received:
            if departure.state == DEPARTURE_UNTOLD:
                departure.state = DEPARTURE_LOST
                if departure.sent_us >= b.back_us:
                    loss_told(&b.losses, True)
            continue
        if departure.state == DEPARTURE_LOST:
            loss_came(&b.losses)
        else:
            loss_told(&b.losses, False)
        departure.state = DEPARTURE_ARRIVED
        newest_sent[0] = max(newest_sent[0], departure.sent_us)
        over |= _arrived(b, departure, packets[i].arrival_us + offset)
    return over


# What arrives while there is a queue is what the path carries. Of one that has been there for long, half a second is the steadier
# measure, but for a rate that is suddenly another.
cdef u64 _carried(Bwe* b, u64 long_bps) noexcept nogil:
    cdef u64 short_bps
    if delay_busy(&b.delay, b.arrival_us) < BWE_STANDS_US:
        return delay_busy_bps(&b.delay, b.arrival_us)
    short_bps = rate_bps(&b.arrived, RATE_SHORT, b.arrival_us)
    return short_bps if short_bps * 4 < long_bps * 3 else long_bps


# Of a rate that has a pause in it nothing follows but that it may have been the estimate.
cdef inline u64 _arrives(const Bwe* b) noexcept nogil:
    return max(b.arrived_bps, b.aimd.bps) if b.arrival_us - b.delay.rested_us < BWE_STANDS_US else b.arrived_bps


cdef void bwe_feedback(Bwe* b, const TwccView* view, const TwccPacket* packets, us_t now) noexcept nogil:
    cdef us_t newest_sent = -1, lowered_us = b.aimd.lowered_us
    cdef u64 told = 0, before_bps
    cdef bint over = _take(b, view, packets, _unwrap(b, view.reference), &told, &newest_sent)
    if newest_sent < 0:
        return
    _heard(b, newest_sent, now)
    delay_round(&b.delay, now)
    # A queue that empties in every round is only that of the media's own bursts.
    over = over and b.delay.standing_us >= DELAY_EMPTY_US and delay_busy(&b.delay, b.arrival_us) >= BWE_BUSY_US
    b.arrived_bps = rate_bps(&b.arrived, RATE_LONG, b.arrival_us)
    if over:
        b.arrived_bps = _carried(b, b.arrived_bps)
    # As much as would have arrived without what the path loses anyway.
    b.arrived_bps = <u64> (b.arrived_bps / (1 - min(loss_anyway(&b.losses), 0.5)))
    b.sent_bps = rate_bps(&b.sent, RATE_LONG, now)
    b.usage = USAGE_OVER if over else USAGE_NORMAL if b.overuse.usage == USAGE_OVER else b.overuse.usage
    if delay_stands(&b.delay, now) or loss_round(
        &b.losses, _arrives(b), b.sent_bps, b.aimd.bps, b.delay.standing_us, b.rtt_us, now
    ):
        b.usage = USAGE_OVER
    before_bps = b.aimd.bps
    aimd_update(&b.aimd, b.usage, b.arrived_bps, b.sent_bps, b.rtt_us, now)
    # More than all that is wanted is of no use, and the pacer would let bursts through that the path does not carry.
    if b.all_bps and b.aimd.bps > before_bps:
        b.aimd.bps = max(before_bps, min(b.aimd.bps, b.all_bps * BWE_ENOUGH_PERCENT // 100))
    if b.aimd.lowered_us != lowered_us:
        probe_lowered(&b.probe, now)
    _judge_probe(b, told, now)
    _publish(b, now)


cdef void bwe_remb(Bwe* b, u64 bitrate_bps, us_t now) noexcept nogil:
    if not b.heard:
        fallback_remb(&b.fallback, bitrate_bps, now)
        _publish(b, now)


cdef void bwe_loss(Bwe* b, u8 fraction, us_t now) noexcept nogil:
    if not b.heard:
        b.loss = fraction / 256.0
        fallback_loss(&b.fallback, fraction, b.all_bps * 5 // 4, b.rtt_us, now)
        _publish(b, now)


cdef void bwe_rtt(Bwe* b, us_t rtt, us_t now) noexcept nogil:
    if 0 < rtt < _MOST_RTT_US:
        b.rtt_us = max(rtt, <us_t> _LEAST_RTT_US)
        b.reported_us = now


cdef void bwe_want(Bwe* b, u64 next_step_bps, u64 all_bps, us_t now) noexcept nogil:
    b.next_step_bps = next_step_bps
    b.all_bps = all_bps


cdef us_t bwe_tick(Bwe* b, us_t now) noexcept nogil:
    cdef us_t silent_since = max(b.unheard_us + BWE_SILENCE_US + 2 * b.rtt_us, b.halved_us + BWE_SILENT_US)
    # Only where something goes on being sent does silence say anything: what was sent last of all may have been lost.
    if b.heard and b.unheard_us and now >= silent_since and b.sent_us > max(b.unheard_us + BWE_SILENCE_US // 2, b.halved_us):
        b.halved_us = now
        b.aimd.bps //= 2
    if b.probe.cluster.id:
        _judge_probe(b, 0, now)
    _publish(b, now)
    return now + BWE_TICK_US


cdef bint _may_probe(const Bwe* b, us_t now) noexcept nogil:
    return (
        b.heard
        and b.usage != USAGE_OVER
        and b.delay.standing_us <= BWE_PROBE_QUEUE_US
        and b.halved_us == 0
        and now - b.feedback_us <= b.rtt_us + BWE_SILENT_US
        and (b.losses.state == LOSS_FREE or b.losses.state == LOSS_UNSURE)
    )


cdef bint bwe_probe(Bwe* b, us_t now, u32* cluster, u32* size, us_t* next_us) noexcept nogil:
    if not b.probe.cluster.sending:
        next_us[0] = max(b.probe.next_us, now + BWE_PROBE_TICK_US)
        if now < b.probe.next_us or not _may_probe(b, now):
            return False
        if not probe_begin(&b.probe, b.estimate_bps, b.next_step_bps, b.all_bps, b.aimd.capacity_bps > 0, b.delay.jitter_us, now):
            return False
    size[0] = probe_due(&b.probe, now, next_us)
    cluster[0] = b.probe.cluster.id
    return size[0] > 0
