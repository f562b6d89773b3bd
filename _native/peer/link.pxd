# One direction of an emulated network path, sans-IO: datagrams go in, and come out later, more than once, changed, or never.
#
# In this order: outage; loss (independent and Gilbert-Elliott, RFC 8867's models); the bottleneck (rate and a drop-tail queue);
# then delay, jitter (normal, never below 0; order is kept unless reordering is asked for), reordering, duplication, bit flips. Its own generator,
# seeded: the same datagrams at the same times meet the same fate.
from simplestchat._native.core.types cimport u32, u64, u8, us_t

cdef enum:
    LINK_MAX_QUEUED = 4096         # datagrams in flight on a link; more are dropped as queue drops
    LINK_MAX_DATAGRAM = 1500
    LINK_CERTAIN = 0xFFFFFFFF      # the probability that never fails; below it, p means p / 2**32

cdef struct LinkSettings:          # probabilities are in units of 2**-32
    u32 loss
    u32 burst_enter                # Gilbert-Elliott: good -> bad, per packet
    u32 burst_leave                # bad -> good
    u32 burst_loss                 # loss while bad
    u32 duplicate                  # the copy arrives right behind
    u32 reorder
    us_t reorder_us                # how much later a reordered one comes
    u32 corrupt                    # one bit, of each copy by itself
    us_t delay_us
    us_t jitter_us                 # standard deviation of the delay, which is cut at 0
    u64 rate_bps                   # 0: no bottleneck
    u32 queue_bytes                # of the bottleneck, the packet on the wire included; an idle one takes any packet
    us_t queue_us                  # instead of bytes, if not 0: what its rate takes away in so long
    u8 outage                      # nothing passes

cdef struct LinkTotals:
    u64 packets                    # given to it
    u64 bytes
    u64 lost
    u64 queue_drops
    u64 outage_drops
    u64 duplicated
    u64 reordered
    u64 corrupted                  # copies with a flipped bit
    u64 delivered                  # taken out: packets + duplicated - all drops - what is in flight

cdef struct Link

cdef Link* link_new(u64 seed) noexcept nogil          # clear: no delay, no loss. NULL without memory
# The packets from now on meet the fate that those of a new link with this seed would.
cdef void link_reseed(Link* l, u64 seed) noexcept nogil
cdef void link_free(Link* l) noexcept nogil
# Conditions from now on; what is in flight keeps its fate.
cdef void link_set(Link* l, const LinkSettings* settings) noexcept nogil
# OK, or E_NOMEM / E_SPACE (empty, or larger than LINK_MAX_DATAGRAM), which count nowhere. `now` never goes back.
cdef int link_put(Link* l, const u8* data, u32 size, us_t now) noexcept nogil
# When the next one arrives, NEVER_US while nothing is in flight.
cdef us_t link_deadline(const Link* l) noexcept nogil
# The next datagram that has arrived by `now`: its size and *data (valid until the next call), with *at = when; 0 for none.
cdef u32 link_take(Link* l, us_t now, const u8** data, us_t* at) noexcept nogil
# How long a packet that is put now waits until its last bit has left the bottleneck, beside its own time there.
cdef us_t link_queue_us(const Link* l, us_t now) noexcept nogil
cdef u64 link_rate(const Link* l) noexcept nogil       # bits a second, 0: no bottleneck
cdef u32 link_queued(const Link* l) noexcept nogil    # in flight
cdef void link_totals(const Link* l, LinkTotals* out) noexcept nogil
