# The loss-based bound: tells loss that belongs to the path from loss that we cause.
#
# Loss by congestion depends on the rate and comes with a queue; loss by noise does neither. What a path loses anyway is learned
# slowly. When much more gets lost, it is put to the test: for a moment less is sent than what arrived. Either the loss goes away,
# then it was ours and the bound stays near what arrives; or it does not, then it belongs to the path and the bound is lifted. The
# question is that of libwebrtc's loss-based estimator (inherent loss), the answer is an experiment in place of a fit.
from simplestchat._native.core.types cimport i32, u32, u64, us_t

cdef enum:
    LOSS_ROUND_US = 200000       # losses are summed up so long, and ...
    LOSS_ROUND_PACKETS = 10      # ... over so many packets at least
    LOSS_MEMORY = 100            # packets: of the running share
    LOSS_EXCESS_PERMILLE = 50    # beyond the path's own: this is put to the test
    LOSS_SLOW_PERMILLE = 50      # a round's weight in the path's own loss, downwards; upwards half of it
    LOSS_QUEUE_US = 100000       # a standing queue so long says whose loss it is
    LOSS_TRY_PERMILLE = 900      # of what arrived: the rate of the test
    LOSS_TRY_PACKETS = 40        # that a verdict needs
    LOSS_SETTLE_US = 150000      # beyond a round trip, until what is heard is about the new rate
    LOSS_OURS_US = 30000000      # a test's verdict "ours" stands so long
    LOSS_BOUND_PERMILLE = 950    # of what arrives
    LOSS_UP_PERMILLE = 30        # the bound's growth a second
    LOSS_FREE_PERMILLE = 1500    # of the other bound: then this one bounds nothing

cdef enum LossState:
    LOSS_FREE = 0                # bounds nothing
    LOSS_TRIES                   # puts a loss to the test
    LOSS_BOUNDS

cdef struct Loss:
    u64 bps                      # the bound; all ones while there is none
    double own                   # the path's share of loss
    double recent                # of the last packets
    double before                # when the test began
    i32 told                     # in this round: about so many packets
    i32 lost                     # of them; fewer when what was told as lost came after all
    i32 try_told
    i32 try_lost
    us_t round_us
    us_t settled_us              # nothing is judged before
    us_t ours_us                 # when a test last showed that the loss was ours
    us_t grown_us
    LossState state

cdef void loss_init(Loss* l, us_t now) noexcept nogil
cdef inline void loss_told(Loss* l, bint lost) noexcept nogil:
    l.told += 1
    l.lost += lost

# What was told as lost has arrived.
cdef inline void loss_came(Loss* l) noexcept nogil:
    l.lost -= 1

# A feedback is over. arrived_bps: what arrives, corrected by what the path loses; other_bps: the other bound.
cdef void loss_round(Loss* l, u64 arrived_bps, u64 other_bps, us_t queue_us, us_t rtt, us_t now) noexcept nogil
