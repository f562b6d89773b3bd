"""Fuzz targets of the bandwidth estimation: feedback from hostile bytes, and hostile orders of everything that is told to it."""

from simplestchat._native.cc.bwe cimport (
    BWE_LEAST_BPS, BWE_MOST_BPS, Bwe, bwe_bytes, bwe_feedback, bwe_free, bwe_loss, bwe_new, bwe_probe, bwe_remb, bwe_rtt, bwe_send,
    bwe_tick, bwe_want,
)
from simplestchat._native.cc.history cimport HISTORY_MAX, Departure
from simplestchat._native.core.bytes cimport get16, put16
from simplestchat._native.core.types cimport E_NOMEM, OK, i32, i64, u8, u16, u32, u64, us_t
from simplestchat._native.testing.fuzz cimport FUZZ_BROKEN, FuzzTarget, fuzz_below, fuzz_random, fuzz_run
from simplestchat._native.wire.rtcp cimport RTCP_RTPFB, RTPFB_TWCC, RtcpView, rtcp_next
from simplestchat._native.wire.twcc cimport TWCC_MAX_PACKETS, TwccPacket, TwccView, twcc_read

FUZZ_TARGETS = ("bwe-feedback", "bwe-script")
FUZZ_ROUNDS = 100_000            # an input is a whole life of an estimator

cdef enum:
    _MOST_BYTES = sizeof(Bwe) + HISTORY_MAX * sizeof(Departure)
    _SCRIPT_STEP = 5             # bytes: what, and an argument of 32 bits


# What holds whatever was told: the estimate is one, and comparisons with the measures make sense.
cdef int _sound(const Bwe* b) noexcept nogil:
    if not BWE_LEAST_BPS <= b.estimate_bps <= BWE_MOST_BPS or bwe_bytes(b) > _MOST_BYTES:
        return FUZZ_BROKEN
    if b.slope != b.slope or b.threshold_ms != b.threshold_ms or not 0 <= b.loss <= 1 or b.rtt_us <= 0 or b.queue_us < 0:
        return FUZZ_BROKEN
    return OK


cdef void _send_some(Bwe* b, u64* random, us_t* now, size_t packets) noexcept nogil:
    cdef u32 cluster = 0, size = 0
    cdef us_t again = 0
    while packets:
        packets -= 1
        now[0] += fuzz_below(random, 20000)
        if fuzz_below(random, 4) == 0 and bwe_probe(b, now[0], &cluster, &size, &again):
            bwe_send(b, size, now[0], cluster)
        else:
            bwe_send(b, <u32> fuzz_below(random, 1300), now[0], 0)


cdef int _feedback(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef TwccPacket packets[TWCC_MAX_PACKETS]
    cdef TwccView feedback
    cdef RtcpView view
    cdef size_t pos = 0
    cdef us_t now = <us_t> fuzz_below(&random, 1 << 30)
    cdef u32 again
    cdef Bwe* b
    cdef int verdict = OK
    random |= 1
    if size >= 20:
        data[0] = 0x80 | RTPFB_TWCC
        data[1] = RTCP_RTPFB
        put16(data + 2, <u16> (size // 4 - 1))
    if rtcp_next(data, size, &pos, &view) != 1 or twcc_read(data, &view, &feedback, packets, TWCC_MAX_PACKETS) < 0:
        return -1
    b = bwe_new(fuzz_random(&random) >> fuzz_below(&random, 64), now)
    if b is NULL:
        return E_NOMEM
    bwe_want(b, fuzz_random(&random) >> fuzz_below(&random, 64), fuzz_random(&random) >> fuzz_below(&random, 64), now)
    for again in range(4):
        _send_some(b, &random, &now, fuzz_below(&random, 200))
        if fuzz_below(&random, 2):
            feedback.base_seq = <u16> fuzz_below(&random, 400)
            feedback.reference = <i32> fuzz_below(&random, 1 << 24) - (1 << 23)
        bwe_feedback(b, &feedback, packets, now)
        bwe_tick(b, now)
        if _sound(b) < 0:
            verdict = FUZZ_BROKEN
    bwe_free(b)
    return verdict


# One step: what is done, with which argument.
cdef void _step(Bwe* b, u8 what, u32 argument, us_t* now, TwccPacket* packets) noexcept nogil:
    cdef TwccView view
    cdef u32 cluster = 0, size = 0, i
    cdef us_t again = 0
    what &= 15
    if what < 4:
        now[0] += argument & 0xFFFF
        bwe_send(b, argument >> 16, now[0], 0)
    elif what < 8:
        view.base_seq = <u16> (b.history.next - (argument & 0xFF))
        view.count = <u16> ((argument >> 8) & 0x3F)
        view.reference = <i32> (argument >> 14) - (1 << 17)
        for i in range(view.count):
            packets[i].received = (argument >> (i & 15)) & 1
            packets[i].arrival_us = <us_t> view.reference * 64000 + <us_t> ((argument >> 3) & 0x3FFF) * i
        bwe_feedback(b, &view, packets, now[0])
    elif what == 8:
        bwe_remb(b, <u64> argument << (argument & 31), now[0])
    elif what == 9:
        bwe_loss(b, <u8> argument, now[0])
    elif what == 10:
        bwe_rtt(b, <us_t> <i32> argument, now[0])
    elif what == 11:
        bwe_want(b, argument, <u64> argument << (argument & 15), now[0])
    elif what == 12:
        now[0] += argument
        bwe_tick(b, now[0])
    elif what == 13:
        now[0] += argument & 0xFFF
        bwe_tick(b, now[0])
    elif bwe_probe(b, now[0], &cluster, &size, &again):
        bwe_send(b, size, now[0], cluster)


cdef int _script(void* state, u8* data, size_t size, u64 random) noexcept nogil:
    cdef TwccPacket packets[64]
    cdef us_t now = 1000
    cdef size_t at = 0
    cdef Bwe* b
    cdef int verdict = OK
    if size % _SCRIPT_STEP or size == 0:
        return -1
    b = bwe_new(300000, now)
    if b is NULL:
        return E_NOMEM
    while at < size and verdict == OK:
        _step(b, data[at], <u32> get16(data + at + 1) << 16 | get16(data + at + 3), &now, packets)
        verdict = _sound(b)
        at += _SCRIPT_STEP
    bwe_free(b)
    return verdict


def fuzz(str target, u64 seed, u64 rounds, list corpus):
    """Run ``rounds`` mutated inputs through a target; return how many of them it accepted."""
    cdef FuzzTarget function
    if target == "bwe-feedback":
        function = _feedback
    elif target == "bwe-script":
        function = _script
    else:
        raise ValueError(f"no fuzz target {target!r}; there are {', '.join(FUZZ_TARGETS)}")
    return fuzz_run(function, NULL, target, seed, rounds, corpus)
