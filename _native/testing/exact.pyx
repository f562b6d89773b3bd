"""Exact-size heap buffers for tests; the contract is in ``exact.pxd``."""

from cpython.bytes cimport PyBytes_AS_STRING
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from simplestchat._native.core.types cimport i32, u8


cdef class Exact:
    """Owns ``size`` bytes at ``data``; made by exact_copy and exact_room."""

    def __dealloc__(self):
        free(self.data)


cdef Exact exact_room(size_t size):
    cdef Exact room = Exact.__new__(Exact)
    room.data = <u8*> malloc(size)
    if room.data is NULL:
        raise MemoryError(size)
    room.size = size
    return room


cdef Exact exact_copy(bytes source):
    cdef Exact copy = exact_room(len(source))
    if copy.size:
        memcpy(copy.data, PyBytes_AS_STRING(source), copy.size)
    return copy


def read_past_end(bytes data):
    """Read the byte behind a copy of ``data``: what the address sanitizer must catch. Only for proving that it does."""
    cdef Exact copy = exact_copy(data)
    cdef volatile u8* bytes_ = copy.data
    return bytes_[copy.size]


def overflow(i32 value):
    """Add one to ``value`` as C does, which must be caught where it is undefined. Only for proving that it is."""
    cdef volatile i32 before = value
    cdef i32 after = before + <i32> 1
    return after
