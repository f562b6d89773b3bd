# The worker's end of the control channel: frames of a 4-byte big-endian length and a body, over a stream socket.
cdef class Channel:
    cdef int fd
    cdef bytearray incoming
    cdef bytearray outgoing

    # Reads what there is. False when the node has gone away or sends what is no frame.
    cdef bint receive(self) except -1
    # The next whole frame's body, None when there is none.
    cdef bytes next_frame(self)
    cdef int queue(self, bytes body) except -1
    # Writes as much as the socket takes. False when the node has gone away.
    cdef bint flush(self) except -1
    cdef bint has_outgoing(self) noexcept
