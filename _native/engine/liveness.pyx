"""Which encodings are being sent; see liveness.pxd for the rules."""

from simplestchat._native.core.types cimport u8, us_t
from simplestchat._native.engine.entities cimport Producer, Stream


cdef void liveness_packet(Producer* p, u8 stream, bint last, us_t now) noexcept nogil:
    cdef Stream* st = &p.streams[stream]
    cdef int i
    st.begun = 1
    st.arrived_us = now
    st.outrun = 0
    if not last:
        return
    for i in range(p.stream_count):
        if i != stream and p.streams[i].outrun < 255:
            p.streams[i].outrun += 1


cdef bint liveness_of(const Producer* p, const Stream* st, us_t now) noexcept nogil:
    cdef us_t silent = now - st.arrived_us
    if not st.begun:
        return False
    if p.stream_count == 1:
        return silent < ALONE_US
    return silent < ALIVE_US or (silent < STILL_US and st.outrun < OUTRUN_FRAMES * p.stream_count)


cdef u8 liveness_mask(const Producer* p, us_t now) noexcept nogil:
    cdef u8 mask = 0
    cdef int i
    for i in range(p.stream_count):
        mask |= <u8>(liveness_of(p, &p.streams[i], now) << i)
    return mask
