# How long packets stand in the path's queue: their one-way delay above the least of the last while. The clocks of the two ends
# need not agree, and may drift.
from simplestchat._native.core.types cimport us_t

cdef enum:
    DELAY_WINDOW_US = 20000000   # the least delay is that of this window and the one before it
    DELAY_EMPTY_US = 50000       # a queue shorter than this is as good as empty
    DELAY_CROWDED_US = 5000000   # a queue that was not for so long is kept full by somebody else,
    DELAY_STUBBORN_US = 10000000 # which is believed for so long, until giving way is tried again

cdef struct Delay:
    us_t least_us[2]             # arrival minus departure: of the window before, of this one
    us_t window_us               # when this window began
    us_t standing_us             # the queue: the least of a feedback's packets, so that jitter does not count as queue
    us_t empty_us                # when the queue was last empty
    us_t round_us                # the least since the feedback began, and the most
    us_t round_most_us
    us_t jitter_us               # how far a feedback's delays are apart, smoothed
    bint begun
    bint round_begun

cdef void delay_reset(Delay* d) noexcept nogil

cdef inline void delay_packet(Delay* d, us_t one_way) noexcept nogil:
    if not d.round_begun:
        d.round_begun = True
        d.round_us = d.round_most_us = one_way
    d.round_us = min(d.round_us, one_way)
    d.round_most_us = max(d.round_most_us, one_way)

# A feedback is over.
cdef void delay_round(Delay* d, us_t now) noexcept nogil

# Does the queue stand whatever we do? Then it is a loss-based flow's, which fills all queues.
cdef inline bint delay_crowded(const Delay* d, us_t now) noexcept nogil:
    return d.begun and (now - d.empty_us) % (DELAY_CROWDED_US + DELAY_STUBBORN_US) > DELAY_CROWDED_US
