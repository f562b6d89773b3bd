# When each path wants to be looked at next: a binary heap of paths by deadline, as engine/timers has one of transports.
from simplestchat._native.core.types cimport us_t
from simplestchat._native.peer.entities cimport Path, PeerHeap

cdef void peer_timers_free(PeerHeap* heap) noexcept nogil
cdef int peer_timers_add(PeerHeap* heap, Path* p) noexcept nogil            # OK or E_NOMEM; deadline as in p.deadline_us
cdef void peer_timers_remove(PeerHeap* heap, Path* p) noexcept nogil
cdef void peer_timers_set(PeerHeap* heap, Path* p, us_t deadline) noexcept nogil
# Only ever brings the deadline forward.
cdef inline void peer_timers_hasten(PeerHeap* heap, Path* p, us_t deadline) noexcept nogil:
    if deadline < p.deadline_us:
        peer_timers_set(heap, p, deadline)
cdef inline Path* peer_timers_first(PeerHeap* heap) noexcept nogil:
    return heap.items[1] if heap.count > 0 else NULL
