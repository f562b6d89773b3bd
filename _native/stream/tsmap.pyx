"""Source RTP timestamps to outgoing timestamps; see tsmap.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.ticks cimport ticks_of
from simplestchat._native.core.types cimport i32, i64, u32, us_t


cdef void tsmap_init(TsMap* m, u32 clock_rate) noexcept nogil:
    memset(m, 0, sizeof(TsMap))
    m.clock_rate = clock_rate


cdef void tsmap_switch(TsMap* m, u32 timestamp, us_t now) noexcept nogil:
    if m.begun:
        # At least one tick on: two frames never share a timestamp.
        m.last_out += <u32>max(<i64>1, ticks_of(now - m.last_us, m.clock_rate))
        m.offset = timestamp - m.last_out
    else:
        m.begun = 1
        m.offset = 0
        m.last_out = timestamp
    m.last_us = now


cdef u32 tsmap_forward(TsMap* m, u32 timestamp, us_t now) noexcept nogil:
    cdef u32 out
    if not m.begun:
        tsmap_switch(m, timestamp, now)
    out = timestamp - m.offset
    if <i32>(out - m.last_out) > 0:
        m.last_out = out
        m.last_us = now
    return out
