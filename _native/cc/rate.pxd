# Bytes over the last half second, in buckets of a 30th of a second: what is sent, what arrives.
from simplestchat._native.core.types cimport i64, u32, u64, us_t

cdef enum:
    RATE_SHIFT = 15              # a bucket is 32.768 ms
    RATE_BUCKETS = 16
    RATE_SHORT = 6               # buckets: 197 ms, for what changes fast
    RATE_LONG = 15               # 492 ms

cdef struct Rate:
    us_t first_us                # of the first bytes since it was empty
    i64 newest                   # number of the newest bucket
    u32 buckets[RATE_BUCKETS]
    bint begun

cdef inline void rate_add(Rate* r, u32 size, us_t at) noexcept nogil:
    cdef i64 bucket = at >> RATE_SHIFT
    cdef i64 clear
    if not r.begun:
        r.begun = True
        r.first_us = at
        r.newest = bucket
    if bucket > r.newest:
        clear = r.newest + 1 if bucket - r.newest <= RATE_BUCKETS else bucket - RATE_BUCKETS + 1
        while clear <= bucket:
            r.buckets[clear & (RATE_BUCKETS - 1)] = 0
            clear += 1
        r.newest = bucket
    elif r.newest - bucket >= RATE_BUCKETS:
        return                   # too old to count
    r.buckets[bucket & (RATE_BUCKETS - 1)] += size

# Bits a second over `buckets` whole buckets and what there is of the one that `now` is in. 0 before there is a 20th of a second.
cdef u64 rate_bps(const Rate* r, u32 buckets, us_t now) noexcept nogil
