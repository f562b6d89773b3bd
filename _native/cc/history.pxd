# What left lately on one transport, by transport-wide number: when, how much, and what the receiver said of it.
#
# The ring grows while it would forget what is younger than HISTORY_KEEP_US, up to HISTORY_MAX: a transport that was sent
# nothing holds nothing, a thin one little.
from simplestchat._native.core.types cimport u8, u16, u32, u64, us_t

cdef enum:
    HISTORY_AT_FIRST = 32        # slots
    HISTORY_MAX = 8192           # a quarter of what 16 bits can tell apart
    HISTORY_KEEP_US = 2000000    # feedback that comes later than this says nothing new

cdef enum DepartureState:
    DEPARTURE_NONE = 0
    DEPARTURE_UNTOLD             # no feedback about it yet
    DEPARTURE_LOST               # told as not received; may still be told as received
    DEPARTURE_ARRIVED

cdef struct Departure:
    us_t sent_us
    u16 size                     # bytes of UDP payload
    u16 cluster                  # the probe that it is part of, or 0
    u8 state

cdef struct History:
    Departure* slots             # NULL before the first packet
    u64 next                     # the number of the next packet; its low 16 bits go on the wire
    u32 mask

cdef void history_free(History* h) noexcept nogil
# Twice the slots, or the first ones; False without memory.
cdef bint history_grow(History* h) noexcept nogil

# The slot of the next packet, whose number it takes; NULL without memory (the number is taken all the same).
cdef inline Departure* history_put(History* h, us_t now) noexcept nogil:
    cdef Departure* slot
    cdef u64 number = h.next
    h.next += 1
    if h.slots == NULL and not history_grow(h):
        return NULL
    slot = &h.slots[number & h.mask]
    if slot.state != DEPARTURE_NONE and h.mask + 1 < HISTORY_MAX and now - slot.sent_us < HISTORY_KEEP_US and history_grow(h):
        slot = &h.slots[number & h.mask]
    slot.sent_us = now
    slot.state = DEPARTURE_UNTOLD
    return slot

# By a number of the wire; NULL when it was never sent or is forgotten.
cdef inline Departure* history_find(const History* h, u16 sequence) noexcept nogil:
    cdef u64 behind = <u16> (h.next - 1 - sequence)
    cdef Departure* slot
    if h.slots == NULL or behind >= h.next or behind > h.mask:
        return NULL
    slot = &h.slots[(h.next - 1 - behind) & h.mask]
    return slot if slot.state != DEPARTURE_NONE else NULL
