"""Doors to a worker's UDP port: what arrives at it, what leaves by it, and what waits."""

cimport cython
from libc.string cimport memcpy, memset

import os

from simplestchat._native.core.types cimport u32
from simplestchat._native.engine.addresses cimport tuple_from_address, tuple_to_address
from simplestchat._native.engine.entities cimport BATCH, Counters, Datagram, OutQueue
from simplestchat._native.engine.output cimport (
    OUT_SLOT, out_clear, out_commit, out_free, out_init, out_mark_video, out_reserve,
)
from simplestchat._native.io.backlog cimport (
    Backlog, backlog_free, backlog_init, backlog_push, backlog_sent, backlog_waits,
)
from simplestchat._native.io.system cimport EPOLL_CLOEXEC, EPOLLIN, EPOLLOUT, close, epoll_create1, epoll_event, epoll_wait, errno
from simplestchat._native.io.udp cimport (
    Udp, udp_close, udp_has_left, udp_open, udp_port, udp_receive, udp_send, udp_writable,
)
cimport simplestchat._native.io.backlog as _backlog

LARGEST_BATCH = BATCH
BACKLOG_PACKETS = _backlog.BACKLOG_PACKETS
BACKLOG_BYTES = _backlog.BACKLOG_BYTES


@cython.final
cdef class UdpPort:
    """Addresses are (remote ip, remote port, local ip, local port)."""

    cdef Udp* udp
    cdef int epoll
    cdef Counters counted
    cdef OutQueue out
    cdef Datagram batch[BATCH]

    def __cinit__(self, bint offload=True, int port=0):
        memset(&self.counted, 0, sizeof(Counters))
        self.epoll = epoll_create1(EPOLL_CLOEXEC)
        self.udp = udp_open(port, self.epoll, offload)
        if self.udp == NULL:
            raise OSError(errno, os.strerror(errno))
        if out_init(&self.out) != 0:
            raise MemoryError

    def __dealloc__(self):
        udp_close(self.udp)
        out_free(&self.out)
        if self.epoll >= 0:
            close(self.epoll)

    @property
    def port(self):
        """Its number."""
        return udp_port(self.udp)

    @property
    def counters(self):
        """The engine's counters, as far as the port moves them."""
        return dict(self.counted)

    def ready(self, int timeout_ms):
        """[(the socket's place, readable, writable)] of sockets that have something to say."""
        cdef epoll_event events[32]
        cdef int count = epoll_wait(self.epoll, events, 32, timeout_ms)
        return [(events[i].data.u64, bool(events[i].events & EPOLLIN), bool(events[i].events & EPOLLOUT)) for i in range(count)]

    def receive(self, u32 socket):
        """(datagrams as (bytes, address), whether the socket is drained): one batch."""
        cdef bint drained = False
        cdef int count = udp_receive(self.udp, socket, self.batch, &drained, &self.counted)
        return [
            (self.batch[i].data[:self.batch[i].size], tuple_to_address(&self.batch[i].tuple)) for i in range(count)
        ], drained

    @property
    def has_left(self):
        """Is there something read and not handed out?"""
        return udp_has_left(self.udp)

    def send(self, list packets):
        """Packets as (bytes, address, is video), as many as one queue takes."""
        for packet in packets:
            _queue(&self.out, packet)
        udp_send(self.udp, &self.out, &self.counted)
        out_clear(&self.out)

    def writable(self, u32 socket):
        """What the loop does when a socket can be written to."""
        udp_writable(self.udp, socket, &self.counted)


@cython.final
cdef class Waiting:
    """A backlog by itself; packets as UdpPort.send has them."""

    cdef Backlog backlog
    cdef Counters counted
    cdef OutQueue out

    def __cinit__(self):
        memset(&self.counted, 0, sizeof(Counters))
        backlog_init(&self.backlog)
        if out_init(&self.out) != 0:
            raise MemoryError

    def __dealloc__(self):
        backlog_free(&self.backlog)
        out_free(&self.out)

    @property
    def counters(self):
        """The engine's counters, as far as a backlog moves them."""
        return dict(self.counted)

    def push(self, packet):
        """One more."""
        _queue(&self.out, packet)
        backlog_push(&self.backlog, &self.out.packets[0], self.out.arena, &self.counted)
        out_clear(&self.out)

    def waiting(self):
        """The packets that wait, as bytes, in order."""
        cdef u32 at
        return [
            self.backlog.arena[self.backlog.packets[at].off:self.backlog.packets[at].off + self.backlog.packets[at].size]
            for at in range(self.backlog.first, self.backlog.count) if self.backlog.packets[at].size
        ]

    def sent(self, u32 count):
        """So many of those that wait are sent."""
        cdef u32 at = self.backlog.first
        while count:
            count -= self.backlog.packets[at].size > 0
            at += 1
        backlog_sent(&self.backlog, at)

    @property
    def waits(self):
        """Does anything wait?"""
        return backlog_waits(&self.backlog)


cdef int _queue(OutQueue* out, tuple packet) except -1:
    cdef Datagram one
    cdef unsigned char* room = out_reserve(out)
    cdef bytes data = packet[0]
    if room == NULL or len(data) > OUT_SLOT:
        raise ValueError("more than a queue takes")
    tuple_from_address(&one.tuple, packet[1])
    memcpy(room, <const char*>data, len(data))
    out_commit(out, &one.tuple, <u32>len(data))
    if packet[2]:
        out_mark_video(out)
    return 0
