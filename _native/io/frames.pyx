"""Frames that wait to be sent to one WebSocket client: a bounded queue that writes straight to its socket."""

from collections import deque

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from cpython.ref cimport PyObject, Py_DECREF, Py_INCREF
from libc.string cimport memcpy, memset
from simplestchat._native.core.types cimport u8, u32, u64
from simplestchat._native.io.system cimport EINTR, MSG_DONTWAIT, MSG_NOSIGNAL, errno, iovec, msghdr, send, sendmsg
from simplestchat._native.wire.websocket cimport WS_HEAD_MAX, ws_write_text_head

cdef enum:
    FIRST_ROOM = 8                 # frames; a power of two, as all that follow
    KEPT_ROOM = 64                 # frames that there is still room for when everything has left
    AT_ONCE = 64                   # frames of one call of the kernel
    AT_ONCE_BYTES = 262144

#: The frame that was made last. A server's frames are not masked, so all members of a room get the same object.
cdef bytes _message = b""
cdef bytes _frame = b""


def text_frame(bytes message not None):
    """A whole, unmasked text frame (RFC 6455 section 5.2)."""
    cdef u8 head[WS_HEAD_MAX]
    cdef Py_ssize_t size = PyBytes_GET_SIZE(message)
    cdef Py_ssize_t before = <Py_ssize_t> ws_write_text_head(head, <u64> size)
    cdef bytes frame = PyBytes_FromStringAndSize(NULL, before + size)
    memcpy(PyBytes_AS_STRING(frame), head, <size_t> before)
    memcpy(PyBytes_AS_STRING(frame) + before, PyBytes_AS_STRING(message), <size_t> size)
    return frame


cdef bytes _framed(bytes message):
    # Asked for once for each member of a room in a row.
    global _message, _frame
    if message is not _message:
        _frame = text_frame(message)
        _message = message
    return _frame


cdef class Owed:
    """Queues in which something waits, in the order in which it began to; who has them delivers in one go."""

    cdef object _queues, _begin, _clock

    def __cinit__(self, begin, clock):
        """``begin`` is called with the first queue after there was none; ``clock`` gives seconds."""
        self._queues = deque()
        self._begin = begin
        self._clock = clock

    def __len__(self):
        return len(self._queues)

    cdef int add(self, FrameQueue queue) except -1:
        if not self._queues:
            self._begin()
        self._queues.append(queue)
        return 0

    def deliver(self, double until, int wakes):
        """Deliver until that time, or until so many writers had to be called, who take their time after it; the time then.

        One loop without Python in it: the interpreter and the kernel's way to a socket drive each other out of the caches.
        """
        cdef double now = self._clock()
        cdef FrameQueue queue
        while self._queues and wakes > 0 and now < until:
            queue = self._queues.popleft()
            wakes -= not queue.deliver()
            now = self._clock()
        return now


