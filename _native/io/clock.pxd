# The clocks of this machine, in nanoseconds: reading them, and waiting for a moment.
from simplestchat._native.core.types cimport i64
from simplestchat._native.io.system cimport CLOCK_MONOTONIC, EINTR, clock_gettime, clockid_t, timespec

cdef extern from "<time.h>" nogil:
    int CLOCK_THREAD_CPUTIME_ID, TIMER_ABSTIME
    int clock_nanosleep(clockid_t clock, int flags, const timespec* until, timespec* left)

cdef enum:
    NS_PER_S = 1000000000
    NS_PER_US = 1000

cdef inline i64 clock_ns(clockid_t clock) noexcept nogil:
    cdef timespec now
    clock_gettime(clock, &now)
    return <i64>now.tv_sec * NS_PER_S + now.tv_nsec
# What the calling thread has had of the processor.
cdef inline i64 cpu_ns() noexcept nogil:
    return clock_ns(CLOCK_THREAD_CPUTIME_ID)
# Sleeps until the monotonic clock shows that moment, which may be over.
cdef inline void sleep_until_ns(i64 moment) noexcept nogil:
    cdef timespec until
    until.tv_sec = moment // NS_PER_S
    until.tv_nsec = moment % NS_PER_S
    while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR:
        pass
