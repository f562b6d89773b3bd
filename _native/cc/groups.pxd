# Packets that left together, and how much later or earlier than the ones before them they arrived (draft-ietf-rmcat-gcc-02
# sections 5.2 and 5.3).
#
# A pacer and a keyframe send bursts: packets within GROUP_SPAN_US of the first are one group. So are those that a link held
# up and let through at once: they arrive close together and sooner than they were sent.
from simplestchat._native.core.types cimport us_t

cdef enum:
    GROUP_SPAN_US = 5000         # by departure
    GROUP_BURST_US = 5000        # by arrival
    GROUP_MAX_US = 100000        # no burst by arrival is longer
    GROUP_GAP_US = 3000000       # clocks that part by more in one step were set anew

cdef struct Group:
    us_t first_sent_us
    us_t last_sent_us
    us_t first_arrival_us
    us_t last_arrival_us

cdef struct Groups:
    Group before
    Group now
    bint has_before
    bint has_now

cdef inline void groups_reset(Groups* g) noexcept nogil:
    g.has_before = g.has_now = False

# One more packet. True when it begins a group and there were two before it: then *sent_us and *arrival_us say how far apart
# those two left and arrived.
cdef bint groups_packet(Groups* g, us_t sent, us_t arrival, us_t* sent_us, us_t* arrival_us) noexcept nogil
