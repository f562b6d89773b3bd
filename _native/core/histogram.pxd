# A histogram of spans in microseconds with bounded relative error, that adds up: log-linear buckets as HdrHistogram's (Tene).
#
# A value below 64 has a bucket of its own. Above, each power of two is cut into 32 buckets, so a bucket is at most 1/32 of its lower
# bound wide. bucket(v) = v for v < 64, else with e = bit_length(v) - 6: 32 * e + (v >> e). Values over the last bucket are
# counted in it; the true minimum, maximum and sum are kept beside.
from simplestchat._native.core.types cimport u32, u64, us_t

cdef enum:
    HISTOGRAM_BUCKETS = 1024       # the last one begins at 63 * 2**30 us, 18 hours

cdef struct Histogram:
    u64 count
    u64 sum
    u64 minimum                    # of what was added; undefined while count is 0
    u64 maximum
    u32 buckets[HISTOGRAM_BUCKETS]

cdef void histogram_clear(Histogram* h) noexcept nogil
# A negative span (two clocks that disagree by a little) counts as 0.
cdef void histogram_add(Histogram* h, us_t value) noexcept nogil
cdef int histogram_bucket(u64 value) noexcept nogil
# Adds `from_` to `h`; buckets stop at their largest number instead of beginning anew.
cdef void histogram_merge(Histogram* h, const Histogram* from_) noexcept nogil
# (count, sum, min, max, {bucket: count}) for Python, as simplestchat/load/histogram.py merges it (min and max are 0 while there is
# nothing); the histogram begins anew.
cdef tuple histogram_take(Histogram* h)
