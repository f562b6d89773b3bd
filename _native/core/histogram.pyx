"""Log-linear histograms for nogil code; see histogram.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.types cimport u32, u64, us_t

cdef enum:
    EXACT = 64               # values below have a bucket of their own
    SUB_BITS = 5             # 32 buckets to a power of two
    COUNT_MAX = 0xFFFFFFFF

cdef extern from *:
    int __builtin_clzll(unsigned long long value) noexcept nogil


cdef void histogram_clear(Histogram* h) noexcept nogil:
    memset(h, 0, sizeof(Histogram))


cdef int histogram_bucket(u64 value) noexcept nogil:
    cdef int shift
    cdef u64 bucket
    if value < EXACT:
        return <int> value
    shift = 64 - __builtin_clzll(value) - SUB_BITS - 1
    bucket = (<u64> shift << SUB_BITS) + (value >> shift)
    return <int> bucket if bucket < HISTOGRAM_BUCKETS else HISTOGRAM_BUCKETS - 1


cdef inline void _extend(Histogram* h, u64 count, u64 total, u64 minimum, u64 maximum) noexcept nogil:
    if h.count == 0 or minimum < h.minimum:
        h.minimum = minimum
    if h.count == 0 or maximum > h.maximum:
        h.maximum = maximum
    h.count += count
    h.sum += total


cdef void histogram_add(Histogram* h, us_t value) noexcept nogil:
    cdef u64 span = <u64> value if value > 0 else 0
    cdef int bucket = histogram_bucket(span)
    _extend(h, 1, span, span, span)
    if h.buckets[bucket] != <u32> COUNT_MAX:
        h.buckets[bucket] += 1


cdef void histogram_merge(Histogram* h, const Histogram* from_) noexcept nogil:
    cdef int i
    cdef u64 together
    if from_.count == 0:
        return
    _extend(h, from_.count, from_.sum, from_.minimum, from_.maximum)
    for i in range(HISTOGRAM_BUCKETS):
        together = <u64> h.buckets[i] + from_.buckets[i]
        h.buckets[i] = <u32> together if together < <u64> COUNT_MAX else <u32> COUNT_MAX


cdef tuple histogram_take(Histogram* h):
    cdef int i
    cdef dict buckets = {}
    for i in range(HISTOGRAM_BUCKETS):
        if h.buckets[i]:
            buckets[i] = h.buckets[i]
    taken = (h.count, h.sum, h.minimum if h.count else 0, h.maximum if h.count else 0, buckets)
    histogram_clear(h)
    return taken
