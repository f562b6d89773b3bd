"""When numbered packets came; see arrival.pxd for the contract."""

from libc.string cimport memset

from simplestchat._native.core.types cimport i16, u8, u16, u32, u64, us_t
from simplestchat._native.wire.twcc cimport TwccPacket, twcc_write

cdef enum:
    _FIRST = 1 << 16             # where unwrapped numbers begin: what comes late at the start has no negative number
    _FEEDBACK_PACKETS = 512      # told of in one feedback: it fits in a datagram whatever they are
    _LEAST_CLOCK_US = 1          # 0 means that a packet did not come


cdef void arrivals_init(Arrivals* a) noexcept nogil:
    memset(a, 0, sizeof(Arrivals))
    a.due_us = <us_t>ARRIVALS_NEVER_US


cdef void _forget(Arrivals* a, u64 index) noexcept nogil:
    """Begins anew with this number."""
    memset(a.came_us, 0, sizeof(a.came_us))
    a.next = index
    a.end = index
    a.begun = 1


cdef void _reach(Arrivals* a, u64 end) noexcept nogil:
    """The places up to `end` are for numbers that did not come yet."""
    while a.end < end:
        a.came_us[a.end & (ARRIVALS_RING - 1)] = 0
        a.end += 1
    if a.end - a.next > ARRIVALS_RING:
        a.next = a.end - ARRIVALS_RING


cdef void arrivals_note(Arrivals* a, u16 number, us_t now) noexcept nogil:
    cdef u64 index = (a.end - 1) + <u64><i16>(number - <u16>(a.end - 1)) if a.begun else <u64>_FIRST + number
    if not a.begun or index >= a.end + ARRIVALS_RING:
        _forget(a, index)
    elif index + ARRIVALS_RING < a.end:
        return
    if index >= a.end:
        _reach(a, index + 1)
    elif a.came_us[index & (ARRIVALS_RING - 1)]:
        return
    a.came_us[index & (ARRIVALS_RING - 1)] = max(now, <us_t>_LEAST_CLOCK_US)
    if index < a.next:
        a.next = index
    a.count += 1
    if a.due_us == ARRIVALS_NEVER_US:
        a.due_us = max(now, a.told_us + ARRIVALS_LATE_US)
    elif a.count >= ARRIVALS_MANY:
        a.due_us = min(a.due_us, max(now, a.told_us + ARRIVALS_SOON_US))


cdef int _gather(const Arrivals* a, TwccPacket* packets) noexcept nogil:
    """The numbers from a.next on, without lost ones at the end. How many."""
    cdef int count = 0
    cdef int last = 0
    cdef u64 index = a.next
    while index < a.end and count < _FEEDBACK_PACKETS:
        packets[count].arrival_us = a.came_us[index & (ARRIVALS_RING - 1)]
        packets[count].received = packets[count].arrival_us != 0
        count += 1
        index += 1
        if packets[count - 1].received:
            last = count
    return last


cdef int arrivals_write(Arrivals* a, u8* out, size_t cap, u32 sender, u32 media, us_t now) noexcept nogil:
    cdef TwccPacket packets[_FEEDBACK_PACKETS]
    cdef int count
    cdef int size
    while a.next < a.end:
        count = _gather(a, packets)
        if count == 0:
            a.next = min(a.end, a.next + _FEEDBACK_PACKETS)       # a long gap: what comes behind it tells that they are lost
            continue
        size = twcc_write(out, cap, sender, media, a.feedback_count, <u16>a.next, packets, count)
        while size < 0 and count > 1:      # arrivals too far apart, or no room: fewer of them
            count //= 2
            size = twcc_write(out, cap, sender, media, a.feedback_count, <u16>a.next, packets, count)
        a.next += count
        if size > 0:
            a.feedback_count += 1
            break
    else:
        size = 0
    if size <= 0 or a.next >= a.end:
        a.told_us = now
        a.due_us = <us_t>ARRIVALS_NEVER_US
        a.count = 0
    return size if size > 0 else 0
