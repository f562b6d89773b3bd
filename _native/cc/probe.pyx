"""Is there room for more? See probe.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.types cimport US_PER_S, u16, u32, u64, us_t


cdef void probe_init(Probe* p, us_t now) noexcept nogil:
    memset(p, 0, sizeof(Probe))
    p.next_us = now
    p.pause_us = PROBE_PAUSE_US


# What a cluster should show, 0 when there is nothing to find out.
cdef u64 _target(const Probe* p, u64 estimate_bps, u64 next_step_bps, u64 all_bps, bint near) noexcept nogil:
    cdef u64 wish = next_step_bps if p.started else max(next_step_bps, all_bps)
    cdef u64 least = estimate_bps * PROBE_LEAST_PERMILLE // 1000
    cdef u64 most = estimate_bps * (PROBE_NEAR_PERMILLE if near else PROBE_MORE_PERMILLE) // 1000
    if wish <= estimate_bps:
        return 0
    if p.ceiling_bps:
        return p.ceiling_bps if p.ceiling_bps >= least else 0
    return min(max(wish * PROBE_OVER_PERMILLE // 1000, least), most)


cdef bint probe_begin(Probe* p, u64 estimate_bps, u64 next_step_bps, u64 all_bps, bint near, us_t jitter_us, us_t now) noexcept nogil:
    cdef u64 target
    if p.cluster.id or now < p.next_us:
        return False
    target = _target(p, estimate_bps, next_step_bps, all_bps, near)
    if target == 0:
        if p.ceiling_bps:
            p.ceiling_bps = 0
            p.next_us = now + p.pause_us
        return False
    memset(&p.cluster, 0, sizeof(Cluster))
    p.last_id = p.last_id + 1 if p.last_id < 0xFFFF else 1
    p.cluster.id = p.last_id
    p.cluster.sending = True
    p.cluster.target_bps = target
    p.cluster.begun_us = now
    p.cluster.jitter_us = min(jitter_us, <us_t> PROBE_JITTER_MOST_US)
    p.count += 1
    return True


cdef inline us_t _span(const Cluster* c) noexcept nogil:
    cdef us_t span = <us_t> (<u64> PROBE_BITS * US_PER_S // c.target_bps)
    return min(max(span, PROBE_LEAST_US, PROBE_JITTERS * c.jitter_us), <us_t> PROBE_MOST_US)


cdef u32 probe_due(Probe* p, us_t now, us_t* next_us) noexcept nogil:
    cdef Cluster* c = &p.cluster
    cdef us_t span = _span(c), due
    cdef u64 size = c.target_bps * <u64> span // (8 * (PROBE_LEAST_PACKETS + 1) * <u64> US_PER_S)
    if c.packets == 0:
        if now - c.begun_us > PROBE_LATE_US:
            c.id = 0             # nobody sent it
            c.sending = False
            next_us[0] = now
            return 0
        due = now
    else:
        due = c.first_sent_us + <us_t> (<u64> c.bytes * 8 * US_PER_S // c.target_bps)
        if c.packets >= PROBE_LEAST_PACKETS and (due - c.first_sent_us >= span or now - c.first_sent_us >= 2 * span):
            c.sending = False
            next_us[0] = now
            return 0
    next_us[0] = due
    return <u32> min(max(size, <u64> PROBE_LEAST_SIZE), <u64> PROBE_MOST_SIZE) if due <= now else 0


cdef void probe_sent(Probe* p, u64 number, u32 size, us_t now) noexcept nogil:
    cdef Cluster* c = &p.cluster
    if c.packets == 0:
        c.first_sent_us = now
    c.last = number
    c.last_sent_us = now
    c.packets += 1
    c.bytes += size


cdef void probe_arrived(Probe* p, u16 cluster, u32 size, us_t sent, us_t arrival) noexcept nogil:
    cdef Cluster* c = &p.cluster
    if cluster != c.id:
        return
    if c.arrived == 0 or sent < c.came_first_sent_us:
        c.came_first_sent_us = sent
        c.first_arrival_us = arrival
        c.first_size = size
    if c.arrived == 0 or sent >= c.came_last_sent_us:
        c.came_last_sent_us = sent
        c.last_arrival_us = arrival
        c.last_size = size
    c.arrived += 1
    c.arrived_bytes += size


cdef ProbeResult _judge(const Cluster* c, double loss, u64* bps) noexcept nogil:
    cdef us_t left = c.came_last_sent_us - c.came_first_sent_us, came = c.last_arrival_us - c.first_arrival_us
    cdef double bits = c.arrived_bytes / (1 - loss) * 8, most
    # With random losses fewer come; with a full queue, too.
    if c.packets < PROBE_LEAST_PACKETS or c.arrived < PROBE_LEAST_PACKETS // 2 or c.arrived < c.packets * (0.8 - loss):
        return PROBE_NOTHING
    if left < PROBE_LEAST_US // 2 or came * 3 < left:
        return PROBE_NOTHING     # came closer together than could be: held up on its way
    bps[0] = <u64> ((bits - 4.0 * (c.first_size + c.last_size)) * US_PER_S / left)
    most = left * (1 + <double> PROBE_SLOWER_PERMILLE / 1000) + PROBE_TICK_US + c.jitter_us / 2
    if c.last_size > c.first_size and bps[0]:
        most += (c.last_size - c.first_size) * 8.0 * US_PER_S / bps[0]     # a larger packet takes longer to pass
    if came <= most:
        return PROBE_THROUGH
    bps[0] = <u64> (max(bits - 8.0 * c.first_size, 0) * US_PER_S / came)
    return PROBE_FULL


cdef ProbeResult probe_result(Probe* p, u64 told, double loss, us_t rtt, us_t now, u64* bps) noexcept nogil:
    cdef Cluster* c = &p.cluster
    cdef ProbeResult result
    if c.id == 0 or c.sending:
        return PROBE_OPEN
    if told <= c.last and now - c.last_sent_us < rtt + PROBE_LATE_US:
        return PROBE_OPEN
    result = _judge(c, min(loss, 0.5), bps)
    c.id = 0
    p.next_us = now + PROBE_AGAIN_US
    if result == PROBE_THROUGH:
        p.through_us = now
        p.through_bps = bps[0]
        if p.ceiling_bps:        # what is above it is known
            p.ceiling_bps = 0
            p.next_us = now + p.pause_us
        return result
    p.started = True
    if result == PROBE_FULL and (p.ceiling_bps == 0 or bps[0] < p.ceiling_bps):
        p.ceiling_bps = bps[0] * PROBE_TAKE_PERMILLE // 1000
    else:
        p.ceiling_bps = 0
        p.next_us = now + p.pause_us
    return result


cdef void probe_lowered(Probe* p, us_t now) noexcept nogil:
    p.started = True
    p.ceiling_bps = 0
    if p.through_us and now - p.through_us < PROBE_HOLD_US:
        p.pause_us = min(2 * p.pause_us, <us_t> PROBE_PAUSE_MOST_US)
    else:
        p.pause_us = PROBE_PAUSE_US
    p.next_us = max(p.next_us, now + p.pause_us)
