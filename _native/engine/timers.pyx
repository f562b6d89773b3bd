"""A binary heap of transports by deadline; see timers.pxd."""

from libc.stdlib cimport free, realloc

from simplestchat._native.core.types cimport E_NOMEM, OK, u32, us_t
from simplestchat._native.engine.entities cimport Heap, Transport


cdef inline void _place(Heap* heap, u32 at, Transport* t) noexcept nogil:
    heap.items[at] = t
    t.heap_index = at


cdef void _up(Heap* heap, u32 at) noexcept nogil:
    cdef Transport* t = heap.items[at]
    while at > 1 and heap.items[at // 2].deadline_us > t.deadline_us:
        _place(heap, at, heap.items[at // 2])
        at //= 2
    _place(heap, at, t)


cdef void _down(Heap* heap, u32 at) noexcept nogil:
    cdef Transport* t = heap.items[at]
    cdef u32 child = at * 2
    while child <= heap.count:
        if child < heap.count and heap.items[child + 1].deadline_us < heap.items[child].deadline_us:
            child += 1
        if heap.items[child].deadline_us >= t.deadline_us:
            break
        _place(heap, at, heap.items[child])
        at = child
        child = at * 2
    _place(heap, at, t)


cdef void timers_free(Heap* heap) noexcept nogil:
    free(heap.items)
    heap.items = NULL
    heap.count = 0
    heap.capacity = 0


cdef int timers_add(Heap* heap, Transport* t) noexcept nogil:
    cdef u32 capacity
    cdef void* grown
    if heap.count + 2 > heap.capacity:
        capacity = heap.capacity * 2 if heap.capacity else 64
        grown = realloc(heap.items, capacity * sizeof(Transport*))
        if grown == NULL:
            return E_NOMEM
        heap.items = <Transport**>grown
        heap.capacity = capacity
    heap.count += 1
    heap.items[heap.count] = t
    _up(heap, heap.count)
    return OK


cdef void timers_remove(Heap* heap, Transport* t) noexcept nogil:
    cdef u32 at = t.heap_index
    cdef Transport* last
    if at == 0:
        return
    last = heap.items[heap.count]
    heap.count -= 1
    t.heap_index = 0
    if last == t:
        return
    _place(heap, at, last)
    _up(heap, at)
    _down(heap, last.heap_index)


cdef void timers_set(Heap* heap, Transport* t, us_t deadline) noexcept nogil:
    t.deadline_us = deadline
    if t.heap_index:
        _up(heap, t.heap_index)
        _down(heap, t.heap_index)
