"""Sizes of packets that leave together; see train.pxd."""

from simplestchat._native.core.types cimport u32, u8
from simplestchat._native.engine.entities cimport Ready
from simplestchat._native.stream.cache cimport CachedPacket

cdef enum:
    LEVEL_SHARE = 32               # of the longest packet
    LEVEL_MOST = 255               # RTP counts padding in a byte


cdef inline bint _alike(const Ready* a, const Ready* b) noexcept nogil:
    """May these two leave in one train? Header extensions differ in what a header takes."""
    return (b.packet != NULL and b.stream == a.stream and b.packet.payload_size > 0
            and (b.packet.level_off != 0) == (a.packet.level_off != 0)
            and (b.packet.orientation_off != 0) == (a.packet.orientation_off != 0))


cdef u32 _run(const Ready* ready, u32 first, u32 count, u32* longest) noexcept nogil:
    """The end of the packets from `first` on that may be made equally long, and how long they get."""
    cdef u32 end = first + 1
    cdef u32 shortest = ready[first].packet.payload_size
    cdef u32 size
    longest[0] = shortest
    while end < count and _alike(&ready[first], &ready[end]):
        size = ready[end].packet.payload_size
        if max(longest[0], size) - min(shortest, size) > min(max(longest[0], size) // LEVEL_SHARE, <u32>LEVEL_MOST):
            break
        longest[0] = max(longest[0], size)
        shortest = min(shortest, size)
        end += 1
    return end


cdef void train_level(Ready* ready, u32 count) noexcept nogil:
    cdef u32 first = 0
    cdef u32 end
    cdef u32 grown
    cdef u32 longest
    while first < count:
        if ready[first].packet == NULL or ready[first].packet.payload_size == 0:
            first += 1
            continue
        end = _run(ready, first, count, &longest)
        grown = end - 1
        if end < count and _alike(&ready[first], &ready[end]) and ready[end].packet.payload_size < longest:
            grown = end                    # the next one is the shorter last one
            end += 1
        while first < grown:
            ready[first].padding = <u8>(longest - ready[first].packet.payload_size)
            first += 1
        first = end
