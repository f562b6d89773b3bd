"""Counters, sender reports and round-trip time of one SSRC that we send; see send.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.ticks cimport ticks_of
from simplestchat._native.core.types cimport US_PER_S, i32, i64, u32, u64, us_t
from simplestchat._native.wire.rtcp cimport ReportBlock, SenderInfo

cdef enum:
    FIRST_INDEX_MASK = 0x7FFF
    NTP_SHORT_PER_S = 65536          # the middle 32 bits of an NTP time count 1/65536 s
    MAX_RTT_SHORT = 10 * 65536       # a longer round trip is a report about something that we never sent


cdef void send_init(SendStats* s, u32 ssrc, u32 clock_rate, u64 first_index) noexcept nogil:
    memset(s, 0, sizeof(SendStats))
    s.ssrc = ssrc
    s.clock_rate = clock_rate
    s.next_index = first_index & FIRST_INDEX_MASK


cdef void send_sender_report(const SendStats* s, const SenderInfo* source, us_t arrival, u32 timestamp_offset, us_t now, SenderInfo* out) noexcept nogil:
    cdef us_t elapsed = now - arrival
    out.ssrc = s.ssrc
    out.ntp = ntp_add(source.ntp, elapsed)
    out.rtp_timestamp = source.rtp_timestamp - timestamp_offset + <u32>ticks_of(elapsed, s.clock_rate)
    out.packets = <u32>s.packets
    out.octets = <u32>s.octets


cdef inline u64 _more_lost(SendStats* s, i32 reported) noexcept nogil:
    """What comes late makes the number shrink: such a report counts nothing, nor does the way back up."""
    cdef i32 before = s.most_lost
    cdef i64 believed = min(<i64>reported, <i64>min(s.packets, <u64>0x7FFFFF))
    if believed <= before:
        return 0
    s.most_lost = <i32>believed
    return <u64>(believed - before)


cdef u64 send_receiver_report(SendStats* s, const ReportBlock* block, u64 ntp_now, us_t now) noexcept nogil:
    cdef i32 rtt
    cdef u64 more = _more_lost(s, block.cumulative_lost)
    s.fraction_lost = block.fraction_lost
    s.cumulative_lost = block.cumulative_lost
    s.reported_jitter = block.jitter
    s.last_report_us = now
    if block.lsr == 0:
        return more
    rtt = <i32>(<u32>(ntp_now >> 16) - block.lsr - block.dlsr)
    # Rounding on both sides can make a short round trip look negative: less than two units is the shortest there is.
    if -2 < rtt <= MAX_RTT_SHORT:
        s.rtt_us = max(<i64>1, <i64>rtt * US_PER_S // NTP_SHORT_PER_S)
    return more


cdef u64 ntp_add(u64 ntp, us_t elapsed) noexcept nogil:
    cdef i64 seconds = elapsed // US_PER_S
    cdef i64 rest = elapsed % US_PER_S
    if rest < 0:
        rest += US_PER_S
        seconds -= 1
    return ntp + (<u64>seconds << 32) + ((<u64>rest << 32) // US_PER_S)
