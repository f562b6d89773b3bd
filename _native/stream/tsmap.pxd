# Source RTP timestamps to outgoing timestamps: out = in - offset; across a switch the output goes on by the time that passed.
from simplestchat._native.core.types cimport u8, u32, us_t

cdef struct TsMap:
    u32 offset
    u32 clock_rate
    u32 last_out             # highest given
    us_t last_us             # when it was given
    u8 begun

cdef void tsmap_init(TsMap* m, u32 clock_rate) noexcept nogil
# Called for the first packet after a switch (and for the first of all, which passes unchanged).
cdef void tsmap_switch(TsMap* m, u32 timestamp, us_t now) noexcept nogil
cdef u32 tsmap_forward(TsMap* m, u32 timestamp, us_t now) noexcept nogil
