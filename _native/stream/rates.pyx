"""Bit rates of layers; see rates.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.types cimport US_PER_S, u8, u32, u64, us_t

cdef enum:
    _BUCKET_US = 1 << RATES_BUCKET_SHIFT
    _WINDOW_US = RATES_BUCKETS << RATES_BUCKET_SHIFT
    _SHORTEST_US = 500000        # what began more lately is told as if it had taken so long: it began with a keyframe
    _SLOWNESS = 16               # buckets


cdef inline u32 _rate(u64 size, us_t span) noexcept nogil:
    return <u32> (size * 8 * US_PER_S // <u64> span) if size else 0


cdef us_t _span(const LayerRates* r, int spatial, us_t until) noexcept nogil:
    """How long a layer's bytes took to come."""
    cdef us_t first = (r.bucket - (RATES_BUCKETS - 1)) * _BUCKET_US
    cdef us_t span = until - max(first, r.since[spatial])
    return max(span, <us_t> _SHORTEST_US)


cdef void _average(LayerRates* r, us_t until) noexcept nogil:
    """The current bucket is full: the averages follow."""
    cdef int spatial, temporal, kind
    cdef us_t span
    cdef u32 rate
    cdef u32* slow
    for spatial in range(RATES_LAYERS):
        if not r.alive >> spatial & 1:
            continue
        span = _span(r, spatial, until)
        for kind in range(2):
            for temporal in range(RATES_LAYERS):
                slow = &r.slow[kind][spatial][temporal]
                if r.sums[kind][spatial][temporal] == 0 and slow[0] == 0:
                    continue
                rate = _rate(r.sums[kind][spatial][temporal], span)
                if until - r.since[spatial] < _WINDOW_US:
                    slow[0] = rate
                elif rate >= slow[0]:
                    slow[0] += (rate - slow[0]) // _SLOWNESS
                else:
                    slow[0] -= (slow[0] - rate) // _SLOWNESS


cdef void _empty(LayerRates* r) noexcept nogil:
    """The bucket that comes next holds what is more than a second old."""
    cdef u32* old = &r.bytes[r.bucket & (RATES_BUCKETS - 1)][0][0][0]
    cdef u32* sums = &r.sums[0][0][0]
    cdef u32 left[RATES_LAYERS]
    cdef int i
    memset(left, 0, sizeof(left))
    for i in range(2 * RATES_LAYERS * RATES_LAYERS):
        sums[i] -= old[i]
        old[i] = 0
        left[i // RATES_LAYERS % RATES_LAYERS] |= sums[i]
    r.alive = 0
    for i in range(RATES_LAYERS):
        r.alive |= <u8> ((left[i] != 0) << i)


cdef void _roll(LayerRates* r, us_t bucket) noexcept nogil:
    if bucket - r.bucket >= RATES_BUCKETS:
        rates_init(r)
        r.bucket = bucket
    while r.bucket < bucket:
        _average(r, (r.bucket + 1) << RATES_BUCKET_SHIFT)
        r.bucket += 1
        _empty(r)


cdef void rates_init(LayerRates* r) noexcept nogil:
    memset(r, 0, sizeof(LayerRates))


cdef void rates_packet(LayerRates* r, u8 spatial, u8 temporal, bint alone, u32 size, us_t now) noexcept nogil:
    cdef us_t bucket = now >> RATES_BUCKET_SHIFT
    cdef int kind = 1 if alone else 0
    if bucket > r.bucket:
        _roll(r, bucket)
    spatial = min(spatial, <u8> (RATES_LAYERS - 1))
    temporal = min(temporal, <u8> (RATES_LAYERS - 1))
    if not r.alive >> spatial & 1:
        r.alive |= <u8> (1 << spatial)
        r.since[spatial] = now
    r.bytes[r.bucket & (RATES_BUCKETS - 1)][kind][spatial][temporal] += size
    r.sums[kind][spatial][temporal] += size


cdef void rates_read(LayerRates* r, us_t now, u32[RATES_LAYERS][RATES_LAYERS] out) noexcept nogil:
    cdef u64 fast[RATES_LAYERS]          # of the spatial layers below, what is needed above them
    cdef u64 slow[RATES_LAYERS]
    cdef u64 own, own_slow, rate
    cdef int spatial, temporal
    cdef us_t span
    if now >> RATES_BUCKET_SHIFT > r.bucket:
        _roll(r, now >> RATES_BUCKET_SHIFT)
    memset(fast, 0, sizeof(fast))
    memset(slow, 0, sizeof(slow))
    memset(&out[0][0], 0, RATES_LAYERS * RATES_LAYERS * sizeof(u32))
    for spatial in range(RATES_LAYERS):
        if not r.alive >> spatial & 1:
            continue
        span = _span(r, spatial, now)
        own = own_slow = rate = 0
        for temporal in range(RATES_LAYERS):
            own += _rate(<u64> r.sums[0][spatial][temporal] + r.sums[1][spatial][temporal], span)
            own_slow += <u64> r.slow[0][spatial][temporal] + r.slow[1][spatial][temporal]
            # More layers never take less, also where one has an average and one has none yet.
            rate = max(rate, _told(fast[temporal] + own, slow[temporal] + own_slow))
            out[spatial][temporal] = <u32> min(rate, <u64> 0xFFFFFFFF)
        own = own_slow = 0
        for temporal in range(RATES_LAYERS):
            own += _rate(r.sums[0][spatial][temporal], span)
            own_slow += r.slow[0][spatial][temporal]
            fast[temporal] += own
            slow[temporal] += own_slow


cdef inline u64 _told(u64 fast, u64 slow) noexcept nogil:
    if slow == 0 or fast < slow:
        return max(fast, slow)
    return min(fast, slow + slow // 4)
