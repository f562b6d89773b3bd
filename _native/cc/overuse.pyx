"""Is the path overused? See overuse.pxd for the contract."""

from libc.math cimport fabs
from libc.string cimport memset
from simplestchat._native.core.types cimport us_t


cdef void overuse_init(Overuse* o) noexcept nogil:
    memset(o, 0, sizeof(Overuse))
    o.threshold_ms = <double> OVERUSE_FIRST_US / 1000


cdef void _adapt(Overuse* o, double value_ms, us_t arrival) noexcept nogil:
    cdef double size = fabs(value_ms), ppm
    cdef us_t passed = min(arrival - o.moved_us, <us_t> OVERUSE_STEP_US)
    if o.moved_us == 0 or passed < 0:
        passed = 0
    o.moved_us = arrival
    if size > o.threshold_ms + <double> OVERUSE_OUTLIER_US / 1000:
        return
    ppm = OVERUSE_DOWN_PPM if size < o.threshold_ms else OVERUSE_UP_PPM
    o.threshold_ms += ppm * 1e-6 * (size - o.threshold_ms) * (passed * 0.001)
    o.threshold_ms = min(max(o.threshold_ms, <double> OVERUSE_LEAST_US / 1000), <double> OVERUSE_MOST_US / 1000)


cdef Usage overuse_group(Overuse* o, double value_ms, double slope, us_t apart, us_t arrival) noexcept nogil:
    if value_ms > o.threshold_ms:
        o.over_us += apart if o.over_groups else apart // 2
        o.over_groups += 1
        # Not while the trend already gets better by itself.
        if o.over_us > OVERUSE_TIME_US and o.over_groups > 1 and slope >= o.last_slope:
            o.usage = USAGE_OVER
            o.over_us = 0
            o.over_groups = 0
    else:
        o.usage = USAGE_UNDER if value_ms < -o.threshold_ms else USAGE_NORMAL
        o.over_us = 0
        o.over_groups = 0
    o.last_slope = slope
    _adapt(o, value_ms, arrival)
    return o.usage
