"""Bytes over the last half second; see rate.pxd for the contract."""

from simplestchat._native.core.types cimport US_PER_S, i64, u32, u64, us_t

cdef enum:
    LEAST_US = 50000


cdef u64 rate_bps(const Rate* r, u32 buckets, us_t now) noexcept nogil:
    cdef i64 last = now >> RATE_SHIFT
    cdef i64 bucket = last - buckets
    cdef us_t since = bucket * (1 << RATE_SHIFT)
    cdef u64 total = 0
    if not r.begun:
        return 0
    if bucket < r.newest - RATE_BUCKETS + 1:
        bucket = r.newest - RATE_BUCKETS + 1
    while bucket <= last and bucket <= r.newest:
        total += r.buckets[bucket & (RATE_BUCKETS - 1)]
        bucket += 1
    if since < r.first_us:
        since = r.first_us
    if now - since < LEAST_US:
        return 0
    return total * 8 * US_PER_S // <u64> (now - since)
