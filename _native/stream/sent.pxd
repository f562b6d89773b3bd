# What one consumer sent lately: enough to answer a NACK with the same bytes (over RTX, or sealed again identically).
from simplestchat._native.core.types cimport u8, u16, u32, u64, us_t

cdef enum:
    SENT_MAX_RESENDS = 10
    SENT_MIN_GAP_US = 20000

cdef struct SentPacket:
    u64 out_index
    u64 source_index         # in the packet cache of stream `stream`
    us_t resent_us           # last time, 0 never
    u32 timestamp            # outgoing
    u8 stream                # which of the producer's streams
    u8 padding               # bytes of RTP padding that it left with
    u8 resends
    u8 used

cdef struct SentRing:
    SentPacket* slots
    u32 mask

cdef int sent_init(SentRing* ring, u32 slots) noexcept nogil     # rounded up to a power of two; OK or E_NOMEM
cdef void sent_free(SentRing* ring) noexcept nogil
cdef void sent_put(SentRing* ring, u64 out_index, u8 stream, u64 source_index, u32 timestamp, u8 padding) noexcept nogil
# By the 16-bit sequence of a NACK, given the next unused out index. NULL when it is no longer known.
cdef SentPacket* sent_find(SentRing* ring, u16 sequence, u64 next_out) noexcept nogil
# May this packet be resent now? Counts the resend when yes: at most SENT_MAX_RESENDS, not within max(SENT_MIN_GAP_US, 7/8 rtt).
cdef bint sent_may_resend(SentPacket* packet, us_t now, us_t rtt) noexcept nogil
