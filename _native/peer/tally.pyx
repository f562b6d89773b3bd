"""Counting an encoding's packets; see tally.pxd for the contract."""

from libc.string cimport memset
from simplestchat._native.core.types cimport u8, u32, u64, us_t
from simplestchat._native.peer.ledger cimport LEDGER_BITS, Ledger, ledger_anybody

cdef enum:
    _SLOT_BITS = 18


cdef void tally_begin(Tally* t, u64 who, u8 track, u8 layer, u32 counter, u32 frame) noexcept nogil:
    memset(t.bits, 0, (t.mask + 1) // 8)
    t.first = t.next = t.settled = counter
    t.missing = 0
    t.who = who
    t.track = track
    t.layer = layer
    t.first_frame = t.last_frame = frame
    t.used = 1
    t.mark_first = t.mark_count = 0


cdef inline bint _came(const Tally* t, u64 counter) noexcept nogil:
    return (t.bits[(counter & t.mask) >> 6] >> (counter & 63)) & 1


cdef inline void _set(Tally* t, u64 counter) noexcept nogil:
    t.bits[(counter & t.mask) >> 6] |= <u64> 1 << (counter & 63)


cdef inline void _clear(Tally* t, u64 counter, u64 end) noexcept nogil:
    if end - counter > t.mask:
        memset(t.bits, 0, (t.mask + 1) // 8)
        return
    while counter < end:
        t.bits[(counter & t.mask) >> 6] &= ~(<u64> 1 << (counter & 63))
        counter += 1


cdef inline void _lose(const Tally* t, u64 counter, const Ledger* ledger, TallyLosses* losses) noexcept nogil:
    losses.lost += 1
    if ledger is not NULL and not ledger_anybody(ledger, t.who, t.track, t.layer, <u32> counter):
        losses.lost_uplink += 1


cdef void _settle_below(Tally* t, u64 limit, const Ledger* ledger, TallyLosses* losses) noexcept nogil:
    cdef u64 counter = t.settled
    if limit <= counter:
        return
    while counter < limit and t.missing:
        if not _came(t, counter):
            t.missing -= 1
            _lose(t, counter, ledger, losses)
        counter += 1
    t.settled = limit


cdef void tally_settle(Tally* t, us_t now, const Ledger* ledger, TallyLosses* losses) noexcept nogil:
    while t.mark_count and now - TALLY_SETTLE_US >= t.marks[t.mark_first].at:
        _settle_below(t, t.marks[t.mark_first].limit, ledger, losses)
        t.mark_first = (t.mark_first + 1) % TALLY_MARKS
        t.mark_count -= 1


cdef u64 tally_close(Tally* t, us_t now, const Ledger* ledger, TallyLosses* losses) noexcept nogil:
    cdef u64 forgotten
    tally_settle(t, now, ledger, losses)
    forgotten = t.missing
    t.missing = 0
    t.mark_count = 0
    t.settled = t.next
    return forgotten


cdef void _mark(Tally* t, us_t now, u64 limit) noexcept nogil:
    cdef us_t at = ((now >> _SLOT_BITS) + 1) << _SLOT_BITS
    cdef TallyMark* last = &t.marks[(t.mark_first + t.mark_count + TALLY_MARKS - 1) % TALLY_MARKS]
    # A clock that went back a little, or settling that nobody asked for in time: the newest slot takes it.
    if t.mark_count and (at <= last.at or t.mark_count == TALLY_MARKS):
        if limit > last.limit:
            last.limit = limit
        return
    last = &t.marks[(t.mark_first + t.mark_count) % TALLY_MARKS]
    last.at = at
    last.limit = limit
    t.mark_count += 1


# The window moves on to end at `next`: what it cannot hold any longer is decided, and what comes in is missing.
cdef void _advance(Tally* t, u64 next, const Ledger* ledger, TallyLosses* losses) noexcept nogil:
    cdef u64 window = t.mask + 1, oldest = next - window if next > window else 0
    cdef u64 counter
    if oldest > t.settled:
        _settle_below(t, min(oldest, t.next), ledger, losses)
        if oldest > t.next:
            # A jump over more than a window. The ledger knows the latest of them at most.
            counter = oldest - LEDGER_BITS if oldest - t.next > LEDGER_BITS else t.next
            losses.lost += counter - t.next
            while counter < oldest:
                _lose(t, counter, ledger, losses)
                counter += 1
            t.next = t.settled = oldest
    _clear(t, t.next, next)
    t.missing += next - t.next
    t.next = next


cdef int _before(Tally* t, u64 counter, us_t now, u64* missed) noexcept nogil:
    if t.first - counter > TALLY_BACK or t.settled != t.first or t.next - counter > t.mask + 1:
        return TALLY_TOO_LATE
    missed[0] = t.first - counter - 1
    _clear(t, counter, t.first)
    if missed[0]:
        _mark(t, now, t.first)
    t.missing += missed[0]
    t.first = t.settled = counter
    _set(t, counter)
    return TALLY_EARLIER


cdef int tally_packet(Tally* t, u32 counter, us_t now, const Ledger* ledger, u64* missed, TallyLosses* losses) noexcept nogil:
    missed[0] = 0
    if t.mark_count:
        tally_settle(t, now, ledger, losses)
    if counter >= t.next:
        missed[0] = counter - t.next
        _advance(t, <u64> counter + 1, ledger, losses)
        t.missing -= 1
        _set(t, counter)
        if missed[0]:
            _mark(t, now, counter)
        return TALLY_NEXT
    if counter < t.first:
        return _before(t, counter, now, missed)
    if t.next - counter > t.mask + 1 or _came(t, counter):
        return TALLY_DUPLICATE
    if counter < t.settled:
        return TALLY_TOO_LATE
    t.missing -= 1
    _set(t, counter)
    return TALLY_FILLED


cdef u64 tally_expect(Tally* t, u32 next, us_t now, const Ledger* ledger, TallyLosses* losses) noexcept nogil:
    cdef u64 missed
    if next <= t.next:
        return 0
    missed = next - t.next
    tally_settle(t, now, ledger, losses)
    _advance(t, next, ledger, losses)
    _mark(t, now, next)
    return missed
