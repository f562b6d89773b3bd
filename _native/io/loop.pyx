"""A worker's loop: one UDP port, one control channel, one shard.

It runs without the GIL and takes it only for a control message or an event. Level-triggered: what one turn leaves behind,
the next finds. The only clocks of the media core are read here: the monotonic one once a turn, and the wall clock after
media was sent, to compare it with the kernel's time of arrival.
"""

cimport cython
from libc.string cimport memset

from simplestchat._native.core.spans cimport SpanCounts, spans_add, spans_take
from simplestchat._native.core.types cimport US_PER_S, u32, us_t
from simplestchat._native.engine.entities cimport BATCH, NEVER_US, Datagram
from simplestchat._native.engine.output cimport out_clear
from simplestchat._native.engine.shard cimport Shard
from simplestchat._native.io.control cimport Channel
from simplestchat._native.io.system cimport (
    CLOCK_MONOTONIC, CLOCK_REALTIME, EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLLIN, EPOLLOUT, clock_gettime, clockid_t, close,
    epoll_create1, epoll_ctl, epoll_event, epoll_wait, errno, timespec,
)
from simplestchat._native.io.port cimport PORT_SOCKETS
from simplestchat._native.io.udp cimport Udp, udp_close, udp_has_left, udp_open, udp_port, udp_receive, udp_send, udp_writable

import os

cdef enum:
    BATCHES_PER_TURN = 8           # of a socket; then timers and the control channel get their turn
    READY = PORT_SOCKETS + 1
    CONTROL = PORT_SOCKETS         # the control channel's data in the epoll's events; a socket's is its place in the port
    LONGEST_SLEEP_US = 1000000
    HERD_WAIT_US = 5000            # between two flights while media never pauses: a tenth of the core at most


cdef us_t read_clock(clockid_t clock) noexcept nogil:
    cdef timespec now
    clock_gettime(clock, &now)
    return <us_t>now.tv_sec * US_PER_S + now.tv_nsec // 1000


