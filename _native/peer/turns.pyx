"""The turns of a swarm; the contract is in turns.pxd."""

cimport cython
from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

from simplestchat._native.core.histogram cimport histogram_add
from simplestchat._native.core.table cimport table64_free, table64_get
from simplestchat._native.core.types cimport OK, u32, u64, u8, us_t
from simplestchat._native.crypto.dtls_context cimport dtls_context_free, dtls_context_new, dtls_context_suites
from simplestchat._native.peer.entities cimport (
    MAX_PATHS, MAX_SWARM_EVENTS, PEER_NEVER_US, Path, PeerEvent, PeerPacket, SwarmMeasures,
)
from simplestchat._native.peer.idtable cimport idtable_init
from simplestchat._native.peer.ledger cimport ledger_free, ledger_new
from simplestchat._native.peer.measures cimport measures_clear
from simplestchat._native.peer.output cimport peer_has_headroom, peer_out_clear, peer_out_free, peer_out_init
from simplestchat._native.peer.path cimport path_fail, path_free, path_receive, path_tick, path_want
from simplestchat._native.peer.timers cimport peer_timers_first, peer_timers_free

import hashlib

from simplestchat._native.core.errors import InternalError, MisuseError

cdef extern from "pthread.h" nogil:
    int pthread_mutex_init(pthread_mutex_t* mutex, void* attributes)
    int pthread_mutex_destroy(pthread_mutex_t* mutex)
    int pthread_mutex_lock(pthread_mutex_t* mutex)
    int pthread_mutex_unlock(pthread_mutex_t* mutex)
    int pthread_cond_init(pthread_cond_t* cond, void* attributes)
    int pthread_cond_destroy(pthread_cond_t* cond)
    int pthread_cond_signal(pthread_cond_t* cond)
    int pthread_cond_wait(pthread_cond_t* cond, pthread_mutex_t* mutex)

cdef extern from * nogil:
    int __atomic_add_fetch(int* value, int more, int order)
    int __atomic_load_n(int* value, int order)
    int __ATOMIC_SEQ_CST


