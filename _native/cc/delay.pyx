"""How long packets stand in the path's queue; see delay.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.types cimport us_t


cdef void delay_reset(Delay* d) noexcept nogil:
    memset(d, 0, sizeof(Delay))


cdef void delay_round(Delay* d, us_t now) noexcept nogil:
    if not d.round_begun:
        return
    d.round_begun = False
    d.jitter_us += (d.round_most_us - d.round_us - d.jitter_us) // 16
    if not d.begun:
        d.begun = True
        d.least_us[0] = d.least_us[1] = d.round_us
        d.window_us = now
    elif now - d.window_us > DELAY_WINDOW_US:
        d.least_us[0] = d.least_us[1]
        d.least_us[1] = d.round_us
        d.window_us = now
    else:
        d.least_us[1] = min(d.least_us[1], d.round_us)
    d.standing_us = d.round_us - min(d.least_us[0], d.least_us[1])
    if d.standing_us < DELAY_LONG_US:
        d.stands_us = 0
    elif d.stands_us == 0:
        d.stands_us = now


cdef bint delay_stands(Delay* d, us_t now) noexcept nogil:
    if d.stands_us == 0 or now - d.stands_us < DELAY_STANDS_US:
        return False
    d.stands_us = now + DELAY_AGAIN_US
    return True