cdef class FrameQueue:
    """Neither `push` nor `push_frame` waits: they are called for every member of a room in a row.

    What is pushed is sent by `flush`, straight to the socket while that takes everything. Once it does not, or where
    there is no socket to write to (TLS), the writer has the turn: a task that takes what there is until nothing is left,
    and may wait for the socket meanwhile. A subclass says how it is called, and what becomes of who does not read.
    """

    # A ring of owned references. Of the first frame, `_begun` bytes have left: it is never forgotten.
    cdef PyObject** _ring
    cdef u32 _room, _first, _count
    cdef Py_ssize_t _begun, _bytes
    cdef Py_ssize_t _max_messages, _max_bytes
    cdef bint _writers_turn, _owed
    cdef Owed _owed_to
    #: The socket to write to, or -1. Whoever closes the socket takes it away first: the number may soon be another's.
    cdef public int descriptor
    #: The close code and reason, once the connection is to be closed.
    cdef readonly object closing
    #: Messages taken for sending or waiting for it.
    cdef readonly u64 sent

    def __cinit__(self, *args, **more):
        self.descriptor = -1

    def __init__(self, Py_ssize_t max_messages, Py_ssize_t max_bytes, Owed owed=None):
        """``owed`` has it from when something waits until it is delivered; without it all is sent at once."""
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._owed_to = owed

    def __dealloc__(self):
        self._begun = 0
        self._forget()
        PyMem_Free(self._ring)

    # What a subclass adds

    def hand_over(self):
        """The writer has the turn: wake it."""

    def overflow(self):
        """The client lets too much wait: close it."""

    # Putting in

    def push(self, bytes message not None):
        """Queue a text message. A client that lets too many of them wait is closed."""
        if self.closing is not None:
            return
        # A message of any size may wait alone: a snapshot of a full room is one.
        if self._waiting() and (self._waiting() >= self._max_messages
                                or self._bytes + PyBytes_GET_SIZE(message) > self._max_bytes):
            self._forget()
            self.overflow()
            return
        self.sent += 1
        self._append(_framed(message))

    def push_frame(self, bytes frame not None):
        """Queue a whole frame of the protocol's own: ping, pong, close. An excess of them closes, and is not kept."""
        if self._waiting() >= self._max_messages:
            self.overflow()
            return
        self._append(frame)

    def end(self, int code, str reason):
        """The code with which the connection is closed after what is queued; the first call decides."""
        if self.closing is None:
            self.closing = (code, reason)

    @property
    def empty(self):
        """Whether nothing waits."""
        return self._count == 0

    cdef inline Py_ssize_t _waiting(self):
        return self._count - (self._begun != 0)

    cdef int _append(self, bytes frame) except -1:
        if self._count == self._room:
            self._grow()
        Py_INCREF(frame)
        self._ring[(self._first + self._count) & (self._room - 1)] = <PyObject*> frame
        self._count += 1
        self._bytes += PyBytes_GET_SIZE(frame)
        if not self._owed:
            self._owed = True
            if self._owed_to is None:
                self.deliver()
            else:
                self._owed_to.add(self)
        return 0

    cdef int _grow(self) except -1:
        cdef u32 room = 2 * self._room if self._room else FIRST_ROOM
        cdef u32 i
        cdef PyObject** ring = <PyObject**> PyMem_Malloc(room * sizeof(PyObject*))
        if ring == NULL:
            raise MemoryError
        for i in range(self._count):
            ring[i] = self._ring[(self._first + i) & (self._room - 1)]
        PyMem_Free(self._ring)
        self._ring, self._room, self._first = ring, room, 0
        return 0

    # Taking out

    cpdef bint deliver(self) except *:
        """Send what is owed; False as ``flush``."""
        self._owed = False
        return self.flush()

    cpdef bint flush(self) except *:
        """Send what there is, without waiting; False when the writer had to be called for it."""
        while self._count and not self._writers_turn:
            if self.descriptor < 0 or not self._send():
                self._writers_turn = True
                self.hand_over()
                return False
        return True

    def take(self, Py_ssize_t size):
        """About ``size`` bytes of whole frames for the writer, behind the rest of one that was begun; nothing when it has
        no turn any more.
        """
        cdef list parts = []
        cdef bytes frame
        while self._count and size > 0:
            frame = <bytes> self._ring[self._first]
            if self._begun:
                frame = frame[self._begun:]
                self._begun = 0
            size -= PyBytes_GET_SIZE(frame)
            parts.append(frame)
            self._drop_first()
        self._writers_turn = len(parts) != 0
        return parts[0] if len(parts) == 1 else b"".join(parts)

    cdef bint _send(self):
        """Give the kernel what it takes at once; False when that was not all. The GIL is kept: a call that does not wait
        is over sooner than another thread would give it back.
        """
        cdef iovec parts[AT_ONCE]
        cdef msghdr header
        cdef bytes frame
        cdef size_t asked = 0
        cdef ssize_t taken
        cdef u32 count = 0
        while count < self._count and count < AT_ONCE and asked < AT_ONCE_BYTES:
            frame = <bytes> self._ring[(self._first + count) & (self._room - 1)]
            parts[count].iov_base = PyBytes_AS_STRING(frame)
            parts[count].iov_len = <size_t> PyBytes_GET_SIZE(frame)
            if count == 0:
                parts[0].iov_base = PyBytes_AS_STRING(frame) + self._begun
                parts[0].iov_len -= <size_t> self._begun
            asked += parts[count].iov_len
            count += 1
        memset(&header, 0, sizeof(header))
        header.msg_iov = parts
        header.msg_iovlen = count
        while True:
            if count == 1:
                taken = send(self.descriptor, parts[0].iov_base, asked, MSG_DONTWAIT | MSG_NOSIGNAL)
            else:
                taken = sendmsg(self.descriptor, &header, MSG_DONTWAIT | MSG_NOSIGNAL)
            if taken >= 0 or errno != EINTR:
                break
        if taken < 0:  # it is full, or gone; the writer finds out which
            return False
        self._taken(taken)
        return <size_t> taken == asked

    cdef void _taken(self, ssize_t taken):
        cdef Py_ssize_t left
        while self._count:
            left = PyBytes_GET_SIZE(<bytes> self._ring[self._first]) - self._begun
            if taken < left:
                self._begun += taken
                return
            taken -= left
            self._begun = 0
            self._drop_first()

    cdef void _drop_first(self):
        cdef PyObject* frame = self._ring[self._first]
        self._first = (self._first + 1) & (self._room - 1)
        self._count -= 1
        self._bytes -= PyBytes_GET_SIZE(<bytes> frame)
        Py_DECREF(<bytes> frame)
        if self._count == 0 and self._room > KEPT_ROOM:
            PyMem_Free(self._ring)
            self._ring, self._room, self._first = NULL, 0, 0

    cdef void _forget(self):
        """Drop everything but the frame that was begun."""
        cdef u32 kept = 1 if self._begun else 0
        cdef PyObject* frame
        while self._count > kept:
            self._count -= 1
            frame = self._ring[(self._first + self._count) & (self._room - 1)]
            self._bytes -= PyBytes_GET_SIZE(<bytes> frame)
            Py_DECREF(<bytes> frame)
