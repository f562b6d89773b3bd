"""Doors to the emulated network path: bytes and virtual time in, what arrives and when out."""

from simplestchat._native.core.bytes cimport get32, put32
from simplestchat._native.core.errors import raise_status
from simplestchat._native.core.types cimport OK, u32, u64, u8, us_t
from simplestchat._native.peer.arguments cimport link_arguments
cimport simplestchat._native.peer.link as _link

MAX_QUEUED = _link.LINK_MAX_QUEUED
MAX_DATAGRAM = _link.LINK_MAX_DATAGRAM


cdef class Link:
    cdef _link.Link* link

    def __cinit__(self, u64 seed, conditions=None):
        self.link = _link.link_new(seed)
        if self.link == NULL:
            raise MemoryError
        self.set(conditions or {})

    def __dealloc__(self):
        _link.link_free(self.link)

    def set(self, conditions):
        """Conditions from now on."""
        cdef _link.LinkSettings settings
        link_arguments(&settings, conditions)
        _link.link_set(self.link, &settings)

    def put(self, bytes data, us_t now):
        """Raises MisuseError for what is no datagram."""
        cdef int status = _link.link_put(self.link, data, <u32>len(data), now)
        if status != OK:
            raise_status(status, "a datagram")

    def take(self, us_t now):
        """The next (bytes, when) that has arrived, or None."""
        cdef const u8* data = NULL
        cdef us_t at = 0
        cdef u32 size = _link.link_take(self.link, now, &data, &at)
        return (data[:size], at) if size else None

    @property
    def deadline(self):
        """When the next one arrives."""
        return _link.link_deadline(self.link)

    @property
    def queued(self):
        """In flight."""
        return _link.link_queued(self.link)

    def totals(self):
        """The fields of LinkTotals."""
        cdef _link.LinkTotals totals
        _link.link_totals(self.link, &totals)
        return totals

    cdef int _collect(self, us_t now, list out) except -1:
        cdef const u8* data = NULL
        cdef us_t at = 0
        while _link.link_take(self.link, now, &data, &at):
            out.append((get32(data), at))
        return 0

    def run(self, u32 first, u32 count, u32 size, us_t start, us_t gap):
        """Numbers from `first` as datagrams of `size` bytes, `gap` us apart; then what arrived until the last left: (number, when)."""
        cdef u8 data[_link.LINK_MAX_DATAGRAM]
        cdef u32 i
        cdef us_t now = start
        cdef list arrived = []
        if not 4 <= size <= _link.LINK_MAX_DATAGRAM:
            raise ValueError(f"no datagram of {size} bytes")
        for i in range(size):
            data[i] = <u8>i
        for i in range(count):
            now = start + i * gap
            self._collect(now, arrived)
            put32(data, first + i)
            _link.link_put(self.link, data, size, now)
        self._collect(now, arrived)
        return arrived

    def finish(self):
        """All that is still in flight: (number, when)."""
        cdef list arrived = []
        self._collect(0x7FFFFFFFFFFFFFFE, arrived)
        return arrived
