"""Reads what has come on many stream sockets at once: one look at the kernel's list of those that have something"""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cpython.mem cimport PyMem_Free, PyMem_Malloc
from simplestchat._native.core.types cimport u8
from simplestchat._native.io.system cimport (
    EAGAIN, EINTR, EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLLIN, MSG_DONTWAIT, close, epoll_create1, epoll_ctl, epoll_event,
    epoll_wait, errno, nanosleep, recv, timespec,
)

cdef enum:
    READ_SIZE = 65536              # of one socket in a turn
    TURN_SOCKETS = 64
    TURN_BYTES = 1048576           # of all sockets in a turn; what is not read is still there in the next one


cdef class Intake:
    """Sockets and whose they are. Level-triggered: a socket that was not read, or not to its end, is still ready.

    A socket that has ended, or broken, gives ``b""`` once and is watched no longer. Whoever closes one forgets it first.
    """

    cdef int _epoll
    cdef dict _owners
    cdef u8* _buffer

    def __cinit__(self):
        self._epoll = -1
        self._owners = {}
        self._buffer = <u8*> PyMem_Malloc(READ_SIZE)
        if self._buffer == NULL:
            raise MemoryError
        self._epoll = epoll_create1(EPOLL_CLOEXEC)
        if self._epoll < 0:
            raise OSError(errno, "no epoll instance can be had")

    def __dealloc__(self):
        self.close()
        PyMem_Free(self._buffer)

    cpdef close(self):
        """Watch nothing any more."""
        self._owners.clear()
        if self._epoll >= 0:
            close(self._epoll)
            self._epoll = -1

    def fileno(self):
        """The descriptor that is readable while a watched socket is."""
        return self._epoll

    def watch(self, int descriptor, owner):
        """Read this socket from now on."""
        cdef epoll_event event
        event.events = EPOLLIN
        event.data.fd = descriptor
        if epoll_ctl(self._epoll, EPOLL_CTL_ADD, descriptor, &event) < 0:
            raise OSError(errno, "a socket cannot be watched")
        self._owners[descriptor] = owner

    def forget(self, int descriptor):
        """Do not read it any more; nothing happens when it is not watched."""
        cdef epoll_event event
        if self._owners.pop(descriptor, None) is not None:
            epoll_ctl(self._epoll, EPOLL_CTL_DEL, descriptor, &event)

    def read(self, double after_s=0.0):
        """What has come, as (descriptor, owner, bytes); nothing when there is nothing just now. Sleeps for ``after_s`` first,
        which is less than a second.
        """
        cdef epoll_event events[TURN_SOCKETS]
        cdef list found = []
        cdef ssize_t size
        cdef size_t total = 0
        cdef int count, i
        cdef timespec wait
        if after_s > 0.0:
            wait.tv_sec = 0
            wait.tv_nsec = <long> (after_s * 1e9)
            with nogil:
                nanosleep(&wait, NULL)
        count = epoll_wait(self._epoll, events, TURN_SOCKETS, 0)
        for i in range(count):
            if total >= TURN_BYTES:
                break
            owner = self._owners.get(events[i].data.fd)
            if owner is None:
                continue
            size = recv(events[i].data.fd, self._buffer, READ_SIZE, MSG_DONTWAIT)
            if size > 0:
                total += <size_t> size
                found.append((events[i].data.fd, owner, PyBytes_FromStringAndSize(<const char*> self._buffer, size)))
            elif size == 0 or (errno != EAGAIN and errno != EINTR):
                self.forget(events[i].data.fd)
                found.append((events[i].data.fd, owner, b""))
        return found
