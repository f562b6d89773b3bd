"""The choices that one want has; see ladder.pxd for the contract."""

from simplestchat._native.cc.allocator cimport ALLOC_LAYERS, ALLOC_RUNGS, Want
from simplestchat._native.core.types cimport i8, u8, u32, u64


cdef inline u32 _cost(const Want* w, int spatial, int temporal, bint asleep) noexcept nogil:
    cdef u32 rate = w.rates[spatial][temporal]
    return w.nominal[spatial][temporal] if rate == 0 and asleep else rate


cdef inline int _highest(const Want* w, int spatial, int most, bint asleep) noexcept nogil:
    """The highest temporal layer that there is; LADDER_NONE without any."""
    while most >= 0 and _cost(w, spatial, most, asleep) == 0:
        most -= 1
    return most


cdef void ladder_build(Want* w, int kept, bint asleep) noexcept nogil:
    # From the top down: what costs no less than something better is left out. Not so what is kept, for rates waver, and it would be
    # taken away from below its feet.
    cdef u8 found[ALLOC_RUNGS]
    cdef u32 costs[ALLOC_RUNGS]
    cdef u64 ceiling = <u64>1 << 32
    cdef int top = ladder_spatial(w)
    cdef int most = ladder_temporal(w)
    cdef bint jerky = w.temporal_count >= 3 and not w.still
    cdef int s, t, least, highest, lowest = 0, n = 0
    cdef u32 cost
    while lowest < top and _highest(w, lowest, most, asleep) < 0:
        lowest += 1
    for s in range(top, lowest - 1, -1):
        highest = _highest(w, s, most, asleep)
        least = 1 if jerky and s > lowest and highest > 0 else 0
        for t in range(highest, least - 1, -1):
            cost = _cost(w, s, t, asleep)
            if cost and (cost < ceiling or s * ALLOC_LAYERS + t == kept):
                ceiling = min(ceiling, <u64>cost)
                found[n] = <u8>(s * ALLOC_LAYERS + t)
                costs[n] = cost
                n += 1
    w.top = <i8>(n - 1)
    w.prices[0] = 0
    for s in range(n):
        w.rungs[s] = found[n - 1 - s]
        w.prices[s + 1] = costs[n - 1 - s]
    w.kept = w.top
    while w.kept >= 0 and w.rungs[w.kept] > kept:
        w.kept -= 1
    w.rung = LADDER_NONE


cdef bint ladder_sleeps(const Want* w) noexcept nogil:
    cdef int s, t
    cdef int most = ladder_temporal(w)
    for s in range(ladder_spatial(w) + 1):
        for t in range(most + 1):
            if w.rates[s][t] == 0 and w.nominal[s][t]:
                return True
    return False
