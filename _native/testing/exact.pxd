# Heap memory of exactly the size asked for, so that the address sanitizer sees the first byte read or written past it.
from simplestchat._native.core.types cimport u8

cdef class Exact:
    cdef u8* data
    cdef size_t size

cdef Exact exact_copy(bytes source)
cdef Exact exact_room(size_t size)