@cython.final
cdef class Loop:
    """Runs a shard until the control channel closes.

    `handle` takes a control frame's body and returns the reply's; `encode_events` turns what Shard.take_events() returns into a
    list of bodies. Raises OSError when the UDP port cannot be had.
    """

    cdef Udp* udp
    cdef int epoll
    cdef Channel channel
    cdef bint waiting_to_write
    cdef bint shaking              # handshakes wait for the next turn
    cdef us_t shaken               # when the last flight was done
    cdef object handle
    cdef object encode_events
    cdef readonly Shard shard
    cdef SpanCounts spans
    cdef us_t now                      # the monotonic clock as last read
    cdef Datagram batch[BATCH]

    def __cinit__(self, int control_fd, int port, Shard shard not None, *, handle, encode_events, bint offload=True):
        self.epoll = epoll_create1(EPOLL_CLOEXEC)
        if self.epoll < 0:
            raise OSError(errno, os.strerror(errno))
        self.udp = udp_open(port, self.epoll, offload)
        if self.udp == NULL:
            raise OSError(errno, f"UDP port {port}: {os.strerror(errno)}")
        self.shard = shard
        self.channel = Channel(control_fd)
        self.handle = handle
        self.encode_events = encode_events
        self._watch_control(EPOLL_CTL_ADD, EPOLLIN)

    def __dealloc__(self):
        udp_close(self.udp)
        if self.epoll >= 0:
            close(self.epoll)

    @property
    def port(self):
        """The UDP port."""
        return udp_port(self.udp)

    cdef int _watch_control(self, int operation, unsigned int events) except -1:
        cdef epoll_event event
        memset(&event, 0, sizeof(event))
        event.events = events
        event.data.u64 = CONTROL
        if epoll_ctl(self.epoll, operation, self.channel.fd, &event) != 0:
            raise OSError(errno, os.strerror(errno))
        return 0

    def forwarding(self):
        """How long media took from its arrival at this machine until its last copy was sent: (bounds, counts, sum) as
        core/spans has them, in microseconds.
        """
        return spans_take(&self.spans)

    def send(self, bytes body):
        """Sends a message to the node; what the socket does not take now leaves on later turns."""
        self.channel.queue(body)
        self.channel.flush()

    def run(self):
        """Returns when the node has closed the channel."""
        cdef bint control_ready
        while True:
            with nogil:
                control_ready = self._turn()
            if control_ready and not self._read_control():
                return
            if self.shard.has_events():
                for body in self.encode_events(self.shard.take_events()):
                    self.channel.queue(body)
            if not self._write_control():
                return

    cdef bint _turn(self) noexcept nogil:
        """Media until something needs the GIL. Whether the control channel has something to say."""
        cdef epoll_event ready[READY]
        cdef int count
        cdef int i
        cdef bint control = False
        cdef bint drained
        while not control and not self.shard.has_events():
            drained = True
            count = epoll_wait(self.epoll, ready, READY, self._sleep_ms())
            if count <= 0 and udp_has_left(self.udp):
                drained = self._receive(0)
            for i in range(count):
                if ready[i].data.u64 == CONTROL:
                    control = True
                    continue
                if ready[i].events & EPOLLOUT:
                    udp_writable(self.udp, <u32>ready[i].data.u64, &self.shard.s.counters)
                if ready[i].events & ~<unsigned int>EPOLLOUT:
                    drained &= self._receive(<u32>ready[i].data.u64)
            self._timers()
            if drained or self.now - self.shaken >= HERD_WAIT_US:
                self._handshakes()
        return control

    cdef int _sleep_ms(self) noexcept nogil:
        cdef us_t wait = self.shard.deadline() - self.now
        if self.shaking:
            return 0
        wait = max(0, min(wait, LONGEST_SLEEP_US))
        return 0 if udp_has_left(self.udp) else <int>((wait + 999) // 1000)

    cdef void _send(self) noexcept nogil:
        if self.shard.s.out.count:
            self.shard.s.counters.packets_out += self.shard.s.out.count
            self.shard.s.counters.bytes_out += self.shard.s.out.used
            udp_send(self.udp, &self.shard.s.out, &self.shard.s.counters)
            out_clear(&self.shard.s.out)
            self._count_forwarded()
        self.shard.s.done_count = 0        # all of it is on its way, or had no copy to send

    cdef void _count_forwarded(self) noexcept nogil:
        cdef us_t now
        cdef u32 i
        if self.shard.s.done_count:
            now = read_clock(CLOCK_REALTIME)
            for i in range(self.shard.s.done_count):
                if self.shard.s.done[i]:
                    spans_add(&self.spans, now - self.shard.s.done[i])

    cdef bint _receive(self, u32 socket) noexcept nogil:
        """Whether nothing is left there."""
        cdef int turn
        cdef int count
        cdef int taken
        cdef bint drained = False
        for turn in range(BATCHES_PER_TURN):
            count = udp_receive(self.udp, socket, self.batch, &drained, &self.shard.s.counters)
            if count > 0:
                self.now = read_clock(CLOCK_MONOTONIC)
            taken = 0
            while taken < count:
                taken += self.shard.receive(&self.batch[taken], count - taken, self.now)
                if taken < count:
                    self._send()
            while self.shard.flush(self.now):
                self._send()
            self._send()
            if drained:
                return True
        return False

    cdef void _handshakes(self) noexcept nogil:
        """One flight, after all that has come was read. A herd's datagrams lie in the same queue of the kernel as media: reading them
        costs little, and media behind them waits for no flight.
        """
        self.shaken = self.now
        self.shaking = self.shard.handshakes(self.now)
        self._send()

    cdef void _timers(self) noexcept nogil:
        self.now = read_clock(CLOCK_MONOTONIC)
        self.shard.now = self.now
        while self.shard.run_timers(self.now):
            self._send()
        self._send()

    cdef bint _read_control(self) except -1:
        cdef bint open = self.channel.receive()
        self.now = read_clock(CLOCK_MONOTONIC)
        self.shard.now = self.now
        body = self.channel.next_frame()
        while body is not None:
            self.channel.queue(self.handle(body))
            self._make_room()
            body = self.channel.next_frame()
        return open

    cdef int _make_room(self) except -1:
        """A control message may have queued datagrams (a goodbye, a handshake's start)."""
        with nogil:
            self._send()
        return 0

    cdef bint _write_control(self) except -1:
        cdef bint open = self.channel.flush()
        if open and self.channel.has_outgoing() != self.waiting_to_write:
            self.waiting_to_write = not self.waiting_to_write
            self._watch_control(EPOLL_CTL_MOD, EPOLLIN | (EPOLLOUT if self.waiting_to_write else 0))
        return open
