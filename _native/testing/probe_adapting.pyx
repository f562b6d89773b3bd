"""Doors to what synthetic users do about a network that changes: noting arrivals, and feedback about them, on a path without ICE."""

from libc.stdlib cimport free

from simplestchat._native.core.errors import InternalError
from simplestchat._native.core.table cimport table64_get
from simplestchat._native.core.types cimport u16, u32, u64, u8, us_t
from simplestchat._native.peer.arrivals cimport Arrivals as _Arrivals, arrivals_new, arrivals_packet, arrivals_write
from simplestchat._native.peer.entities cimport Path
from simplestchat._native.peer.swarm cimport Swarm
from simplestchat._native.testing.direct cimport connect_path_directly


cdef class Arrivals:
    """What came of one path."""

    cdef _Arrivals* state

    def __cinit__(self):
        self.state = arrivals_new()
        if self.state is NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.state)

    @property
    def due(self):
        """When a feedback is due."""
        return self.state.due_us

    def packet(self, u16 number, us_t arrival):
        """One came."""
        arrivals_packet(self.state, number, arrival)

    def write(self, us_t now, u32 cap=1160):
        """Every feedback that is due."""
        cdef u8 out[2048]
        cdef int size = 1
        written = []
        while size:
            size = arrivals_write(self.state, 7, 9, now, out, cap)
            if size:
                written.append(bytes(out[:size]))
        return written


def connect(Swarm swarm, u32 path, us_t now):
    """The path is connected, with keys that tests know: AES-128-GCM, ``0123456789abcdef``, ``salt-of-test``."""
    cdef u64 found
    if not table64_get(&swarm.s.by_path, path, &found):
        raise InternalError("no such path")
    connect_path_directly(swarm, <Path*>found, now)
