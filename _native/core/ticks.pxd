# Microseconds to the ticks of an RTP clock, without overflow for any span that a process lives through.
from simplestchat._native.core.types cimport US_PER_S, i64, u32, us_t

# Rounded down, towards the past.
cdef inline i64 ticks_of(us_t span, u32 clock_rate) noexcept nogil:
    cdef i64 seconds = span // US_PER_S
    cdef i64 rest = span % US_PER_S
    if rest < 0:
        rest += US_PER_S
        seconds -= 1
    return seconds * clock_rate + rest * clock_rate // US_PER_S
