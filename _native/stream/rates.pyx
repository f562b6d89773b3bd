"""STUB"""
from libc.string cimport memset, memcpy
from simplestchat._native.core.types cimport u8, u32, us_t
cdef void rates_init(LayerRates* r) noexcept nogil:
    memset(r, 0, sizeof(LayerRates))
cdef void rates_packet(LayerRates* r, u8 spatial, u8 temporal, u32 bytes, us_t now) noexcept nogil:
    cdef int i, k
    if now - r.since_us >= 1000000:
        for i in range(4):
            for k in range(4):
                r.last[i][k] = <u32>(r.bytes[i][k] * 8000000ULL // <unsigned long long>(now - r.since_us))
        memset(r.bytes, 0, sizeof(r.bytes))
        r.since_us = now
    for i in range(spatial, 4):
        for k in range(temporal, 4):
            r.bytes[i][k] += bytes
cdef void rates_read(LayerRates* r, us_t now, u32[4][4] out) noexcept nogil:
    memcpy(&out[0][0], r.last, sizeof(r.last))
