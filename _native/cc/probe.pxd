# Is there room for more? A cluster of packets at the rate in question shows it in a moment, where growing would take a minute.
#
# A cluster is judged by how far its packets are spread on arrival (Strauss, Katabi, Kaashoek: A Measurement Study of Available
# Bandwidth Estimation Tools, IMC 2003, tells of the family). Only a rate that came through as it was sent is believed. Where
# it did not, what arrived is an upper bound, for other traffic was pushed aside: a little less than that is tried next.
from simplestchat._native.core.types cimport u16, u32, u64, us_t

cdef enum:
    PROBE_LEAST_PACKETS = 5
    PROBE_LEAST_US = 30000       # a cluster lasts so long ...
    PROBE_MOST_US = 100000       # ... up to so long where the rate is low,
    PROBE_BITS = 40000           # so that it has so many bits
    PROBE_LEAST_SIZE = 200
    PROBE_MOST_SIZE = 1200
    PROBE_LATE_US = 1000000      # beyond a round trip: then a cluster has no result
    PROBE_FIRST_PERMILLE = 3000  # of the estimate: a probe at the start,
    PROBE_MORE_PERMILLE = 3000   # later ones, at most,
    PROBE_NEAR_PERMILLE = 1500   # and where the link was found full lately
    PROBE_OVER_PERMILLE = 1100   # of the next step that is wished for
    PROBE_LEAST_PERMILLE = 1150  # of the estimate: less is not worth a probe
    PROBE_SLOWER_PERMILLE = 50   # a cluster that came through took this much longer to arrive at most, ...
    PROBE_TICK_US = 500          # ... beside what feedback's ticks and half the jitter make
    PROBE_JITTERS = 3            # a cluster is longer than so many times the jitter
    PROBE_JITTER_MOST_US = 40000
    PROBE_TAKE_PERMILLE = 950    # of what came through is believed
    PROBE_PAUSE_US = 5000000     # after a probe that did not come through
    PROBE_PAUSE_MOST_US = 8000000    # after several that came through but did not hold
    PROBE_AGAIN_US = 200000      # after one that did, or that showed a bound worth a try
    PROBE_HOLD_US = 3000000      # what came through holds so long, or was no good

cdef struct Cluster:
    u16 id                       # 0: none is being sent or waited for
    bint sending
    u64 target_bps
    u64 last                     # number of the last packet
    us_t begun_us
    us_t first_sent_us
    us_t last_sent_us
    us_t came_first_sent_us      # of those that arrived
    us_t came_last_sent_us
    us_t first_arrival_us
    us_t last_arrival_us
    us_t jitter_us               # of the path, when the cluster began
    u32 packets
    u32 bytes
    u32 first_size               # of the first that arrived, by departure, and of the last
    u32 last_size
    u32 arrived
    u32 arrived_bytes

cdef enum ProbeResult:
    PROBE_OPEN = 0               # not known yet
    PROBE_THROUGH
    PROBE_FULL                   # arrived slower than it was sent
    PROBE_NOTHING                # not enough of it arrived to tell

cdef struct Probe:
    Cluster cluster
    u16 last_id
    u64 ceiling_bps              # where to try next after PROBE_FULL; 0: anywhere
    u64 through_bps              # the last result
    us_t next_us                 # no probe before
    us_t pause_us
    us_t through_us              # when a probe last came through
    bint started                 # the start is over: from now on only for what is wished for
    u32 count                    # clusters so far

cdef void probe_init(Probe* p, us_t now) noexcept nogil
# Begins a cluster when it is time for one and there is something to find out. What is wished for: see bwe_want;
# near: the link was found full at about the estimate; jitter_us: what packets come later than others anyway.
cdef bint probe_begin(Probe* p, u64 estimate_bps, u64 next_step_bps, u64 all_bps, bint near, us_t jitter_us, us_t now) noexcept nogil
# Is a packet of the cluster due? Its size, or 0 and *next_us.
cdef u32 probe_due(Probe* p, us_t now, us_t* next_us) noexcept nogil
# A packet of any kind leaves while a cluster is being sent.
cdef void probe_sent(Probe* p, u64 number, u32 size, us_t now) noexcept nogil
cdef void probe_arrived(Probe* p, u16 cluster, u32 size, us_t sent, us_t arrival) noexcept nogil
# The verdict, once everything up to number `told` was told about. loss: what gets lost anyway. *bps: what came through, or a bound.
cdef ProbeResult probe_result(Probe* p, u64 told, double loss, us_t rtt, us_t now, u64* bps) noexcept nogil
# The estimate had to fall: what a probe showed just before did not hold.
cdef void probe_lowered(Probe* p, us_t now) noexcept nogil
