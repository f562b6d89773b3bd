"""The list of missing packets of one received stream; see nack.pxd for the contract."""

from libc.string cimport memmove, memset
from simplestchat._native.core.types cimport u16, u32, u64, us_t
from simplestchat._native.wire.rtcp cimport NackItem

cdef enum:
    ITEM_SPAN = 16       # an item names its first packet and any of the 16 behind it
    RTT_SMOOTHING = 8    # as RFC 6298 section 2 smooths


cdef void nack_init(NackList* n) noexcept nogil:
    memset(n, 0, sizeof(NackList))
    n.deadline = NACK_NO_DEADLINE


cdef inline void _update_deadline(NackList* n) noexcept nogil:
    cdef int i
    n.deadline = NACK_NO_DEADLINE
    for i in range(n.count):
        if n.entries[i].next_us < n.deadline:
            n.deadline = n.entries[i].next_us


cdef inline void _add_gap(NackList* n, u64 first, u64 count, us_t now) noexcept nogil:
    cdef u64 i
    cdef NackEntry* entry
    if count > <u64>(NACK_CAPACITY - n.count):
        n.count = 0
        n.overflowed = 1
        n.deadline = NACK_NO_DEADLINE
        return
    for i in range(count):
        entry = &n.entries[n.count]
        entry.index = first + i
        entry.first_us = now
        entry.next_us = now
        entry.asked_us = 0
        entry.tries = 0
        n.count += 1
    if count and now < n.deadline:
        n.deadline = now


cdef inline int _find(const NackList* n, u64 index) noexcept nogil:
    """The place of a missing packet, -1 when it is not missing."""
    cdef int low = 0, high = n.count, middle
    while low < high:
        middle = (low + high) // 2
        if n.entries[middle].index < index:
            low = middle + 1
        else:
            high = middle
    return low if low < n.count and n.entries[low].index == index else -1


cdef inline bint _strike_off(NackList* n, u64 index) noexcept nogil:
    cdef int at = _find(n, index)
    cdef us_t due
    if at < 0:
        return False
    due = n.entries[at].next_us
    n.count -= 1
    memmove(&n.entries[at], &n.entries[at + 1], (n.count - at) * sizeof(NackEntry))
    if due == n.deadline:
        _update_deadline(n)
    return True


cdef int nack_received(NackList* n, u64 index, us_t now) noexcept nogil:
    if not n.begun:
        n.begun = 1
        n.highest = index
        return 0
    if index > n.highest:
        _add_gap(n, n.highest + 1, index - n.highest - 1, now)
        n.highest = index
        return 0
    return _strike_off(n, index)


cdef void nack_repaired(NackList* n, u64 index, us_t now) noexcept nogil:
    cdef int at = _find(n, index)
    cdef us_t sample
    if at < 0:
        n.doubts += n.count > 0
        if n.doubts >= NACK_DOUBTS and n.rtt_us < NACK_LONGEST_GUESS_US:
            n.rtt_us = min(2 * n.rtt_us, <us_t> NACK_LONGEST_GUESS_US)
            n.guessed = 1
            n.doubts = 0
        return
    if n.entries[at].tries > 1 and n.rtt_us == 0:
        n.rtt_us = now - n.entries[at].first_us
        n.guessed = 1
    if n.entries[at].tries != 1:
        return
    sample = now - n.entries[at].asked_us
    n.rtt_us = sample if n.rtt_us == 0 or n.guessed else n.rtt_us + (sample - n.rtt_us) // RTT_SMOOTHING
    n.guessed = n.doubts = 0


cdef inline bint _hopeless(const NackEntry* entry, us_t now) noexcept nogil:
    return now - entry.first_us >= NACK_MAX_AGE_US or (entry.tries >= NACK_MAX_TRIES and entry.next_us <= now)


cdef int nack_collect(NackList* n, us_t now, us_t rtt, NackItem* out, int cap, u32* given_up) noexcept nogil:
    cdef us_t gap = rtt if rtt > NACK_MIN_GAP_US else NACK_MIN_GAP_US
    cdef u64 item_first = 0
    cdef int items = 0, i, kept = 0
    cdef NackEntry* entry
    given_up[0] = 0
    if now < n.deadline:
        return 0
    for i in range(n.count):
        entry = &n.entries[i]
        if _hopeless(entry, now):
            given_up[0] += 1
            continue
        if entry.next_us <= now and (items < cap or (items > 0 and entry.index - item_first <= ITEM_SPAN)):
            if items > 0 and entry.index - item_first <= ITEM_SPAN:
                out[items - 1].blp |= <u16>(1 << (entry.index - item_first - 1))
            else:
                item_first = entry.index
                out[items].pid = <u16>entry.index
                out[items].blp = 0
                items += 1
            entry.tries += 1
            entry.asked_us = now
            entry.next_us = min(now + gap, entry.first_us + NACK_MAX_AGE_US)
        if kept != i:
            n.entries[kept] = entry[0]
        kept += 1
    n.count = <u16>kept
    _update_deadline(n)
    return items
