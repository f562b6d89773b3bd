"""The slope of the delay; see trendline.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.types cimport i32, u32, us_t


cdef void trendline_reset(Trendline* t) noexcept nogil:
    memset(t, 0, sizeof(Trendline))


cdef void _fit(Trendline* t) noexcept nogil:
    # Times relative to the oldest keep the sums small.
    cdef u32 oldest = t.times[t.at]
    cdef double x, y, sum_x = 0, sum_y = 0, sum_xx = 0, sum_xy = 0, spread
    cdef int i
    for i in range(TREND_GROUPS):
        x = <i32> (t.times[i] - oldest) * 0.001
        y = t.delays[i]
        sum_x += x
        sum_y += y
        sum_xx += x * x
        sum_xy += x * y
    spread = TREND_GROUPS * sum_xx - sum_x * sum_x
    if spread > 0:
        t.slope = (TREND_GROUPS * sum_xy - sum_x * sum_y) / spread


cdef void trendline_group(Trendline* t, us_t more_us, us_t arrival) noexcept nogil:
    cdef double keep = <double> TREND_SMOOTHING_PERMILLE / 1000
    t.delay_ms += more_us * 0.001
    t.smoothed_ms = keep * t.smoothed_ms + (1 - keep) * t.delay_ms
    t.delays[t.at] = <float> t.smoothed_ms
    t.times[t.at] = <u32> arrival
    t.at = (t.at + 1) % TREND_GROUPS
    if t.groups < TREND_FULL:
        t.groups += 1
    if t.held < TREND_GROUPS:
        t.held += 1
    if t.held == TREND_GROUPS:
        _fit(t)
