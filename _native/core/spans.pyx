"""Spans of time in fixed buckets; see spans.pxd."""

from simplestchat._native.core.types cimport us_t

# Each one and a quarter to two times the one before: that close is a percentile which is read off them.
cdef us_t[SPAN_BOUNDS] BOUNDS_US = [
    50, 75, 100, 150, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 5000, 7500, 10000, 15000, 20000, 30000, 50000, 100000,
]


cdef void spans_add(SpanCounts* c, us_t span) noexcept nogil:
    cdef int at = 0
    if span < 0:
        span = 0
    while at < SPAN_BOUNDS and span > BOUNDS_US[at]:
        at += 1
    c.counts[at] += 1
    c.sum_us += span


cdef tuple spans_take(const SpanCounts* c):
    return [BOUNDS_US[i] for i in range(SPAN_BOUNDS)], [c.counts[i] for i in range(SPAN_BOUNDS + 1)], c.sum_us
