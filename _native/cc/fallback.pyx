"""For receivers that send no transport-wide feedback; see fallback.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.types cimport US_PER_S, u8, u64, us_t

cdef enum:
    _GAP_US = 300000             # beyond a round trip, between two decreases
    _MOST_BPS = 1000000000


cdef void fallback_init(Fallback* f, u64 bps, us_t now) noexcept nogil:
    memset(f, 0, sizeof(Fallback))
    f.bps = bps
    f.updated_us = now
    f.lowered_us = now - 2 * US_PER_S


cdef void fallback_remb(Fallback* f, u64 bps, us_t now) noexcept nogil:
    # The receiver sees more than its reports tell: until those show loss, what it says counts.
    f.remb_bps = bps
    f.remb_us = now
    f.bps = max(f.bps, min(bps, <u64> _MOST_BPS)) if now - f.lowered_us > US_PER_S else f.bps


cdef void fallback_loss(Fallback* f, u8 fraction, u64 most_bps, us_t rtt, us_t now) noexcept nogil:
    cdef us_t passed = min(max(now - f.updated_us, <us_t> 0), <us_t> US_PER_S)
    f.updated_us = now
    if fraction > FALLBACK_HIGH and now - f.lowered_us >= rtt + _GAP_US:
        f.lowered_us = now
        f.bps = f.bps * (512 - fraction) // 512
    elif fraction < FALLBACK_LOW and (most_bps == 0 or f.bps < most_bps):
        f.bps += f.bps * FALLBACK_UP_PERMILLE // 1000 * <u64> passed // US_PER_S
        f.bps = min(f.bps, <u64> _MOST_BPS)


cdef u64 fallback_bps(const Fallback* f, us_t now) noexcept nogil:
    if f.remb_bps and now - f.remb_us < FALLBACK_REMB_US:
        return min(f.bps, f.remb_bps)
    return f.bps
