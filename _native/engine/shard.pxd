# The engine of one worker: all transports, producers and consumers, single-owner and without locks, sans-IO.
#
# A turn: receive() datagrams, as many as there is room for answers; send what is in out(); flush() and send until it says that
# nothing is left; handshakes() once, and send; tick() when deadline() has passed, and send. Between turns, under the GIL, the control methods.
#
# A turn's methods are virtual, so that tests can put a faulty shard in the place of a good one (testing/faults).
from simplestchat._native.core.types cimport us_t
from simplestchat._native.engine.entities cimport Consumer, Datagram, OutQueue, Producer, ShardState, Transport

cdef class Shard:
    cdef ShardState s
    cdef us_t now
    cdef dict transports           # id -> address of the struct
    cdef dict producers
    cdef dict consumers
    cdef list drained              # what virtual-time runs have not fetched yet

    # How many of the datagrams were taken: fewer when the output queue must be sent first. At most BATCH between two flushes.
    cdef int receive(self, const Datagram* batch, int count, us_t now) noexcept nogil
    cdef bint flush(self, us_t now) noexcept nogil
    # A little of what DTLS wants. True when more waits: the next turn must not sleep.
    cdef bint handshakes(self, us_t now) noexcept nogil
    # True when the output queue filled up before all that is due was done.
    cdef bint run_timers(self, us_t now) noexcept nogil
    cdef us_t deadline(self) noexcept nogil
    cdef bint has_events(self) noexcept nogil
    cdef Transport* _transport(self, int id) except NULL
    cdef Producer* _producer(self, int id) except NULL
    cdef Consumer* _consumer(self, int id) except NULL
    cdef void _forget_producer(self, Producer* p)
    cdef list _take_out(self)
