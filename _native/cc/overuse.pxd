# Is the path overused? The trend of the delay against a threshold that adapts (draft-ietf-rmcat-gcc-02 section 5.4; Carlucci,
# De Cicco, Holmer, Mascolo: Congestion Control for Web Real-Time Communication, IEEE/ACM ToN 25(5), 2017).
#
# A fixed threshold is either deaf or starved by a TCP flow on the same queue. This one follows the trend slowly down and, more
# slowly still, up; what leaps out is taken for an outlier.
from simplestchat._native.core.types cimport u32, us_t

cdef enum:
    OVERUSE_FIRST_US = 12500     # threshold at first, as ms * 1000 like all of these
    OVERUSE_LEAST_US = 6000
    OVERUSE_MOST_US = 600000
    OVERUSE_OUTLIER_US = 15000   # beyond the threshold by more does not move it
    OVERUSE_TIME_US = 10000      # the trend is over the threshold for longer before it counts
    OVERUSE_UP_PPM = 8700        # of the distance, a ms
    OVERUSE_DOWN_PPM = 1500
    OVERUSE_STEP_US = 100000     # the threshold moves as if no more time had passed

cdef enum Usage:
    USAGE_NORMAL = 0
    USAGE_OVER                   # the queue grows
    USAGE_UNDER                  # it drains

cdef struct Overuse:
    double threshold_ms
    double last_slope
    us_t over_us                 # for how long the trend has been over the threshold
    us_t moved_us                # when the threshold last moved (arrival time)
    u32 over_groups
    Usage usage

cdef void overuse_init(Overuse* o) noexcept nogil
# After each group: the trend's value and slope, how far apart the groups left, when the last one arrived.
cdef Usage overuse_group(Overuse* o, double value_ms, double slope, us_t apart, us_t arrival) noexcept nogil