cdef class Turns:
    """A swarm's state, its lock and its turns; made as a Swarm."""

    def __cinit__(self, bytes seed, str suites=""):
        cdef u64 numbers[4]
        cdef bytes names = suites.encode()
        cdef bytes digest = hashlib.sha256(seed).digest()
        memcpy(numbers, <const char*>digest, sizeof(numbers))
        memset(&self.s, 0, sizeof(self.s))
        self.drained = []
        pthread_mutex_init(&self.mutex, NULL)
        pthread_cond_init(&self.served, NULL)
        self.s.table_seed = numbers[0]
        self.s.dtls = dtls_context_new()
        self.s.ledger = ledger_new(numbers[1])
        self.s.measures = <SwarmMeasures*>malloc(sizeof(SwarmMeasures))
        self.s.events = <PeerEvent*>calloc(MAX_SWARM_EVENTS, sizeof(PeerEvent))
        self.s.paths = <Path**>calloc(MAX_PATHS, sizeof(Path*))
        if (self.s.dtls == NULL or self.s.ledger == NULL or self.s.measures == NULL or self.s.events == NULL or self.s.paths == NULL
                or peer_out_init(&self.s.out) != OK or idtable_init(&self.s.by_path, numbers[0]) != OK
                or idtable_init(&self.s.by_sender, numbers[0]) != OK or idtable_init(&self.s.by_receiver, numbers[0]) != OK):
            raise InternalError("no certificate could be made, or there is no memory for a swarm")
        measures_clear(self.s.measures)
        if names and dtls_context_suites(self.s.dtls, names) != OK:
            raise MisuseError(f"{suites!r} are no SRTP suites")

    def __dealloc__(self):
        cdef Path* p
        while peer_timers_first(&self.s.timers) != NULL:
            path_free(&self.s, peer_timers_first(&self.s.timers))
        while self.s.gone != NULL:
            p = self.s.gone
            self.s.gone = p.next_gone
            path_free(&self.s, p)
        peer_timers_free(&self.s.timers)
        peer_out_free(&self.s.out)
        table64_free(&self.s.by_path)
        table64_free(&self.s.by_sender)
        table64_free(&self.s.by_receiver)
        if self.s.ledger != NULL:
            ledger_free(self.s.ledger)
        if self.s.dtls != NULL:
            dtls_context_free(self.s.dtls)
        free(self.s.measures)
        free(self.s.events)
        free(self.s.paths)
        pthread_cond_destroy(&self.served)
        pthread_mutex_destroy(&self.mutex)

    # The loop's side.

    cdef void attach(self, SwarmClock clock, SwarmWake wake, void* loop) noexcept nogil:
        cdef u32 i
        self.lock()
        self.clock = clock
        self.wake = wake
        self.loop = loop
        self.s.has_loop = clock != NULL
        for i in range(self.s.path_count):
            if self.s.paths[i].socket < 0:
                path_want(&self.s, self.s.paths[i])
        self.unlock()

    cdef void lock(self) noexcept nogil:
        pthread_mutex_lock(&self.mutex)

    cdef void unlock(self) noexcept nogil:
        pthread_mutex_unlock(&self.mutex)

    cdef void give_way(self) noexcept nogil:
        # A method that is counted has not got the lock yet, so its signal is still to come.
        if __atomic_load_n(&self.waiting, __ATOMIC_SEQ_CST) > 0:
            pthread_cond_wait(&self.served, &self.mutex)

    cdef void _enter(self) noexcept nogil:
        __atomic_add_fetch(&self.waiting, 1, __ATOMIC_SEQ_CST)
        pthread_mutex_lock(&self.mutex)
        __atomic_add_fetch(&self.waiting, -1, __ATOMIC_SEQ_CST)
        if self.clock != NULL:
            self.s.now = self.clock(self.loop)
        self.before = self.deadline()

    cdef void _leave(self) noexcept nogil:
        if self.wake != NULL and (self.s.wanting != NULL or self.s.gone != NULL or self.deadline() < self.before):
            self.wake(self.loop)
        pthread_cond_signal(&self.served)
        pthread_mutex_unlock(&self.mutex)

    cdef Path* next_wanting(self) noexcept nogil:
        cdef Path* p = self.s.wanting
        if p != NULL:
            self.s.wanting = p.next_wanting
            p.next_wanting = NULL
            p.wanting = 0
        return p

    cdef void no_socket(self, Path* p) noexcept nogil:
        path_fail(&self.s, p)

    cdef Path* next_gone(self) noexcept nogil:
        cdef Path* p = self.s.gone
        if p != NULL:
            self.s.gone = p.next_gone
        return p

    cdef void release(self, Path* p) noexcept nogil:
        path_free(&self.s, p)

    cdef bint has_room(self) noexcept nogil:
        return peer_has_headroom(&self.s.out)

    cdef void receive(self, Path* p, const u8* data, u32 size, us_t arrival, us_t now) noexcept nogil:
        self.s.now = now
        histogram_add(&self.s.measures.wake, now - arrival)
        path_receive(&self.s, p, data, size, arrival, now)

    cdef bint run_timers(self, us_t now) noexcept nogil:
        cdef Path* p = peer_timers_first(&self.s.timers)
        self.s.now = now
        while p != NULL and p.deadline_us <= now:
            if path_tick(&self.s, p, now):
                return True
            p = peer_timers_first(&self.s.timers)
        return False

    cdef us_t deadline(self) noexcept nogil:
        cdef Path* p = peer_timers_first(&self.s.timers)
        return p.deadline_us if p != NULL else PEER_NEVER_US

    cdef void sent(self, us_t now) noexcept nogil:
        cdef u32 i
        for i in range(self.s.out.count):
            if self.s.out.packets[i].due_us:
                histogram_add(&self.s.measures.lag, now - self.s.out.packets[i].due_us)
        peer_out_clear(&self.s.out)

    cdef bint has_events(self) noexcept nogil:
        return self.s.event_count > 0

    # Virtual time: the same turns with bytes. Nobody else may use the swarm meanwhile.

    cdef list _take_out(self):
        cdef PeerPacket* packet
        cdef u32 i
        taken = []
        for i in range(self.s.out.count):
            packet = &self.s.out.packets[i]
            taken.append((packet.path.id, PyBytes_FromStringAndSize(<char*>self.s.out.arena + packet.off, packet.size)))
        self.sent(self.s.now)
        return taken

    cdef int _run(self, us_t now) except -1:
        cdef Path* p
        while self.run_timers(now):
            self.drained += self._take_out()
        self.drained += self._take_out()
        p = self.next_gone()
        while p != NULL:
            self.release(p)
            p = self.next_gone()
        return 0

    def feed(self, u32 path, bytes data, us_t now):
        """One datagram from the server."""
        cdef u64 value
        if not table64_get(&self.s.by_path, path, &value):
            raise MisuseError(f"there is no path {path}")
        self.receive(<Path*>value, <const u8*><const char*>data, len(data), now, now)
        self._run(now)

    def tick(self, us_t now):
        """Everything that is due."""
        self._run(now)

    def drain(self):
        """What is to be sent, as (path, bytes), in order."""
        self._run(self.s.now)
        drained, self.drained = self.drained, []
        return drained

    def next_deadline(self):
        """When tick() wants to be called, in microseconds."""
        return self.deadline()
