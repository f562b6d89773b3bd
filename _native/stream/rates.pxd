# How many bits a second the layers of a received stream take: what the allocation of a receiver's bandwidth reckons with.
#
# Bytes are counted in eight buckets of 131 ms, so the rate is that of the last second. To that comes a slow average (two seconds): what is
# told is the last second's rate, but at least the average, so that a still scene does not look as if a higher layer would fit, and at
# most a quarter more, so that a keyframe does not look as if the layer had grown. A layer that began lately has no average
# and is told as it is; one that was silent for a second has no rate.
from simplestchat._native.core.types cimport u8, u32, us_t

cdef enum:
    RATES_LAYERS = 4             # spatial and temporal; higher ones count as the highest
    RATES_BUCKETS = 8
    RATES_BUCKET_SHIFT = 17      # a bucket is 2**17 us

cdef struct LayerRates:
    us_t bucket                  # the current one: time >> RATES_BUCKET_SHIFT
    us_t since[RATES_LAYERS]     # when the spatial layer began, after silence
    u8 alive                     # spatial layers that sent something in the last second, a bit each
    # Bytes, first those of frames that the spatial layers above need as well, then those of frames that they do not.
    u32 bytes[RATES_BUCKETS][2][RATES_LAYERS][RATES_LAYERS]
    u32 sums[2][RATES_LAYERS][RATES_LAYERS]      # of all buckets
    u32 slow[2][RATES_LAYERS][RATES_LAYERS]      # average, bit/s

cdef void rates_init(LayerRates* r) noexcept nogil
# A packet arrived. `alone`: the spatial layers above do not need it (FrameFacts.unused_above).
cdef void rates_packet(LayerRates* r, u8 spatial, u8 temporal, bint alone, u32 size, us_t now) noexcept nogil
# Bit/s of all that must be sent for (spatial, temporal); 0 for a spatial layer that is silent.
cdef void rates_read(LayerRates* r, us_t now, u32[RATES_LAYERS][RATES_LAYERS] out) noexcept nogil
