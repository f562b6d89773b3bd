# Packets that a full socket did not take: they wait, in order, and everything later waits behind them.
#
# Rules: what is held is bounded. Room is made by leaving out whole frames of video, the oldest first; what still comes of such a
# frame is left out too. When no video is held, video that comes is refused; only audio and what keeps connections alive displaces
# its own kind, the oldest first. Every packet left out is counted, and every frame.
from simplestchat._native.core.types cimport u32, u64, u8
from simplestchat._native.engine.entities cimport Counters, OutPacket

cdef enum:
    BACKLOG_PACKETS = 4096
    BACKLOG_BYTES = 4194304
    BACKLOG_FRAMES = 4096          # places to remember frames that were left out; a power of two

# One frame of one subscriber's copy of a stream.
cdef struct Frame:
    u32 ssrc
    u32 timestamp
    u64 to                         # the destination's port and the end of its address

cdef struct Backlog:
    u8* arena
    OutPacket* packets             # first .. count wait; one of size 0 is left out
    u32 first
    u32 count
    u32 used                       # bytes of the arena, those that are sent or left out among them
    u32 held                       # bytes that wait
    u32 waiting                    # packets that wait
    u32 socket                     # the full one
    Frame frames[BACKLOG_FRAMES]   # by their hash: one that displaces another lets the rest of that through

cdef void backlog_init(Backlog* b) noexcept nogil
cdef void backlog_free(Backlog* b) noexcept nogil
cdef inline bint backlog_waits(const Backlog* b) noexcept nogil:
    return b.waiting > 0
# One more packet, behind all others.
cdef void backlog_push(Backlog* b, const OutPacket* packet, const u8* data, Counters* counters) noexcept nogil
# The packets before `first` are sent.
cdef void backlog_sent(Backlog* b, u32 first) noexcept nogil
