# Does the delay grow? The slope of the smoothed delay over the last groups of packets, by least squares: what took the place of
# the Kalman filter of draft-ietf-rmcat-gcc-02 section 5.3 in libwebrtc.
from simplestchat._native.core.types cimport u8, u32, us_t

cdef enum:
    TREND_GROUPS = 20            # the window: more is smoother and later
    TREND_FULL = 60              # groups until the slope has its whole weight
    TREND_SMOOTHING_PERMILLE = 900
    TREND_GAIN = 4

cdef struct Trendline:
    double delay_ms              # of all groups together, relative to the first
    double smoothed_ms
    double slope                 # ms of delay a ms of time; 0 while the window is not full
    double sum_x, sum_y, sum_xx, sum_xy      # over the window: ms since `base`, and the delays
    float delays[TREND_GROUPS]
    u32 times[TREND_GROUPS]      # arrivals, modulo 2**32 us
    u32 base
    u32 groups                   # seen so far, up to TREND_FULL
    u8 at                        # next place in the window
    u8 held                      # places in use

cdef void trendline_reset(Trendline* t) noexcept nogil
# One more group, `more_us` later than it was sent compared to the one before it.
cdef void trendline_group(Trendline* t, us_t more_us, us_t arrival) noexcept nogil

# What the detector compares with its threshold, in ms.
cdef inline double trendline_value(const Trendline* t) noexcept nogil:
    return t.slope * t.groups * TREND_GAIN
