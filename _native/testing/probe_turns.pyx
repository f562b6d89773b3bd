"""A shard that tells what each of its turns at handshakes did."""

cimport cython

from simplestchat._native.core.types cimport u32, us_t
from simplestchat._native.crypto.dtls cimport dtls_steps
from simplestchat._native.engine.entities cimport Transport
from simplestchat._native.engine.shard cimport Shard

cdef enum:
    TURNS = 4096                   # remembered


@cython.final
cdef class TurnsShard(Shard):
    """A shard as any other, but for its memory of its turns."""

    cdef u32 count
    cdef u32 worked[TURNS]
    cdef u32 waiting[TURNS]

    cdef u32 _steps(self) noexcept nogil:
        cdef Transport* t
        cdef u32 steps = 0
        cdef u32 i
        for i in range(1, self.s.timers.count + 1):
            t = self.s.timers.items[i]
            steps += dtls_steps(t.dtls) if t.dtls != NULL else 0
        return steps

    cdef bint handshakes(self, us_t now) noexcept nogil:
        cdef u32 before = self._steps()
        cdef u32 waited = self.s.handshakes.count
        cdef bint more = Shard.handshakes(self, now)
        if waited and self.count < TURNS:
            self.worked[self.count] = self._steps() - before
            self.waiting[self.count] = self.s.handshakes.count
            self.count += 1
        return more

    def take_turns(self):
        """(Steps of libssl, datagrams that wait afterwards) of each turn in which something waited, since the last look."""
        turns = [(self.worked[i], self.waiting[i]) for i in range(self.count)]
        self.count = 0
        return turns
