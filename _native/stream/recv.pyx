"""Reception statistics of one SSRC as RFC 3550 computes them; see recv.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.ticks cimport ticks_of
from simplestchat._native.core.types cimport US_PER_S, i32, i64, u8, u32, u64, us_t
from simplestchat._native.wire.rtcp cimport ReportBlock, SenderInfo

cdef enum:
    # A larger step of transit time is a new clock of the sender, not jitter (and would not fit 28 bits and 4 of fraction).
    MAX_STEP_S = 5
    MAX_STEP_TICKS = 0x7FFFFFF
    LOST_MAX = 0x7FFFFF          # cumulative loss is a signed 24-bit field
    LOST_MIN = -0x800000


cdef void recv_init(RecvStats* s, u32 ssrc, u32 clock_rate) noexcept nogil:
    memset(s, 0, sizeof(RecvStats))
    s.ssrc = ssrc
    s.clock_rate = clock_rate


cdef inline void _update_jitter(RecvStats* s, u32 timestamp, us_t now) noexcept nogil:
    # Appendix A.8: J += (|D| - J) / 16, with J kept times 16 and rounded.
    cdef i64 step = ticks_of(now - s.last_arrival_us, s.clock_rate) - <i32>(timestamp - s.last_timestamp)
    cdef i64 most = <i64>s.clock_rate * MAX_STEP_S
    if step < 0:
        step = -step
    if step <= most and step <= MAX_STEP_TICKS:
        s.jitter_q4 += <u32>step - ((s.jitter_q4 + 8) >> 4)


cdef u64 recv_packet(RecvStats* s, u64 index, u32 timestamp, u32 payload_size, us_t now) noexcept nogil:
    cdef u64 more = 0
    if not s.begun:
        s.begun = 1
        s.base_index = index
        s.highest_index = index
        more = 1
    else:
        _update_jitter(s, timestamp, now)
        if index > s.highest_index:
            more = index - s.highest_index
            s.highest_index = index
        elif index < s.base_index:
            more = s.base_index - index
            s.base_index = index
    s.last_timestamp = timestamp
    s.last_arrival_us = now
    s.packets += 1
    s.octets += payload_size
    return more


cdef void recv_sender_report(RecvStats* s, const SenderInfo* sr, us_t now) noexcept nogil:
    s.sr = sr[0]
    # 0 means "none came", so an arrival at the clock's origin counts as one microsecond later.
    s.sr_arrival_us = now if now != 0 else 1


cdef inline u8 _fraction_lost(u64 expected, u64 received) noexcept nogil:
    if expected == 0 or received >= expected:
        return 0
    # 255 stands for "all", because 256 does not fit.
    return <u8>(255 if received == 0 else ((expected - received) << 8) // expected)


cdef void recv_report(RecvStats* s, ReportBlock* out, us_t now) noexcept nogil:
    cdef u64 expected
    cdef i64 lost
    memset(out, 0, sizeof(ReportBlock))
    out.ssrc = s.ssrc
    if s.begun:
        expected = s.highest_index - s.base_index + 1
        lost = recv_lost(s)
        out.cumulative_lost = <i32>max(<i64>LOST_MIN, min(<i64>LOST_MAX, lost))
        out.fraction_lost = _fraction_lost(expected - s.expected_prior, s.packets - s.received_prior)
        out.highest_seq = <u32>s.highest_index
        out.jitter = s.jitter_q4 >> 4
        s.expected_prior = expected
        s.received_prior = s.packets
    if s.sr_arrival_us:
        out.lsr = <u32>(s.sr.ntp >> 16)
        out.dlsr = <u32>ticks_of(max(<us_t>0, now - s.sr_arrival_us), 65536)
