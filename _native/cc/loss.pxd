# The loss-based bound: tells loss that belongs to the path from loss that we cause.
#
# Loss by congestion depends on the rate, loss by noise does not. What a path loses by noise is learned. When clearly more gets
# lost, and no queue tells whose doing it is, it is put to the test: for a second less is sent than what arrived. When as much gets
# lost, it is noise. When it stopped, it may have been luck: a little more than what arrived is sent for another second. Only when
# the loss comes back with the rate and goes with it once more the rate is bounded, to a little less than what arrived.
#
# The question is that of libwebrtc's loss-based estimator (a path's inherent loss); an experiment takes the place of a fit.
from simplestchat._native.core.types cimport i32, u8, u64, us_t

cdef enum:
    LOSS_ROUND_US = 200000       # losses are summed up so long, and ...
    LOSS_ROUND_PACKETS = 10      # ... over so many packets at least
    LOSS_MEMORY = 300            # packets: of the running share, for bursts are not to be taken for more than they are
    LOSS_AVERAGE_ROUNDS = 50     # of the long average
    LOSS_EXCESS_PERMILLE = 50    # beyond the path's own, and beyond half as much again: this is put to the test
    LOSS_QUEUE_US = 100000       # a standing queue so long says whose loss it is, ...
    LOSS_FULL_PERMILLE = 20      # ... when so much more is lost than the path's own
    LOSS_LESS_PERMILLE = 850     # of what arrived: the low rate of the test
    LOSS_MORE_PERMILLE = 1300    # the high one
    LOSS_PHASE_US = 800000       # a phase of the test lasts so long at least,
    LOSS_PHASE_PACKETS = 60      # has so many packets
    LOSS_PHASE_MOST_US = 3000000 # and at most so long
    LOSS_SETTLE_US = 150000      # beyond a round trip, until what is heard is about the new rate
    LOSS_QUIET_PERMILLE = 250    # of the excess: less is none
    LOSS_BACK_PERMILLE = 100     # beyond the path's own: it came back
    LOSS_BOUND_PERMILLE = 950    # of what arrives
    LOSS_UNSURE_PERMILLE = 850   # of what was sent, when the source did not follow the test
    LOSS_DOUBT_PERMILLE = 800    # a bound that fell to this share of the first helps against nothing
    LOSS_UP_PERMILLE = 40        # the bound's growth a second
    LOSS_FREE_PERMILLE = 1500    # of the other bound: then this one bounds nothing
    LOSS_REST_US = 5000000       # no test so soon after one that found noise, unless twice as much gets lost

cdef enum LossState:
    LOSS_FREE = 0                # bounds nothing
    LOSS_LESS                    # tests the low rate,
    LOSS_MORE                    # the high one,
    LOSS_AGAIN                   # and the low one again
    LOSS_BOUNDS
    LOSS_UNSURE                  # bounds, though the source did not follow the test: a probe that comes through lifts it

cdef struct Loss:
    u64 bps                      # the bound; all ones while there is none
    u64 arrived_bps              # when the test or the bound began
    u64 sent_bps                 # and what had been sent
    double own                   # what the path may lose at times, without our doing
    double average               # what it loses, over the last ten seconds
    double recent                # of the last packets
    double before                # when the test began
    i32 told                     # in this round: about so many packets
    i32 lost                     # of them; fewer when what was told as lost came after all
    i32 phase_told
    i32 phase_lost
    us_t round_us
    us_t settled_us              # what is told before is about an earlier rate
    us_t rested_us
    us_t grown_us
    LossState state

cdef void loss_init(Loss* l, us_t now) noexcept nogil
cdef inline void loss_told(Loss* l, bint lost) noexcept nogil:
    l.told += 1
    l.lost += lost

# What was told as lost has arrived.
cdef inline void loss_came(Loss* l) noexcept nogil:
    l.lost -= 1

# What the path loses anyway, as a share.
cdef inline double loss_anyway(const Loss* l) noexcept nogil:
    return min(max(l.own, <double> LOSS_EXCESS_PERMILLE / 1000), l.average)

# A probe came through.
cdef void loss_lift(Loss* l, us_t rtt, us_t now) noexcept nogil
# The path was gone and is back: what it lost meanwhile says nothing.
cdef void loss_forget(Loss* l, us_t rtt, us_t now) noexcept nogil
# A feedback is over. arrived_bps: what arrives, corrected by what the path loses anyway; sent_bps: what was sent lately;
# other_bps: the other bound. True: much is lost in a full queue, so send less.
cdef bint loss_round(Loss* l, u64 arrived_bps, u64 sent_bps, u64 other_bps, us_t queue_us, us_t rtt, us_t now) noexcept nogil
