# What one consumer sent lately: enough to answer a NACK with the same bytes (over RTX, or sealed again identically).
#
# The ring grows while it would forget what is younger than SENT_KEEP_US, up to its cap: a consumer of a slow stream holds little, one
# that was sent nothing holds nothing.
from simplestchat._native.core.types cimport u8, u16, u32, u64, us_t

cdef enum:
    SENT_MAX_RESENDS = 10
    SENT_MIN_GAP_US = 20000
    SENT_KEEP_US = 2000000       # a receiver asks for a second at most

cdef enum SentFlag:
    SENT_USED = 1
    SENT_MARKER = 2          # it ends a picture
    SENT_REWRITTEN = 4       # its picture ids are not the publisher's
    SENT_TARGETS = 8
    SENT_WAITING = 16        # for its turn: it has not left yet
    SENT_NUMBERED = 32       # with a transport-wide number

cdef struct SentPacket:
    u64 out_index
    u64 source_index         # in the packet cache of stream `stream`
    u32 timestamp            # outgoing
    u32 sent_us              # modulo 2**32, as is resent_us
    u32 resent_us            # last time, when resends > 0
    u32 targets              # active decode targets that its dependency descriptor names, when SENT_TARGETS
    u16 picture_id           # written into its descriptor, like the next two, when SENT_REWRITTEN
    u16 wide                 # its transport-wide number
    u8 tl0picidx
    u8 keyidx
    u8 stream                # which of the producer's streams
    u8 padding               # bytes of RTP padding that it left with
    u8 resends
    u8 flags

cdef struct SentRing:
    SentPacket* slots        # NULL before the first packet
    u32 mask
    u32 cap                  # slots at most

cdef void sent_init(SentRing* ring, u32 cap) noexcept nogil      # rounded up to a power of two
cdef void sent_free(SentRing* ring) noexcept nogil
# Keeps a packet whose fields are filled in. How many bytes the ring has grown by for it, mostly 0. Without memory the packet is not remembered, or an older one is forgotten.
cdef u32 sent_keep(SentRing* ring, const SentPacket* sent) noexcept nogil
# Are the places taken, by half, by packets that have not left yet? Soon one of them would be forgotten, here or in the cache.
cdef inline bint sent_crowded(const SentRing* ring, u64 out_index) noexcept nogil:
    return (ring.slots != NULL and ring.mask + 1 >= ring.cap
            and ring.slots[(out_index - ring.cap // 2) & ring.mask].flags & SENT_WAITING)
# The same from a packet's numbers alone.
cdef u32 sent_put(SentRing* ring, u64 out_index, u8 stream, u64 source_index, u32 timestamp, u8 padding, us_t now) noexcept nogil
# By the 16-bit sequence of a NACK, given the next unused out index. NULL when it is no longer known.
cdef SentPacket* sent_find(SentRing* ring, u16 sequence, u64 next_out) noexcept nogil
# May this packet be resent now? Counts the resend when yes: at most SENT_MAX_RESENDS, not within max(SENT_MIN_GAP_US, 7/8 rtt).
cdef bint sent_may_resend(SentPacket* packet, us_t now, us_t rtt) noexcept nogil
cdef u64 sent_bytes(const SentRing* ring) noexcept nogil         # of memory
