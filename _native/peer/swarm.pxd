# All synthetic users of one generator process: paths with their senders and receivers, by numbers; turns.pxd says how a loop drives it.
from simplestchat._native.core.types cimport u32
from simplestchat._native.peer.commands cimport PathAccount
from simplestchat._native.peer.turns cimport SwarmClock, SwarmWake, Turns

cdef class Swarm(Turns):
    cdef int _command(self, int kind, u32 id, bint flag, u32 number, str what) except -1
    cdef PathAccount _account(self, u32 path, bint remove) except *
    cdef dict _sent(self, u32 sender, bint remove)
    cdef dict _received(self, u32 receiver, bint remove, expected)
    cdef void _count_some(self, u32* at) noexcept nogil
