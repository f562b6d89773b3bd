"""The load generator's loop: a socket for every path of a swarm, without the GIL.

Turns are as swarm.pxd says, the whole of each under the swarm's lock. Level-triggered: what one turn leaves behind, the next finds.

While there is much to do, turns are NAP_US apart instead of one for each datagram: arrival times are the kernel's and packets that were due in
between leave at most SHORTEST_NAP_US late, which the lag histogram shows. Otherwise the loop sleeps until the next deadline to the microsecond
(Linux 5.11 and later: epoll_pwait2), with the thread's timer slack set to the least.
"""

cimport cython
from libc.string cimport memset

from simplestchat._native.core.errors import MisuseError
from simplestchat._native.core.types cimport E_STATE, US_PER_S, u64, us_t
from simplestchat._native.io.sockets cimport (
    SOCKETS_READ, SOCKETS_SEGMENTS, Received, Sockets, SocketTotals, monotonic_us, sockets_close, sockets_free, sockets_new,
    sockets_open, sockets_path, sockets_receive, sockets_send, sockets_sync, sockets_totals,
)
from simplestchat._native.io.system cimport (
    EFD_CLOEXEC, EFD_NONBLOCK, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPOLL_CLOEXEC, EPOLL_CTL_ADD, EPOLLIN, PR_GET_TIMERSLACK,
    PR_SET_TIMERSLACK, clock_gettime, clockid_t, close, epoll_create1, epoll_ctl, epoll_event, errno, eventfd,
    nanosecond_epoll_wait, nanosleep, prctl, pthread_getcpuclockid, pthread_self, read, timespec, write,
)
from simplestchat._native.peer.entities cimport Path
from simplestchat._native.peer.stamp cimport stamp_set_epoch
from simplestchat._native.peer.swarm cimport Swarm

import os
import socket

cdef enum:
    NS_PER_US = 1000
    READY = 512                    # sockets read in a turn
    LONGEST_SLEEP_US = 1000000
    SYNC_US = 1000000
    NAP_US = 1000
    SHORTEST_NAP_US = 200
    RATE_US = 4000                 # over which the rate of datagrams is taken
    BUSY_PER_MS = 10               # datagrams either way; above, waking for each would cost more than handling it


cdef us_t _clock(void* loop) noexcept nogil:
    return monotonic_us()


cdef void _wake(void* loop) noexcept nogil:
    _signal((<Crowd>loop).wake_fd)


cdef void _signal(int fd) noexcept nogil:
    cdef u64 one = 1
    write(fd, &one, sizeof(one))       # it cannot fill up: each wait takes all


cdef timespec _span(us_t us) noexcept nogil:
    cdef timespec span
    span.tv_sec = us // US_PER_S
    span.tv_nsec = us % US_PER_S * NS_PER_US
    return span


