"""A Python door to when numbered packets came (cc/arrival)."""

from simplestchat._native.cc.arrival cimport ARRIVALS_NEVER_US, ARRIVALS_RING, Arrivals, arrivals_init, arrivals_note, arrivals_write
from simplestchat._native.core.types cimport u8, u16, u32, us_t

RING = ARRIVALS_RING
NEVER_US = <us_t>ARRIVALS_NEVER_US


cdef class ArrivalLog:
    cdef Arrivals state

    def __cinit__(self):
        arrivals_init(&self.state)

    def note(self, u16 number, us_t now):
        arrivals_note(&self.state, number, now)

    def due_us(self):
        return self.state.due_us

    def write(self, us_t now, size_t cap=1100):
        """All that there is to tell, as feedback packets."""
        cdef u8 out[2048]
        cdef int size
        written = []
        size = arrivals_write(&self.state, out, min(cap, sizeof(out)), 1, 2, now)
        while size > 0:
            written.append((<char*>out)[:size])
            size = arrivals_write(&self.state, out, min(cap, sizeof(out)), 1, 2, now)
        return written
