# When the next packet of a transport may leave: a debt that grows by what is sent and is paid off at the pacing rate. No queue, no timers.
#
# In any window of time a sender that asks sends no more than rate * window + PACER_BURST_US of the rate + PACER_BURST_BYTES, so a
# keyframe reaches a thin link as a stream and not as a heap. What does not wait (audio) is spent all the same, and others wait for it.
from simplestchat._native.core.types cimport u32, u64, us_t

cdef enum:
    # A twentieth more than the estimate. The bottleneck lets no keyframe through faster; at more (libwebrtc: 2.5 times) it stands in the
    # bottleneck's queue, where audio waits behind it and the estimator takes it for congestion.
    PACER_FACTOR_PERCENT = 105
    PACER_BURST_US = 5000            # of the rate may leave at once: what one turn of the loop, a few ms late, has to make up for
    PACER_PACKET_BYTES = 1500
    PACER_BURST_BYTES = 3000         # and two packets more, so that a thin link can send whole packets
    PACER_DEBT_US = 500000           # a debt is forgotten beyond what is paid off in this time: nobody waits longer
    PACER_MIN_BPS = 100000           # an estimate of nothing must not stop everything: a packet in 120 ms
    PACER_MAX_BPS = 25000000000      # far below where the arithmetic could overflow

cdef struct Pacer:
    u64 rate_bps                     # of UDP payload
    u64 debt                         # bits * 10**6 that were sent and not yet paid off
    us_t paid_us                     # until when it was paid off

cdef inline void pacer_init(Pacer* p, us_t now) noexcept nogil:
    p.rate_bps = PACER_MIN_BPS
    p.debt = 0
    p.paid_us = now

# The debt with which one more packet may leave.
cdef inline u64 pacer_allowance(const Pacer* p) noexcept nogil:
    return p.rate_bps * PACER_BURST_US + <u64>(PACER_BURST_BYTES - PACER_PACKET_BYTES) * 8 * 1000000

# The most that is owed.
cdef inline u64 pacer_most(const Pacer* p) noexcept nogil:
    return p.rate_bps * PACER_DEBT_US + pacer_allowance(p)

# Pays off what time has paid; a clock that goes back pays nothing.
cdef inline void pacer_settle(Pacer* p, us_t now) noexcept nogil:
    cdef us_t elapsed = now - p.paid_us
    if elapsed <= 0:
        return
    p.paid_us = now
    # No debt lasts two PACER_DEBT_US (see pacer_most); so the product stays small.
    if elapsed > 2 * PACER_DEBT_US or <u64>elapsed * p.rate_bps >= p.debt:
        p.debt = 0
    else:
        p.debt -= <u64>elapsed * p.rate_bps

# The estimate changed: the rate is PACER_FACTOR_PERCENT of it. The debt stays as many bits.
cdef inline void pacer_rate(Pacer* p, u64 estimate_bps, us_t now) noexcept nogil:
    pacer_settle(p, now)
    p.rate_bps = min(max(min(estimate_bps, <u64>PACER_MAX_BPS) * PACER_FACTOR_PERCENT // 100, <u64>PACER_MIN_BPS), <u64>PACER_MAX_BPS)
    p.debt = min(p.debt, pacer_most(p))

cdef inline bint pacer_may_send(Pacer* p, us_t now) noexcept nogil:
    pacer_settle(p, now)
    return p.debt <= pacer_allowance(p)

# So many bytes of UDP payload leave now.
cdef inline void pacer_spend(Pacer* p, u32 size, us_t now) noexcept nogil:
    pacer_settle(p, now)
    p.debt = min(p.debt + <u64>size * 8 * 1000000, pacer_most(p))

# From when on pacer_may_send says yes, if nothing else is sent: a time in the past when it does already.
cdef inline us_t pacer_ready_us(const Pacer* p) noexcept nogil:
    cdef u64 allowed = pacer_allowance(p)
    if p.debt <= allowed:
        return p.paid_us
    return p.paid_us + <us_t>((p.debt - allowed + p.rate_bps - 1) // p.rate_bps)
