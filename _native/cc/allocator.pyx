"""Divides a receiver's bandwidth among its videos; see allocator.pxd for the contract."""

from libc.stdlib cimport calloc, free
from libc.string cimport memset
from simplestchat._native.cc.ladder cimport (
    ladder_build,
    ladder_number,
    ladder_price,
    ladder_sleeps,
    ladder_spatial,
    ladder_temporal,
)
from simplestchat._native.core.types cimport i8, u8, u32, u64, us_t

cdef enum:
    RANKS = 256
    NONE = -1

# What one pass over the wants has to know.
cdef struct Pass:
    Want** wants
    u32 count
    u64 taken
    u64 keep_limit               # what is sent already may take so much
    u64 first_limit              # and the most important of it, as little as there is of it
    u64 attempt_limit            # and what is tried where nothing is sent
    u64 climb_limit              # and with what is added
    us_t now


cdef void want_init(Want* w, u32 id) noexcept nogil:
    memset(w, 0, sizeof(Want))
    w.id = id
    w.ranked = 255
    w.spatial = w.temporal = w.wished_spatial = w.wished_temporal = NONE
    w.reason = ALLOC_HIDDEN


cdef void allocator_free(Allocator* a) noexcept nogil:
    free(a.log)
    a.log = NULL


cdef const char* alloc_reason(u8 reason) noexcept nogil:
    if reason == ALLOC_WANTED:
        return b"wanted"
    if reason == ALLOC_HIDDEN:
        return b"hidden"
    if reason == ALLOC_BANDWIDTH:
        return b"bandwidth"
    if reason == ALLOC_SOURCE:
        return b"source"
    if reason == ALLOC_HELD:
        return b"held"
    if reason == ALLOC_YIELDED:
        return b"yielded"
    return b"unknown"


# --- climbing ---


cdef inline bint _may_climb(const Want* w, us_t now) noexcept nogil:
    """Nothing is worse than no picture: it does not wait for longer because of strikes."""
    if w.rung < 0:
        return w.fell_us == 0 or now - w.fell_us >= ALLOC_HOLD_US
    return now >= w.held_us


cdef inline bint _take(Pass* p, Want* w) noexcept nogil:
    """The next rung, if it fits."""
    cdef u64 after = p.taken - ladder_price(w, w.rung) + ladder_price(w, w.rung + 1)
    if w.rung < w.kept:
        if after > p.keep_limit:
            return False
    elif after > p.climb_limit or not _may_climb(w, p.now):
        return False
    w.rung += 1
    p.taken = after
    return True


cdef inline void _set_key(Want* w) noexcept nogil:
    """Who has the least climbs first; what was sent already counts a quarter less, so that equals do not swap."""
    w.key = ladder_price(w, w.rung)
    if w.rung < w.kept:
        w.key -= w.key // 4


cdef void _sink(Want** heap, u32 count, u32 at) noexcept nogil:
    """Restores the heap below `at`: the least key is at its root."""
    cdef Want* moved = heap[at]
    cdef u32 child = 2 * at + 1
    while child < count:
        if child + 1 < count and heap[child + 1].key < heap[child].key:
            child += 1
        if heap[child].key >= moved.key:
            break
        heap[at] = heap[child]
        at = child
        child = 2 * at + 1
    heap[at] = moved


cdef bint _all_at_once(Pass* p, Want** rank, u32 count) noexcept nogil:
    """One rank gets all that it wants, if that fits. Whether it did."""
    cdef u64 limit = p.keep_limit
    cdef u64 after = p.taken
    cdef Want* w
    cdef u32 i
    for i in range(count):
        w = rank[i]
        if w.rung < 0 and w.top >= 0:
            return False
        after += ladder_price(w, w.top) - ladder_price(w, w.rung)
        if w.kept < w.top:
            limit = p.climb_limit
            if not _may_climb(w, p.now):
                return False
    if after > limit:
        return False
    for i in range(count):
        rank[i].rung = rank[i].top
    p.taken = after
    return True


