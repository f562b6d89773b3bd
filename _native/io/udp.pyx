"""The UDP port of a worker; see udp.pxd."""

from libc.stdlib cimport calloc, free

from simplestchat._native.core.types cimport OK, u32
from simplestchat._native.engine.entities cimport Counters, Datagram, OutQueue
from simplestchat._native.io.backlog cimport (
    Backlog, backlog_free, backlog_init, backlog_push, backlog_sent, backlog_waits,
)
from simplestchat._native.io.inbound cimport Inbound, inbound_free, inbound_has_left, inbound_init, inbound_receive
from simplestchat._native.io.outbound cimport Outbound, outbound_init, outbound_send
from simplestchat._native.io.port cimport Port, port_close, port_open, port_watch
from simplestchat._native.io.system cimport ENOMEM, errno

cdef struct Udp:
    Port port
    Inbound inbound
    Outbound outbound
    Backlog backlog


cdef Udp* udp_open(int port, int epoll, bint offload) noexcept nogil:
    cdef Udp* u = <Udp*>calloc(1, sizeof(Udp))
    if u == NULL:
        return NULL
    if port_open(&u.port, port, epoll, offload) != 0:
        free(u)
        return NULL
    outbound_init(&u.outbound, offload)
    backlog_init(&u.backlog)
    if inbound_init(&u.inbound) != OK:
        udp_close(u)
        errno = ENOMEM
        return NULL
    return u


cdef void udp_close(Udp* u) noexcept nogil:
    if u != NULL:
        port_close(&u.port)
        inbound_free(&u.inbound)
        backlog_free(&u.backlog)
        free(u)


cdef int udp_port(const Udp* u) noexcept nogil:
    return u.port.number


cdef int udp_receive(Udp* u, u32 socket, Datagram* out, bint* drained, Counters* counters) noexcept nogil:
    return inbound_receive(&u.inbound, &u.port, socket, out, drained, counters)


cdef bint udp_has_left(const Udp* u) noexcept nogil:
    return inbound_has_left(&u.inbound)


cdef void udp_send(Udp* u, const OutQueue* queue, Counters* counters) noexcept nogil:
    cdef u32 full = 0
    cdef u32 sent = 0
    if not backlog_waits(&u.backlog):
        sent = outbound_send(&u.outbound, &u.port, queue.arena, queue.packets, 0, queue.count, &full, counters)
        if sent == queue.count:
            return
        u.backlog.socket = full
        port_watch(&u.port, full, True)
    while sent < queue.count:
        if queue.packets[sent].size:
            backlog_push(&u.backlog, &queue.packets[sent], queue.arena + queue.packets[sent].off, counters)
        sent += 1


cdef void udp_writable(Udp* u, u32 socket, Counters* counters) noexcept nogil:
    cdef Backlog* b = &u.backlog
    cdef u32 full = socket
    cdef u32 sent
    if backlog_waits(b):
        sent = outbound_send(&u.outbound, &u.port, b.arena, b.packets, b.first, b.count, &full, counters)
        backlog_sent(b, sent)
    if not backlog_waits(b):
        port_watch(&u.port, socket, False)
    elif full != socket:
        port_watch(&u.port, socket, False)
        port_watch(&u.port, full, True)
