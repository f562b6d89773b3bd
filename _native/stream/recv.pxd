# Reception statistics of one SSRC (RFC 3550 section 6.4.1, appendices A.3 and A.8).
from simplestchat._native.core.types cimport u8, u32, u64, us_t
from simplestchat._native.wire.rtcp cimport ReportBlock, SenderInfo

cdef struct RecvStats:
    u32 ssrc
    u32 clock_rate
    u8 begun
    u64 base_index
    u64 highest_index
    u64 packets
    u64 octets               # of RTP payload
    u64 expected_prior       # as of the last report
    u64 received_prior
    u32 last_timestamp
    us_t last_arrival_us
    u32 jitter_q4            # in timestamp units, times 16
    SenderInfo sr            # the last sender report
    us_t sr_arrival_us       # 0 when none came

cdef void recv_init(RecvStats* s, u32 ssrc, u32 clock_rate) noexcept nogil
# By how many packets this one makes the expected number grow: 0 for one that fills a gap.
cdef u64 recv_packet(RecvStats* s, u64 index, u32 timestamp, u32 payload_size, us_t now) noexcept nogil
cdef void recv_sender_report(RecvStats* s, const SenderInfo* sr, us_t now) noexcept nogil
# Fills a report block and begins the next interval.
cdef void recv_report(RecvStats* s, ReportBlock* out, us_t now) noexcept nogil
# Packets expected minus received since the start (may be negative with duplicates).
cdef inline long long recv_lost(const RecvStats* s) noexcept nogil:
    return <long long>(s.highest_index - s.base_index + 1) - <long long>s.packets if s.begun else 0
