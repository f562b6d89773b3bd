"""The choices that one want has; see ladder.pxd for the contract."""

from simplestchat._native.cc.allocator cimport ALLOC_LAYERS, ALLOC_RUNGS, Want
from simplestchat._native.core.types cimport i8, u8, u32, u64


cdef inline bint _alive(const Want* w, int spatial, int most, bint asleep) noexcept nogil:
    cdef int t
    for t in range(most + 1):
        if ladder_cost(w, spatial, t, asleep):
            return True
    return False


cdef int _least_temporal(const Want* w, int spatial, int most, bint asleep) noexcept nogil:
    """The lowest frame rate that a spatial layer above the lowest is worth having at."""
    cdef int t
    if w.still or w.temporal_count < 3:
        return 0
    for t in range(1, most + 1):
        if ladder_cost(w, spatial, t, asleep):
            return 1
    return 0


cdef void ladder_build(Want* w, int kept, bint asleep) noexcept nogil:
    # From the top down: what costs no less than something better is left out. Not so what is kept, for rates waver, and it would be
    # taken away from below its feet.
    cdef u8 found[ALLOC_RUNGS]
    cdef int most = ladder_temporal(w)
    cdef int s, t, least, n = 0, lowest = 0
    cdef u64 ceiling = <u64>1 << 32
    cdef u32 cost
    cdef int top = ladder_spatial(w)
    while lowest < top and not _alive(w, lowest, most, asleep):
        lowest += 1
    for s in range(top, -1, -1):
        least = _least_temporal(w, s, most, asleep) if s > lowest else 0
        for t in range(most, least - 1, -1):
            cost = ladder_cost(w, s, t, asleep)
            if cost and (cost < ceiling or s * ALLOC_LAYERS + t == kept):
                ceiling = min(ceiling, <u64>cost)
                found[n] = <u8>(s * ALLOC_LAYERS + t)
                n += 1
    w.top = <i8>(n - 1)
    for s in range(n):
        w.rungs[s] = found[n - 1 - s]
    w.kept = <i8>(n - 1)
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
