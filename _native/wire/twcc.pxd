# Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1, RTPFB format 15).
#
# Both directions work on one flat array: entry i tells about packet base_seq + i. Arrival times are on the receiver's clock; the
# format keeps 250 us ticks, and the reference time wraps after 2**24 * 64 ms (12.4 days), which is the caller's to unwrap.
from simplestchat._native.core.types cimport i32, u8, u16, u32, us_t
from simplestchat._native.wire.rtcp cimport RtcpView

cdef enum:
    TWCC_TICK_US = 250
    TWCC_REFERENCE_US = 64000
    TWCC_MAX_PACKETS = 1024      # entries that one feedback may tell about; browsers stay far below

cdef struct TwccPacket:
    us_t arrival_us              # undefined when not received
    u8 received

cdef struct TwccView:
    u16 base_seq
    u16 count                    # entries written
    u8 feedback_count            # counts feedbacks, wraps
    i32 reference                # units of TWCC_REFERENCE_US, signed

# OK and out.count entries in packets. A feedback about more than TWCC_MAX_PACKETS is E_UNSUPPORTED, about more than cap E_LIMIT.
cdef int twcc_read(const u8* data, const RtcpView* view, TwccView* out, TwccPacket* packets, size_t cap) noexcept nogil
# One feedback about `count` packets from base_seq on. Bytes written, E_SPACE, or E_LIMIT when there is no received packet,
# count passes TWCC_MAX_PACKETS, or two arrivals are further apart than the format can say (8.19 s): split the array there.
cdef int twcc_write(u8* out, size_t cap, u32 sender, u32 media, u8 feedback_count, u16 base_seq,
                    const TwccPacket* packets, size_t count) noexcept nogil