cdef void _climb(Pass* p, Want** rank, u32 count) noexcept nogil:
    """One rank climbs as far as it can. Orders its part of the array anew."""
    cdef u32 i, left = count
    cdef Want* w
    cdef bint more
    if _all_at_once(p, rank, count):
        return
    for i in range(count):
        _set_key(rank[i])
    for i in range(count // 2, 0, -1):
        _sink(rank, count, i - 1)
    while left:
        w = rank[0]
        more = w.rung >= 0 and w.rung < w.top and _take(p, w)
        if more:
            _set_key(w)
        else:
            left -= 1
            rank[0] = rank[left]
            rank[left] = w
        _sink(rank, left, 0)


cdef void _attempt(Pass* p, Want* w) noexcept nogil:
    """Nothing at all would be sent, and an estimate learns nothing from that: the least of one is tried, ever more seldom."""
    cdef u64 least = ladder_price(w, 0)
    if least <= p.attempt_limit and p.now >= min(w.held_us, w.fell_us + ALLOC_ATTEMPT_US):
        w.rung = 0
        p.taken = least


cdef void _begin(Pass* p, Want** rank, u32 count) noexcept nogil:
    """One rank's lowest rungs: those that are shown, then the others."""
    cdef u64 keep_limit = p.keep_limit
    cdef u32 i
    for i in range(count):
        if rank[i].kept >= 0:
            p.keep_limit = keep_limit if p.taken else p.first_limit
            _take(p, rank[i])
    p.keep_limit = keep_limit
    for i in range(count):
        if rank[i].kept < 0 and rank[i].top >= 0 and not _take(p, rank[i]) and p.taken == 0:
            _attempt(p, rank[i])


cdef void _fill(Pass* p) noexcept nogil:
    """Ladders are laid out, the wants are in order of rank: what each one gets."""
    cdef u32 start, end
    cdef int turn
    p.taken = 0
    for turn in range(2):
        start = 0
        while start < p.count:
            end = start + 1
            while end < p.count and p.wants[end].rank == p.wants[start].rank:
                end += 1
            if turn == 0:
                _begin(p, p.wants + start, end - start)
            else:
                _climb(p, p.wants + start, end - start)
            start = end


cdef void _order(Want** wants, u32 count) noexcept nogil:
    """By rank, as they stand within a rank."""
    cdef Want* heads[RANKS]
    cdef Want* w
    cdef u32 i, at = 0
    cdef int rank
    for i in range(1, count):
        if wants[i].rank < wants[i - 1].rank:
            break
    else:
        return
    memset(heads, 0, sizeof(heads))
    for i in range(count, 0, -1):
        w = wants[i - 1]
        w.next = heads[w.rank]
        heads[w.rank] = w
    for rank in range(RANKS):
        w = heads[rank]
        while w != NULL:
            wants[at] = w
            at += 1
            w = w.next


# --- limits ---


cdef void _prove(Allocator* a, u64 budget, us_t now) noexcept nogil:
    """Keeps the least budget of the last while, in two halves."""
    if a.proof_us == 0 or now < a.last_us or now - a.last_us > ALLOC_PROOF_US:
        a.proof_us = now
        a.least_bps = budget
        a.older_bps = 0
        return
    a.least_bps = min(a.least_bps, budget)
    if now - a.proof_us >= ALLOC_PROOF_US:
        a.older_bps = a.least_bps
        a.least_bps = budget
        a.proof_us = now


cdef void _limit(Allocator* a, Pass* p, u64 budget) noexcept nogil:
    cdef u64 proven = min(a.older_bps, a.least_bps)
    p.climb_limit = max(budget - budget // ALLOC_MARGIN, proven - proven // ALLOC_PROVEN_MARGIN)
    p.keep_limit = budget
    if a.over_us == 0 or p.now - a.over_us < ALLOC_GRACE_US:
        p.keep_limit += budget // ALLOC_GRACE
    p.first_limit = p.keep_limit
    p.attempt_limit = budget * ALLOC_ATTEMPT
    if a.over_us == 0 or p.now - a.over_us < ALLOC_LAST_US:
        p.first_limit = max(p.first_limit, a.estimate_bps, budget * ALLOC_LAST)


# --- what comes of it ---


cdef void _log(Allocator* a, const Want* w, i8 spatial, i8 temporal, us_t now) noexcept nogil:
    """A change, from what it is to these layers. Without memory it is not remembered."""
    cdef AllocRow* row
    if a.log == NULL:
        a.log = <AllocRow*>calloc(ALLOC_LOG_ROWS, sizeof(AllocRow))
        if a.log == NULL:
            return
    row = &a.log[a.logged % ALLOC_LOG_ROWS]
    row.at_us = now
    row.estimate_bps = a.estimate_bps
    row.id = w.id
    row.from_spatial = w.spatial
    row.from_temporal = w.temporal
    row.to_spatial = spatial
    row.to_temporal = temporal
    row.reason = w.reason
    a.logged += 1


cdef u8 _why(const Pass* p, const Want* w) noexcept nogil:
    """The reason for what it has now, as far as it shows in what it has now."""
    cdef int most = ladder_spatial(w)
    if most < 0 and w.spatial_count and w.temporal_count:
        return ALLOC_HIDDEN
    if w.rung == w.top:
        if w.top >= 0 and w.rungs[w.top] == most * ALLOC_LAYERS + ladder_temporal(w):
            return ALLOC_WANTED
        return ALLOC_SOURCE
    if p.taken - ladder_price(w, w.rung) + ladder_price(w, w.rung + 1) <= p.climb_limit and not _may_climb(w, p.now):
        return ALLOC_HELD
    return ALLOC_BANDWIDTH


cdef void _fall(Want* w, bint yielded, us_t now) noexcept nogil:
    """It lost something to bandwidth, or to others."""
    if not yielded and w.climbed_us > w.fell_us and now - w.climbed_us < ALLOC_STRIKE_US and w.strikes < ALLOC_MAX_STRIKES:
        w.strikes += 1
    w.fell_us = now
    w.held_us = now + min(<us_t>ALLOC_HOLD_US << (0 if yielded else w.strikes), <us_t>ALLOC_HOLD_MAX_US)


cdef bint _settle(Allocator* a, const Pass* p, Want* w, bint passed) noexcept nogil:
    """Makes a rung a choice; `passed`: another one climbed in this turn. Whether the choice is another one than before."""
    cdef int before = ladder_number(w.spatial, w.temporal)
    cdef int after = <int>w.rungs[w.rung] if w.rung >= 0 else <int>NONE
    cdef u8 reason = _why(p, w)
    cdef i8 spatial, temporal
    if w.rung < w.kept:
        if passed and reason == ALLOC_BANDWIDTH:
            reason = ALLOC_YIELDED
        _fall(w, passed, p.now)
    elif w.rung > w.kept:
        w.climbed_us = p.now
        w.held_us = max(w.held_us, p.now + ALLOC_CLIMB_GAP_US)
    elif w.reason == ALLOC_YIELDED and reason == ALLOC_BANDWIDTH:
        reason = ALLOC_YIELDED
    if w.strikes and w.climbed_us > w.fell_us and p.now - w.climbed_us >= ALLOC_FORGET_US:
        w.strikes = 0
    w.reason = reason
    if after == before:
        return False
    spatial = <i8>(after // ALLOC_LAYERS) if after >= 0 else <i8>NONE
    temporal = <i8>(after % ALLOC_LAYERS) if after >= 0 else <i8>NONE
    _log(a, w, spatial, temporal, p.now)
    w.spatial = spatial
    w.temporal = temporal
    w.changed_us = p.now
    return True


cdef void _ready(Want* w, us_t now) noexcept nogil:
    """What does not wait: one that is more important now, and one that was out of view."""
    if w.rank < w.ranked:
        w.strikes = 0
        w.held_us = 0
    if ladder_spatial(w) < 0:
        w.held_us = w.fell_us = w.climbed_us = 0
    w.ranked = w.rank
    # Whatever the caller wrote, the ladder has to hold it.
    if w.spatial < 0 or w.temporal < 0 or w.spatial >= ALLOC_LAYERS or w.temporal >= ALLOC_LAYERS:
        w.spatial = w.temporal = NONE
    if w.wished_spatial >= ALLOC_LAYERS or w.wished_temporal >= ALLOC_LAYERS:
        w.wished_spatial = w.wished_temporal = NONE


cdef void _look_ahead(Allocator* a, const Pass* p) noexcept nogil:
    """What the next climb would take, and what everything would."""
    cdef u64 least = 0, after
    cdef Want* w
    cdef u32 i
    a.all_bps = 0
    for i in range(p.count):
        w = p.wants[i]
        a.all_bps += ladder_price(w, w.top)
        if w.rung < w.top and _may_climb(w, p.now):
            after = p.taken - ladder_price(w, w.rung) + ladder_price(w, w.rung + 1)
            if least == 0 or after < least:
                least = after
    a.next_bps = least + least // (ALLOC_MARGIN - 1) + 1 if least else 0


cdef void _wish(Pass* p) noexcept nogil:
    """The same with sleeping layers as if they were awake: what the publisher should send."""
    cdef Want* w
    cdef u32 i
    for i in range(p.count):
        w = p.wants[i]
        ladder_build(w, max(ladder_number(w.spatial, w.temporal), ladder_number(w.wished_spatial, w.wished_temporal)), True)
    _fill(p)
    for i in range(p.count):
        w = p.wants[i]
        # What is still sent is wanted until it is taken away.
        if w.rung >= 0 and w.rungs[w.rung] > ladder_number(w.spatial, w.temporal):
            w.wished_spatial = <i8>(w.rungs[w.rung] // ALLOC_LAYERS)
            w.wished_temporal = <i8>(w.rungs[w.rung] % ALLOC_LAYERS)
        else:
            w.wished_spatial = w.spatial
            w.wished_temporal = w.temporal


cdef bint _choose(Allocator* a, Pass* p) noexcept nogil:
    """What to send of each, of what is alive. Whether there is more that could be woken."""
    cdef Want* w
    cdef bint passed = False, sleeps = False
    cdef u32 i
    for i in range(p.count):
        w = p.wants[i]
        _ready(w, p.now)
        ladder_build(w, ladder_number(w.spatial, w.temporal), False)
        sleeps |= ladder_sleeps(w)
    _fill(p)
    for i in range(p.count):
        passed |= p.wants[i].rung > p.wants[i].kept
    for i in range(p.count):
        a.changes += _settle(a, p, p.wants[i], passed)
    return sleeps


cdef u64 allocate(Allocator* a, Want** wants, u32 count, u64 budget_bps, us_t now) noexcept nogil:
    cdef Pass p
    cdef Want* w
    cdef bint sleeps
    cdef u32 i
    p.wants = wants
    p.count = count
    p.now = now
    a.changes = 0
    _prove(a, budget_bps, now)
    _limit(a, &p, budget_bps)
    _order(wants, count)
    sleeps = _choose(a, &p)
    a.taken_bps = p.taken
    if p.taken <= budget_bps:
        a.over_us = 0
    elif a.over_us == 0:
        a.over_us = now
    a.budget_bps = budget_bps
    a.last_us = now
    if sleeps:
        _wish(&p)
    else:
        for i in range(count):
            w = wants[i]
            w.wished_spatial = w.spatial
            w.wished_temporal = w.temporal
    for i in range(count):
        w = wants[i]
        # Of a source of which nothing is known yet, the least is wished for.
        if w.top < 0 and ladder_spatial(w) >= 0 and ladder_temporal(w) >= 0:
            w.wished_spatial = 0
            w.wished_temporal = <i8>ladder_temporal(w)
    _look_ahead(a, &p)
    return a.taken_bps


cdef u32 allocator_rows(const Allocator* a, AllocRow* out) noexcept nogil:
    cdef u32 count = min(a.logged, <u32>ALLOC_LOG_ROWS)
    cdef u32 i
    if a.log == NULL:
        return 0
    for i in range(count):
        out[i] = a.log[(a.logged - count + i) % ALLOC_LOG_ROWS]
    return count
