"""A binary heap of paths by deadline; see timers.pxd."""

from libc.stdlib cimport free, realloc

from simplestchat._native.core.types cimport E_NOMEM, OK, u32, us_t
from simplestchat._native.peer.entities cimport Path, PeerHeap


cdef inline void _place(PeerHeap* heap, u32 at, Path* p) noexcept nogil:
    heap.items[at] = p
    p.heap_index = at


cdef void _up(PeerHeap* heap, u32 at) noexcept nogil:
    cdef Path* p = heap.items[at]
    while at > 1 and heap.items[at // 2].deadline_us > p.deadline_us:
        _place(heap, at, heap.items[at // 2])
        at //= 2
    _place(heap, at, p)


cdef void _down(PeerHeap* heap, u32 at) noexcept nogil:
    cdef Path* p = heap.items[at]
    cdef u32 child = at * 2
    while child <= heap.count:
        if child < heap.count and heap.items[child + 1].deadline_us < heap.items[child].deadline_us:
            child += 1
        if heap.items[child].deadline_us >= p.deadline_us:
            break
        _place(heap, at, heap.items[child])
        at = child
        child = at * 2
    _place(heap, at, p)


cdef void peer_timers_free(PeerHeap* heap) noexcept nogil:
    free(heap.items)
    heap.items = NULL
    heap.count = 0
    heap.capacity = 0


cdef int peer_timers_add(PeerHeap* heap, Path* p) noexcept nogil:
    cdef u32 capacity
    cdef void* grown
    if heap.count + 2 > heap.capacity:
        capacity = heap.capacity * 2 if heap.capacity else 64
        grown = realloc(heap.items, capacity * sizeof(Path*))
        if grown == NULL:
            return E_NOMEM
        heap.items = <Path**>grown
        heap.capacity = capacity
    heap.count += 1
    heap.items[heap.count] = p
    _up(heap, heap.count)
    return OK


cdef void peer_timers_remove(PeerHeap* heap, Path* p) noexcept nogil:
    cdef u32 at = p.heap_index
    cdef Path* last
    if at == 0:
        return
    last = heap.items[heap.count]
    heap.count -= 1
    p.heap_index = 0
    if last == p:
        return
    _place(heap, at, last)
    _up(heap, at)
    _down(heap, last.heap_index)


cdef void peer_timers_set(PeerHeap* heap, Path* p, us_t deadline) noexcept nogil:
    p.deadline_us = deadline
    if p.heap_index:
        _up(heap, p.heap_index)
        _down(heap, p.heap_index)
