"""The worker's end of the control channel; see control.pxd."""

cimport cython

from simplestchat._native.core.bytes cimport get32
from simplestchat._native.core.types cimport u8
from simplestchat._native.io.system cimport EAGAIN, EINTR, F_GETFL, F_SETFL, O_NONBLOCK, errno, fcntl, read, write

cdef enum:
    PREFIX = 4
    CHUNK = 65536
    MAX_FRAME = 16777216           # a frame of the node is a few hundred bytes; this only bounds a fault
    MAX_OUTGOING = 16777216        # unread replies and events; then the worker ends and its node starts another


@cython.final
cdef class Channel:
    """Frames over a non-blocking stream socket, which stays its caller's."""

    def __cinit__(self, int fd):
        self.fd = fd
        self.incoming = bytearray()
        self.outgoing = bytearray()
        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK)

    cdef bint receive(self) except -1:
        cdef u8 chunk[CHUNK]
        cdef ssize_t size
        while True:
            size = read(self.fd, chunk, CHUNK)
            if size > 0:
                self.incoming += chunk[:size]
            elif size < 0 and errno == EINTR:
                continue
            else:
                return size < 0 and errno == EAGAIN

    cdef bytes next_frame(self):
        cdef size_t size
        if len(self.incoming) < PREFIX:
            return None
        size = get32(<const u8*><char*>self.incoming)
        if size > MAX_FRAME:
            raise EOFError("the control channel is out of step")
        if <size_t>len(self.incoming) < PREFIX + size:
            return None
        body = bytes(self.incoming[PREFIX:PREFIX + size])
        del self.incoming[:PREFIX + size]
        return body

    cdef int queue(self, bytes body) except -1:
        if len(self.outgoing) > MAX_OUTGOING:
            raise EOFError("the node does not read the control channel")
        self.outgoing += len(body).to_bytes(PREFIX, "big")
        self.outgoing += body
        return 0

    cdef bint flush(self) except -1:
        cdef ssize_t size
        while self.outgoing:
            size = write(self.fd, <char*>self.outgoing, len(self.outgoing))
            if size > 0:
                del self.outgoing[:size]
            elif errno != EINTR:
                return errno == EAGAIN
        return True

    cdef bint has_outgoing(self) noexcept:
        return len(self.outgoing) > 0
