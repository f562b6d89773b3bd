"""The rate of the delay-based controller; see aimd.pxd for the contract."""

from libc.math cimport fabs
from libc.string cimport memset
from simplestchat._native.cc.overuse cimport USAGE_NORMAL, USAGE_OVER, Usage
from simplestchat._native.core.types cimport US_PER_S, u64, us_t


cdef void aimd_init(Aimd* a, u64 bps, us_t now) noexcept nogil:
    memset(a, 0, sizeof(Aimd))
    a.bps = bps
    a.updated_us = now


cdef void aimd_set(Aimd* a, u64 bps, us_t now) noexcept nogil:
    a.bps = bps
    a.updated_us = now


cdef void _learn(Aimd* a, u64 arrived_bps) noexcept nogil:
    # The link is full: what arrives is what it carries.
    cdef double off
    if a.capacity_bps == 0 or arrived_bps < a.capacity_bps * (1 - 3 * a.deviation) or arrived_bps > a.capacity_bps * (1 + 3 * a.deviation):
        a.capacity_bps = arrived_bps
        a.deviation = 0.05
        return
    off = fabs(<double> arrived_bps / a.capacity_bps - 1)
    a.capacity_bps = <u64> (0.8 * a.capacity_bps + 0.2 * arrived_bps)
    a.deviation = min(max(0.8 * a.deviation + 0.2 * off, 0.03), 0.15)


cdef void _lower(Aimd* a, u64 arrived_bps, u64 sent_bps, us_t rtt, us_t now) noexcept nogil:
    cdef u64 bps
    # One decrease has to show before the next, but for a path that carries less than half.
    if a.lowered_us and now - a.lowered_us < rtt + AIMD_DETECTION_US and arrived_bps > a.bps // 2:
        return
    if arrived_bps == 0:
        bps = a.bps // 2
    else:
        _learn(a, arrived_bps)
        bps = arrived_bps * AIMD_DOWN_PERMILLE // 1000
        if sent_bps <= bps:
            bps = arrived_bps * AIMD_BURST_PERMILLE // 1000
    a.bps = min(a.bps, bps)
    a.lowered_us = now


cdef void _raise(Aimd* a, u64 arrived_bps, us_t rtt, us_t now) noexcept nogil:
    cdef us_t passed = min(now - a.updated_us, <us_t> US_PER_S)
    cdef u64 most = arrived_bps * AIMD_AHEAD_PERMILLE // 1000 + AIMD_AHEAD_BPS
    cdef u64 more
    if arrived_bps == 0 or a.bps >= most or passed <= 0:
        return
    if a.capacity_bps and a.bps > a.capacity_bps * (1 + 3 * a.deviation):
        a.capacity_bps = 0       # the link has become wider
    if a.capacity_bps:
        more = <u64> (AIMD_PACKET_BITS * min(max(<double> a.capacity_bps / AIMD_THIN_BPS, 0.5), 1) * passed / (rtt + AIMD_DETECTION_US))
    else:
        more = a.bps * AIMD_UP_PERMILLE // 1000 * <u64> passed // US_PER_S
    a.bps = min(a.bps + more, most)


cdef void aimd_update(Aimd* a, Usage usage, u64 arrived_bps, u64 sent_bps, us_t rtt, us_t now) noexcept nogil:
    if usage == USAGE_OVER:
        a.state = AIMD_DOWN
        _lower(a, arrived_bps, sent_bps, rtt, now)
    elif usage == USAGE_NORMAL:
        # After a decrease the queue drains first: one update passes before the rate grows again.
        if a.state == AIMD_UP:
            _raise(a, arrived_bps, rtt, now)
        a.state = AIMD_UP if a.state != AIMD_DOWN else AIMD_HOLD
    else:
        a.state = AIMD_HOLD
    a.updated_us = now
