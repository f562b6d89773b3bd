# Spans of time counted in fixed buckets from 50 us to 100 ms: what a Prometheus histogram wants, at a few nanoseconds an entry.
from simplestchat._native.core.types cimport u64, us_t

cdef enum:
    SPAN_BOUNDS = 20

cdef struct SpanCounts:
    u64 sum_us
    u64 counts[SPAN_BOUNDS + 1]    # of spans up to each bound; the last counts those over the last bound

# A negative span (a clock that was set back) counts as 0.
cdef void spans_add(SpanCounts* c, us_t span) noexcept nogil
# (the bounds in us, the counts, their sum in us) for Python.
cdef tuple spans_take(const SpanCounts* c)
