# An emulated bottleneck for congestion control, sans-IO and seeded: a drop-tail queue that empties at a rate which may change,
# then a delay, jitter and losses. Flows share it.
from simplestchat._native.core.types cimport u8, u16, u32, u64, us_t

cdef enum:
    PATH_QUEUE = 8192            # packets

cdef struct PathPacket:
    u32 flow
    u32 size
    u64 number
    us_t entered_us

cdef struct Path:
    u64 random
    u64 rate_bps                 # of the bottleneck; 0: an outage, nothing gets through and nothing is kept
    us_t queue_us                # the queue's length at the rate of now
    us_t delay_us                # one way, without the queue
    us_t jitter_us               # up to this much more
    bint reorders                # jitter may put packets out of order
    double loss                  # independent of each other, behind the queue
    double to_bad, to_good       # Gilbert-Elliott: all is lost while it is bad
    u64 bucket_bps               # a policer in front of the queue, 0: none
    u64 bucket_bytes             # what it lets through at once
    double tokens
    us_t filled_us
    bint bad
    PathPacket queue[PATH_QUEUE]
    u32 head
    u32 held
    u64 bytes
    us_t head_done_us            # when the first in the queue has left it
    us_t latest_us               # arrival of the packet before
    u64 dropped                  # for the queue was full or the policer refused
    u64 lost

cdef double path_uniform(Path* p) noexcept nogil             # 0..1
# Whether the packet found room.
cdef bint path_enter(Path* p, const PathPacket* packet) noexcept nogil
# The next packet that has left the queue by `now`, and when it arrives; *arrives_us < 0: it is lost behind the queue.
cdef bint path_leave(Path* p, us_t now, PathPacket* packet, us_t* arrives_us) noexcept nogil
# How long a packet that enters now would stand in the queue.
cdef us_t path_wait(const Path* p) noexcept nogil
