# When each transport wants to be looked at next: a binary heap of transports by deadline.
from simplestchat._native.core.types cimport us_t
from simplestchat._native.engine.entities cimport Heap, Transport

cdef void timers_free(Heap* heap) noexcept nogil
cdef int timers_add(Heap* heap, Transport* t) noexcept nogil            # OK or E_NOMEM; deadline as in t.deadline_us
cdef void timers_remove(Heap* heap, Transport* t) noexcept nogil
cdef void timers_set(Heap* heap, Transport* t, us_t deadline) noexcept nogil
# Only ever brings the deadline forward.
cdef inline void timers_hasten(Heap* heap, Transport* t, us_t deadline) noexcept nogil:
    if deadline < t.deadline_us:
        timers_set(heap, t, deadline)
cdef inline Transport* timers_first(Heap* heap) noexcept nogil:
    return heap.items[1] if heap.count > 0 else NULL
