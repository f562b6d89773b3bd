"""Arrivals of numbered packets, and the feedback about them; see arrivals.pxd for the contract."""

from libc.stdlib cimport calloc
from libc.string cimport memset

from simplestchat._native.core.types cimport i32, u8, u16, u32, u64, us_t
from simplestchat._native.wire.twcc cimport TwccPacket, twcc_write

cdef enum:
    NEVER = 0x7FFFFFFFFFFFFFFF
    MASK = ARRIVALS_SIZE - 1
    HALF = 0x8000                  # of the numbers: further ahead is behind
    FURTHEST_US = 8000000          # two neighbours further apart do not fit one feedback


cdef Arrivals* arrivals_new() noexcept nogil:
    cdef Arrivals* a = <Arrivals*>calloc(1, sizeof(Arrivals))
    if a != NULL:
        a.due_us = <us_t>NEVER
    return a


cdef inline void _advance(Arrivals* a, u16 number) noexcept nogil:
    """The numbers up to this one are missing, for now."""
    if <u16>(number - a.end) >= ARRIVALS_SIZE:
        memset(a.at, 0, sizeof(a.at))
    else:
        while a.end != number:
            a.at[a.end & MASK] = 0
            a.end += 1
    a.end = <u16>(number + 1)
    a.at[number & MASK] = 0
    if <u16>(a.end - a.first) > ARRIVALS_SIZE:
        a.first = <u16>(a.end - ARRIVALS_SIZE)


cdef void arrivals_packet(Arrivals* a, u16 number, us_t arrival) noexcept nogil:
    if not a.begun:
        a.begun = 1
        a.first = a.end = number
    if <u16>(number - a.end) < HALF:
        _advance(a, number)
    elif <u16>(a.end - number) > ARRIVALS_LATEST or a.at[number & MASK]:
        return
    elif <u16>(a.end - number) > <u16>(a.end - a.first):
        a.first = number
    a.at[number & MASK] = max(<u32>arrival, <u32>1)
    a.newest_us = max(a.newest_us, arrival)
    if a.waiting == 0:
        a.since_us = arrival
    a.waiting += 1
    if <u16>(a.end - a.first) >= ARRIVALS_SPAN:
        a.due_us = arrival
    else:
        a.due_us = min(a.due_us, a.since_us + (ARRIVALS_FAST_US if a.waiting >= ARRIVALS_MANY else ARRIVALS_SLOW_US))


cdef u32 _collect(const Arrivals* a, TwccPacket* packets, u32* told) noexcept nogil:
    """What one feedback can tell. How many numbers it gets through, and up to which it has something to tell."""
    cdef us_t at, before = -1
    cdef u32 most = min(<u32>ARRIVALS_SPAN, <u32><u16>(a.end - a.first))
    cdef u32 i, seen
    told[0] = 0
    for i in range(most):
        seen = a.at[(a.first + i) & MASK]
        packets[i].received = seen != 0
        if seen == 0:
            continue
        at = a.newest_us + <i32>(seen - <u32>a.newest_us)
        if before >= 0 and not -FURTHEST_US < at - before < FURTHEST_US:
            return i
        packets[i].arrival_us = before = at
        told[0] = i + 1
    return most


cdef int arrivals_write(Arrivals* a, u32 sender, u32 media, us_t now, u8* out, u32 cap) noexcept nogil:
    cdef TwccPacket packets[ARRIVALS_SPAN]
    cdef u32 passed, told
    cdef int size = 0
    while size <= 0 and a.due_us <= now:
        passed = _collect(a, packets, &told)
        if told:
            size = twcc_write(out, cap, sender, media, a.feedback_count, a.first, packets, told)
            a.feedback_count += 1
            a.feedbacks += 1
        a.first = <u16>(a.first + (told if told else passed))
        if a.first == a.end:
            a.waiting = 0
            a.due_us = <us_t>NEVER
    return max(size, 0)
