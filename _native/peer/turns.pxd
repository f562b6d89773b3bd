# The turns of a swarm, sans-IO: what the loop with the sockets calls, and the same with bytes in virtual time.
#
# A turn, by the loop that has the sockets (or by feed, tick and drain in virtual time), all of it between lock() and unlock():
#   1. lock(); serve next_wanting() until it gives NULL: make or replace sockets.
#   2. receive() every datagram that was read; when has_room() says no, send what is in `s.out` first.
#   3. while run_timers(now): send. It says True when the output queue filled up before all that is due was done.
#   4. send: each packet of `s.out` in order, by its path's socket; then sent(now), which measures and empties the queue.
#   5. with the queue empty: next_gone() until NULL; close its socket, release() it. After that no event of epoll may name it.
#   6. has_events(): tell whoever waits for events. give_way(), unlock(), sleep until deadline() or a datagram.
# Methods of Python take the same lock without the GIL, for short; they call the loop's `wake` when they queued output, made or
# removed a path, or brought the deadline forward.
from simplestchat._native.core.types cimport u32, u8, us_t
from simplestchat._native.peer.entities cimport Path, SwarmState

cdef extern from "pthread.h" nogil:
    ctypedef struct pthread_mutex_t:
        pass
    ctypedef struct pthread_cond_t:
        pass

ctypedef us_t (*SwarmClock)(void* loop) noexcept nogil
ctypedef void (*SwarmWake)(void* loop) noexcept nogil

cdef class Turns:
    cdef SwarmState s
    cdef pthread_mutex_t mutex
    cdef pthread_cond_t served
    cdef int waiting               # methods that wait for the lock
    cdef void* loop
    cdef SwarmClock clock          # NULL in virtual time: then `now` is the last turn's
    cdef SwarmWake wake
    cdef us_t before               # the deadline when a method took the lock
    cdef list drained              # what virtual-time runs have not fetched yet

    # Real time from now on: before the loop's first turn, and attach(NULL, NULL, NULL) after its last. `wake` may be called from any thread,
    # with the lock held or not, and must not take it.
    cdef void attach(self, SwarmClock clock, SwarmWake wake, void* loop) noexcept nogil
    cdef void lock(self) noexcept nogil
    cdef void unlock(self) noexcept nogil
    # Lets a method that waits have the lock, if there is one. With the lock held, and held again on return.
    cdef void give_way(self) noexcept nogil

    # The next path that needs a socket (`socket` is -1) or another one (`rebind`: replace it, clear the flag). NULL: no more.
    cdef Path* next_wanting(self) noexcept nogil
    # The path cannot have a socket: it fails.
    cdef void no_socket(self, Path* p) noexcept nogil
    # The next removed path that has nothing more to send. NULL: no more.
    cdef Path* next_gone(self) noexcept nogil
    cdef void release(self, Path* p) noexcept nogil      # frees it; its socket is the loop's to close

    # Is there room for what one received datagram can cause?
    cdef bint has_room(self) noexcept nogil
    # One datagram that the path's socket gave. `arrival` is the kernel's receive timestamp on the run's clock, at most `now`.
    cdef void receive(self, Path* p, const u8* data, u32 size, us_t arrival, us_t now) noexcept nogil
    cdef bint run_timers(self, us_t now) noexcept nogil
    # When run_timers wants to be called; PEER_NEVER_US: only when something happens.
    cdef us_t deadline(self) noexcept nogil
    # What was in `s.out` was handed to the kernel at `now` (or dropped by it): lag is measured, the queue is empty again.
    cdef void sent(self, us_t now) noexcept nogil
    cdef bint has_events(self) noexcept nogil

    cdef void _enter(self) noexcept nogil
    cdef void _leave(self) noexcept nogil
    cdef list _take_out(self)
    cdef int _run(self, us_t now) except -1
