"""The slope of the delay; see trendline.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.types cimport i32, u32, us_t

cdef double _LEAST_SPREAD = 1e-6     # of groups that all came at once there is no slope


cdef void trendline_reset(Trendline* t) noexcept nogil:
    memset(t, 0, sizeof(Trendline))


# Sums over the window, made anew once a round so that no error adds up. Times relative to `base` keep them small.
cdef void _sum(Trendline* t) noexcept nogil:
    cdef double x
    cdef int i
    t.base = t.times[t.at]
    t.sum_x = t.sum_y = t.sum_xx = t.sum_xy = 0
    for i in range(TREND_GROUPS):
        x = <i32> (t.times[i] - t.base) * 0.001
        t.sum_x += x
        t.sum_y += t.delays[i]
        t.sum_xx += x * x
        t.sum_xy += x * t.delays[i]


# One place of the window comes into the sums, or leaves them.
cdef inline void _count(Trendline* t, int at, double sign) noexcept nogil:
    cdef double x = <i32> (t.times[at] - t.base) * 0.001
    t.sum_x += sign * x
    t.sum_y += sign * t.delays[at]
    t.sum_xx += sign * x * x
    t.sum_xy += sign * x * t.delays[at]


cdef void _fit(Trendline* t) noexcept nogil:
    cdef double spread = TREND_GROUPS * t.sum_xx - t.sum_x * t.sum_x
    if spread > _LEAST_SPREAD:
        t.slope = (TREND_GROUPS * t.sum_xy - t.sum_x * t.sum_y) / spread


cdef void trendline_group(Trendline* t, us_t more_us, us_t arrival) noexcept nogil:
    cdef double keep = <double> TREND_SMOOTHING_PERMILLE / 1000
    cdef bint full = t.held == TREND_GROUPS
    t.delay_ms += more_us * 0.001
    t.smoothed_ms = keep * t.smoothed_ms + (1 - keep) * t.delay_ms
    if full:
        _count(t, t.at, -1)
    t.delays[t.at] = <float> t.smoothed_ms
    t.times[t.at] = <u32> arrival
    if full:
        _count(t, t.at, 1)
    t.at = t.at + 1 if t.at + 1 < TREND_GROUPS else 0
    if t.groups < TREND_FULL:
        t.groups += 1
    if t.held < TREND_GROUPS:
        t.held += 1
    if t.held == TREND_GROUPS:
        if t.at == 0 or not full:
            _sum(t)
        _fit(t)
