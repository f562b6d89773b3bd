"""A loop without sockets for a swarm: turn after turn without a pause, so that its lock is nearly never free."""

from simplestchat._native.core.errors import MisuseError
from simplestchat._native.core.types cimport u64, us_t
from simplestchat._native.io.clock cimport NS_PER_US, clock_ns
from simplestchat._native.io.system cimport CLOCK_MONOTONIC
from simplestchat._native.peer.entities cimport Path
from simplestchat._native.peer.swarm cimport Swarm


cdef us_t _clock(void* loop) noexcept nogil:
    return clock_ns(CLOCK_MONOTONIC) // NS_PER_US


cdef void _wake(void* loop) noexcept nogil:
    (<u64*>loop)[0] += 1


cdef class Turner:
    """What the loop saw: its turns, calls of its `wake`, paths that wanted a socket, paths that went, datagrams."""

    cdef Swarm swarm
    cdef volatile bint stopping
    cdef readonly u64 turns
    cdef readonly u64 wakes
    cdef readonly u64 wanted
    cdef readonly u64 gone
    cdef readonly u64 datagrams

    def __cinit__(self, Swarm swarm):
        self.swarm = swarm
        swarm.attach(_clock, _wake, &self.wakes)

    def stop(self):
        self.stopping = True

    def run(self):
        """Until stop()."""
        if self.stopping:
            raise MisuseError("it ran already")
        with nogil:
            while not self.stopping:
                self._turn()
            self.swarm.attach(NULL, NULL, NULL)

    cdef void _turn(self) noexcept nogil:
        cdef us_t now = _clock(NULL)
        cdef bint more = True
        cdef Path* p
        self.swarm.lock()
        p = self.swarm.next_wanting()
        while p != NULL:
            self.wanted += 1
            p.rebind = 0
            p = self.swarm.next_wanting()
        while more:
            more = self.swarm.run_timers(now)
            self.datagrams += self.swarm.s.out.count
            self.swarm.sent(now)
        p = self.swarm.next_gone()
        while p != NULL:
            self.gone += 1
            self.swarm.release(p)
            p = self.swarm.next_gone()
        self.swarm.give_way()
        self.swarm.unlock()
        self.turns += 1
