"""What left lately on one transport; see history.pxd for the contract."""

from libc.stdlib cimport calloc, free
from libc.string cimport memset
from simplestchat._native.core.types cimport u32, u64


cdef void history_free(History* h) noexcept nogil:
    free(h.slots)
    memset(h, 0, sizeof(History))


cdef bint history_grow(History* h) noexcept nogil:
    cdef u32 before = h.mask + 1 if h.slots != NULL else 0
    cdef u32 size = before * 2 if before else <u32> HISTORY_AT_FIRST
    cdef Departure* slots = <Departure*> calloc(size, sizeof(Departure))
    cdef u64 number = h.next - 1         # taken, but not yet written
    cdef u32 i
    if slots == NULL:
        return False
    for i in range(1, before + 1):
        if number >= i:
            slots[(number - i) & (size - 1)] = h.slots[(number - i) & h.mask]
    free(h.slots)
    h.slots = slots
    h.mask = size - 1
    return True
