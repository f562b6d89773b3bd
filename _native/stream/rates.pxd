# STUB
from simplestchat._native.core.types cimport u8, u32, us_t
cdef struct LayerRates:
    us_t since_us
    u32 bytes[4][4]
    u32 last[4][4]
cdef void rates_init(LayerRates* r) noexcept nogil
cdef void rates_packet(LayerRates* r, u8 spatial, u8 temporal, u32 bytes, us_t now) noexcept nogil
cdef void rates_read(LayerRates* r, us_t now, u32[4][4] out) noexcept nogil
