"""How much may be sent to one receiver; see bwe.pxd for the contract."""

from libc.stdlib cimport calloc, free
from simplestchat._native.cc.aimd cimport aimd_init, aimd_update
from simplestchat._native.cc.delay cimport delay_packet, delay_reset, delay_round
from simplestchat._native.cc.groups cimport groups_packet, groups_reset
from simplestchat._native.cc.history cimport (
    DEPARTURE_ARRIVED, DEPARTURE_LOST, DEPARTURE_UNTOLD, Departure, history_find, history_free, history_put,
)
from simplestchat._native.cc.overuse cimport USAGE_NORMAL, USAGE_OVER, Usage, overuse_group, overuse_init
from simplestchat._native.cc.rate cimport RATE_LONG, RATE_SHORT, rate_add, rate_bps
from simplestchat._native.cc.trendline cimport trendline_group, trendline_reset, trendline_value
from simplestchat._native.core.types cimport i32, i64, u8, u16, u32, u64, us_t
from simplestchat._native.wire.twcc cimport TWCC_REFERENCE_US, TwccPacket, TwccView

cdef enum:
    _REFERENCE_BITS = 24
    _FIRST_RTT_US = 100000
    _CLOCK_JUMP_US = 10000000


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
        departure.cluster = <u16> cluster
    rate_add(&b.sent, size, now)
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


cdef void _publish(Bwe* b, us_t now) noexcept nogil:
    b.sent_bps = rate_bps(&b.sent, RATE_LONG, now)
    b.queue_us = b.delay.standing_us
    b.slope = b.trend.slope
    b.trend_ms = trendline_value(&b.trend)
    b.threshold_ms = b.overuse.threshold_ms
    b.delay_bps = b.aimd.bps
    b.estimate_bps = min(max(min(b.delay_bps, b.loss_bps), <u64> BWE_LEAST_BPS), <u64> BWE_MOST_BPS)


cdef void bwe_feedback(Bwe* b, const TwccView* view, const TwccPacket* packets, us_t now) noexcept nogil:
    cdef us_t offset = _unwrap(b, view.reference), arrival, newest_sent = -1
    cdef Departure* departure
    cdef bint over = False
    cdef u32 i
    for i in range(view.count):
        departure = history_find(&b.history, <u16> (view.base_seq + i))
        if departure == NULL or departure.state == DEPARTURE_ARRIVED:
            continue
        if not packets[i].received:
            departure.state = DEPARTURE_LOST
            continue
        departure.state = DEPARTURE_ARRIVED
        arrival = packets[i].arrival_us + offset
        if arrival < b.arrival_us - _CLOCK_JUMP_US or arrival > b.arrival_us + _CLOCK_JUMP_US:
            _restart_clock(b)
            b.arrival_us = arrival
        b.arrival_us = max(b.arrival_us, arrival)
        newest_sent = max(newest_sent, departure.sent_us)
        rate_add(&b.arrived, departure.size, arrival)
        delay_packet(&b.delay, arrival - departure.sent_us)
        over |= _detect(b, departure.sent_us, arrival) == USAGE_OVER
    b.feedback_us = now
    if newest_sent < 0:
        return
    delay_round(&b.delay, now)
    b.arrived_bps = rate_bps(&b.arrived, RATE_SHORT if over else RATE_LONG, b.arrival_us)
    b.usage = USAGE_OVER if over else b.overuse.usage
    aimd_update(&b.aimd, b.usage, b.arrived_bps, b.rtt_us, now)
    _publish(b, now)


cdef void bwe_remb(Bwe* b, u64 bitrate_bps, us_t now) noexcept nogil:
    if not b.heard:
        b.estimate_bps = min(max(bitrate_bps, <u64> BWE_LEAST_BPS), <u64> BWE_MOST_BPS)


cdef void bwe_loss(Bwe* b, u8 fraction, us_t now) noexcept nogil:
    if not b.heard:
        b.loss = fraction / 256.0


cdef void bwe_rtt(Bwe* b, us_t rtt, us_t now) noexcept nogil:
    if rtt > 0:
        b.rtt_us = rtt


cdef void bwe_want(Bwe* b, u64 next_step_bps, u64 all_bps, us_t now) noexcept nogil:
    b.next_step_bps = next_step_bps
    b.all_bps = all_bps


cdef us_t bwe_tick(Bwe* b, us_t now) noexcept nogil:
    _publish(b, now)
    return BWE_NEVER_US


cdef bint bwe_probe(Bwe* b, us_t now, u32* cluster, u32* size, us_t* next_us) noexcept nogil:
    next_us[0] = BWE_NEVER_US
    return False
