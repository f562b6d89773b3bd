# How long packets stand in the path's queue: their one-way delay above the least of the last while. The clocks of the two ends
# need not agree, and may drift.
from simplestchat._native.core.types cimport US_PER_S, u32, u64, us_t

cdef enum:
    DELAY_WINDOW_US = 20000000   # the least delay is that of this window and the one before it
    DELAY_EMPTY_US = 10000       # a shorter queue is none: what the pacer lets leave at once makes one of about this length
    DELAY_PAUSE_US = 50000       # beyond the queue: nothing was sent for so long
    DELAY_REST_US = 250000       # and so long is half of what rates are measured over
    DELAY_LONG_US = 100000       # a standing queue of this length ...
    DELAY_STANDS_US = 2000000    # ... for so long is told,
    DELAY_AGAIN_US = 1000000     # and again so much later

cdef struct Delay:
    us_t least_us[2]             # arrival minus departure: of the window before, of this one
    us_t window_us               # when this window began
    us_t standing_us             # the queue: the least of a feedback's packets, so that jitter does not count as queue
    us_t round_us                # the least since the feedback began, and the most
    us_t round_most_us
    us_t stands_us               # since when the queue has been long; 0: it is not
    us_t jitter_us               # how far a feedback's delays are apart, smoothed
    us_t left_us                 # departure of the last packet, and how long it stood in the queue
    us_t stood_us
    us_t rested_us               # arrival of the last packet behind so long a pause
    us_t busy_us                 # arrival of the last packet that found no queue
    u64 busy_bytes               # that arrived since
    bint begun
    bint round_begun

# A queue that is long and stays so shows no growth, and is none of ours to tolerate: True from time to time while it stands.
cdef bint delay_stands(Delay* d, us_t now) noexcept nogil
cdef void delay_reset(Delay* d) noexcept nogil

cdef inline void delay_packet(Delay* d, us_t one_way, u32 size, us_t arrival) noexcept nogil:
    cdef us_t stands = one_way - min(d.least_us[0], d.least_us[1])
    cdef us_t left = arrival - one_way
    # Behind a pause that is clearly longer than the queue was, that queue is gone: what came meanwhile is not what the path carries.
    cdef bint paused = left - d.left_us > d.stood_us + DELAY_PAUSE_US
    if left - d.left_us > DELAY_REST_US:
        d.rested_us = arrival
    d.left_us = left
    d.stood_us = stands
    if stands < DELAY_EMPTY_US or paused or not d.begun:
        d.busy_us = arrival
        d.busy_bytes = 0
    else:
        d.busy_bytes += size
    if not d.round_begun:
        d.round_begun = True
        d.round_us = d.round_most_us = one_way
    d.round_us = min(d.round_us, one_way)
    d.round_most_us = max(d.round_most_us, one_way)

# A feedback is over.
cdef void delay_round(Delay* d, us_t now) noexcept nogil

# For how long there has been a queue.
cdef inline us_t delay_busy(const Delay* d, us_t arrival) noexcept nogil:
    return arrival - d.busy_us

# What arrived meanwhile: what the path carries.
cdef inline u64 delay_busy_bps(const Delay* d, us_t arrival) noexcept nogil:
    cdef us_t busy = arrival - d.busy_us
    return d.busy_bytes * 8 * US_PER_S // <u64> busy if busy > 0 else 0
