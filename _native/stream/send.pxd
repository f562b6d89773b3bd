# State of one SSRC that we send: the allocator of packet indices, counters, sender reports, and what receivers report back.
from simplestchat._native.core.types cimport i32, u8, u32, u64, us_t
from simplestchat._native.wire.rtcp cimport ReportBlock, SenderInfo

cdef struct SendStats:
    u32 ssrc
    u32 clock_rate
    u64 next_index           # 48-bit index for the next packet; only grows (see crypto/srtp)
    u64 packets
    u64 octets
    u64 resent               # retransmissions
    u8 fraction_lost         # as last reported
    i32 cumulative_lost
    i32 most_lost            # the highest cumulative_lost that was counted
    u32 reported_jitter
    us_t rtt_us              # 0 until known
    us_t last_report_us

# first_index must be below 2**15 (docs/security.md row 27: a receiver that misses the start must not guess a wrong rollover).
cdef void send_init(SendStats* s, u32 ssrc, u32 clock_rate, u64 first_index) noexcept nogil
# The next unused index; nobody else hands them out.
cdef inline u64 send_allocate(SendStats* s) noexcept nogil:
    s.next_index += 1
    return s.next_index - 1
cdef inline void send_packet(SendStats* s, u32 payload_size) noexcept nogil:
    s.packets += 1
    s.octets += payload_size
# A sender report on the publisher's own clock, so that audio and video of one publisher stay in step: `source` is the
# publisher's last SR, `arrival` when it came, `timestamp_offset` what was subtracted from source timestamps.
cdef void send_sender_report(const SendStats* s, const SenderInfo* source, us_t arrival, u32 timestamp_offset, us_t now, SenderInfo* out) noexcept nogil
# A report block about this stream. `ntp_now` is the 64-bit NTP time, on the clock that our SRs used, of this moment. How many
# more packets it says were lost than any report before: never more than were sent.
cdef u64 send_receiver_report(SendStats* s, const ReportBlock* block, u64 ntp_now, us_t now) noexcept nogil
# NTP fixed point of a clock that read `ntp` at `at`, `now`.
cdef u64 ntp_add(u64 ntp, us_t elapsed) noexcept nogil
