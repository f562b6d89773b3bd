# How long packets stand in the path's queue: their one-way delay above the least of the last while. The clocks of the two ends
# need not agree, and may drift.
from simplestchat._native.core.types cimport us_t

cdef enum:
    DELAY_WINDOW_US = 20000000   # the least delay is that of this window and the one before it

cdef struct Delay:
    us_t least_us[2]             # arrival minus departure: of the window before, of this one
    us_t window_us               # when this window began
    us_t standing_us             # the queue: the least of a feedback's packets, so that jitter does not count as queue
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