@cython.final
cdef class Crowd:
    """Runs a swarm on this machine's clock and sockets; see crowd.pyi."""

    cdef readonly Swarm swarm
    cdef Sockets* sockets
    cdef int epoll
    cdef int wake_fd
    cdef readonly int event_fd
    cdef bint attached
    cdef bint running
    cdef volatile bint stopping    # set by any thread
    cdef bint busy
    cdef int failure               # errno that ended the loop
    cdef u64 turns
    cdef u64 rate_count            # datagrams since rate_from
    cdef us_t rate_from
    cdef us_t busy_us
    cdef us_t cpu_us               # of runs that are over
    cdef clockid_t cpu_clock
    cdef us_t sync_us
    cdef epoll_event ready[READY]
    cdef Received received[SOCKETS_READ * SOCKETS_SEGMENTS]

    def __cinit__(self, bytes seed, *, str bind="127.0.0.1", int receive_buffer=0):
        cdef timespec span
        self.epoll = self.wake_fd = self.event_fd = -1
        self.swarm = Swarm(seed)
        address = socket.inet_pton(socket.AF_INET6 if ":" in bind else socket.AF_INET, bind)
        self.epoll = _owned(epoll_create1(EPOLL_CLOEXEC))
        self.wake_fd = _owned(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
        self.event_fd = _owned(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
        self.sockets = sockets_new(self.epoll, address, <int>len(address), receive_buffer)
        if self.sockets == NULL:
            raise MemoryError
        self.ready[0].events = EPOLLIN
        self.ready[0].data.fd = self.wake_fd
        _owned(epoll_ctl(self.epoll, EPOLL_CTL_ADD, self.wake_fd, self.ready))
        span = _span(0)
        _owned(nanosecond_epoll_wait(self.epoll, self.ready, READY, &span))       # a kernel without it would make a loop that spins
        self._attach()

    def __dealloc__(self):
        if self.attached:
            self._detach()
        sockets_free(self.sockets)
        for fd in (self.epoll, self.wake_fd, self.event_fd):
            if fd >= 0:
                close(fd)

    cdef void _attach(self) noexcept:
        self.swarm.attach(_clock, _wake, <void*>self)
        self.attached = True

    cdef void _detach(self) noexcept nogil:
        self.swarm.attach(NULL, NULL, NULL)
        self.attached = False

    def now(self):
        """Microseconds of CLOCK_MONOTONIC."""
        return monotonic_us()

    def set_epoch(self, us_t epoch):
        """Stamps carry times since this moment of now(), which all machines of a run agree on."""
        stamp_set_epoch(epoch)

    def stop(self):
        """Ends run(), before or while it runs, after what is queued was sent. There is no other run after it."""
        self.stopping = True
        _signal(self.wake_fd)

    def run(self):
        """Returns after stop(). Raises OSError when the machine has no more sockets to give."""
        cdef int slack
        if self.running or not self.attached:
            raise MisuseError("a crowd runs once", E_STATE)
        self.running = True
        slack = prctl(PR_GET_TIMERSLACK)
        prctl(PR_SET_TIMERSLACK, 1)
        pthread_getcpuclockid(pthread_self(), &self.cpu_clock)
        with nogil:
            self._loop()
            self.cpu_us = self._cpu()
            self._detach()
        prctl(PR_SET_TIMERSLACK, slack)
        self.running = False
        stamp_set_epoch(0)             # the stamps' clock belongs to this run; what comes after in the process has its own
        if self.failure:
            raise OSError(self.failure, f"no socket for a path beside {self.totals()['sockets']} others: {os.strerror(self.failure)}")

    def totals(self):
        """What the loop did; see crowd.pyi."""
        cdef SocketTotals totals
        sockets_totals(self.sockets, &totals)
        cpu_us = self._cpu() if self.running else self.cpu_us
        return {**totals, "turns": self.turns, "busy_us": self.busy_us, "cpu_us": cpu_us}

    cdef us_t _cpu(self) noexcept nogil:
        cdef timespec spent
        clock_gettime(self.cpu_clock, &spent)
        return <us_t>spent.tv_sec * US_PER_S + spent.tv_nsec // NS_PER_US

    cdef void _loop(self) noexcept nogil:
        cdef us_t deadline = 0
        cdef us_t began
        cdef int count
        cdef bint last
        while True:
            last = self.stopping       # a whole turn follows, which sees whatever was asked for before stop()
            count = 0 if last else self._wait(deadline)
            began = monotonic_us()
            if began >= self.sync_us:
                sockets_sync(self.sockets)
                self.sync_us = began + SYNC_US
            deadline = self._turn(count, began)
            self.turns += 1
            self.busy_us += monotonic_us() - began
            if last or self.failure:
                return

    cdef int _wait(self, us_t deadline) noexcept nogil:
        """How many sockets are ready, at the deadline at the latest."""
        cdef us_t now = monotonic_us()
        cdef us_t wait = max(0, min(deadline - now, <us_t>LONGEST_SLEEP_US))
        cdef timespec span
        if now - self.rate_from >= RATE_US:
            self.busy = self.rate_count * 1000 >= <u64>(now - self.rate_from) * BUSY_PER_MS
            self.rate_count = 0
            self.rate_from = now
        if self.busy:
            span = _span(max(<us_t>SHORTEST_NAP_US, min(wait, <us_t>NAP_US)))
            nanosleep(&span, NULL)
            wait = 0
        span = _span(wait)
        return nanosecond_epoll_wait(self.epoll, self.ready, READY, &span)

    cdef us_t _turn(self, int count, us_t now) noexcept nogil:
        """Returns when the next one is due."""
        cdef us_t deadline
        cdef u64 taken = 0
        cdef int i
        self.swarm.lock()
        self._serve()
        for i in range(count):
            if self.ready[i].data.fd == self.wake_fd:
                read(self.wake_fd, &taken, sizeof(taken))
            else:
                now = self._receive(self.ready[i].data.fd, now)
                if self.swarm.deadline() <= now:
                    self._timers(now)      # or a turn of many sockets would hold up what is to be sent
        self._timers(monotonic_us())
        self._bury()
        if self.swarm.has_events():
            _signal(self.event_fd)
        self.swarm.give_way()
        deadline = self.swarm.deadline()
        self.swarm.unlock()
        return deadline

    cdef void _serve(self) noexcept nogil:
        """Sockets for paths that want one."""
        cdef Path* p = self.swarm.next_wanting()
        cdef int failed
        while p != NULL:
            failed = sockets_open(self.sockets, p)
            p.rebind = False
            if failed:
                self.swarm.no_socket(p)
                if failed == EMFILE or failed == ENFILE or failed == ENOBUFS or failed == ENOMEM:
                    self.failure = failed
            p = self.swarm.next_wanting()

    cdef us_t _receive(self, int fd, us_t now) noexcept nogil:
        """Reads a socket once. The time after that."""
        cdef Path* p = sockets_path(self.sockets, fd)
        cdef int count
        cdef int i
        if p == NULL:
            return now
        count = sockets_receive(self.sockets, fd, self.received, &now)
        self.rate_count += count
        for i in range(count):
            if not self.swarm.has_room():
                self._send(now)
            self.swarm.receive(p, self.received[i].data, self.received[i].size, self.received[i].arrival_us, now)
        return now

    cdef void _timers(self, us_t now) noexcept nogil:
        while self.swarm.run_timers(now):
            self._send(now)
        self._send(now)

    cdef void _send(self, us_t now) noexcept nogil:
        if self.swarm.s.out.count:
            self.rate_count += self.swarm.s.out.count
            sockets_send(self.sockets, &self.swarm.s.out)
            self.swarm.sent(monotonic_us())

    cdef void _bury(self) noexcept nogil:
        cdef Path* p = self.swarm.next_gone()
        while p != NULL:
            sockets_close(self.sockets, p)
            self.swarm.release(p)
            p = self.swarm.next_gone()


cdef int _owned(int fd) except -1:
    if fd < 0:
        raise OSError(errno, os.strerror(errno))
    return fd
