# The choices that one want has, as a ladder from little to much: (spatial, temporal) pairs that are alive and cost less than all better ones.
#
# A picture is rather smaller than jerky: with three temporal layers and more, a spatial layer above the lowest is worth having from
# half the frame rate on. Pictures that hardly move (Want.still) are rather sharp.
from simplestchat._native.cc.allocator cimport ALLOC_LAYERS, Want
from simplestchat._native.core.types cimport i8, u8, u32

cdef enum:
    LADDER_NONE = -1

# The highest layers that are wanted and that the source has; below 0: none.
cdef inline int ladder_spatial(const Want* w) noexcept nogil:
    if w.max_spatial < 0 or w.max_temporal < 0:
        return LADDER_NONE
    return min(<int>w.max_spatial, <int>min(w.spatial_count, <u8>ALLOC_LAYERS) - 1)

cdef inline int ladder_temporal(const Want* w) noexcept nogil:
    return min(<int>w.max_temporal, <int>min(w.temporal_count, <u8>ALLOC_LAYERS) - 1)

# What a rung costs, -1 included.
cdef inline u32 ladder_price(const Want* w, int rung) noexcept nogil:
    return w.prices[rung + 1]

# A pair of layers as one number, the greater the better; LADDER_NONE without a picture.
cdef inline int ladder_number(i8 spatial, i8 temporal) noexcept nogil:
    return <int>spatial * ALLOC_LAYERS + temporal if spatial >= 0 and temporal >= 0 else <int>LADDER_NONE

# Lays out rungs and prices, and finds where on them the number `kept` is (or what is next below). `asleep`: layers that sleep count, too.
cdef void ladder_build(Want* w, int kept, bint asleep) noexcept nogil
# Is there a layer that it wants and that could be woken?
cdef bint ladder_sleeps(const Want* w) noexcept nogil
