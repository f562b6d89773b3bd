# The UDP port of a worker: batches of datagrams in, queues of them out.
#
# Nothing waits here. What a full socket does not take is kept, in order and bounded, until it can be written to again; media goes
# on meanwhile (backlog.pxd says what is left out when it lasts).
from simplestchat._native.core.types cimport u32
from simplestchat._native.engine.entities cimport Counters, Datagram, OutQueue

cdef struct Udp

# NULL on failure, errno says why. Port 0: a free one. `epoll` watches its sockets, with their place as the event's data (-1: nobody
# does). `offload`: whole trains between us and the kernel, where it takes them; else datagram by datagram.
cdef Udp* udp_open(int port, int epoll, bint offload) noexcept nogil
cdef void udp_close(Udp* u) noexcept nogil
cdef int udp_port(const Udp* u) noexcept nogil
# At most BATCH datagrams of that socket (or left over from the last read: then of the socket before), valid until the next call.
# *drained: it has no more now. arrived_us is when the kernel got them, on the wall clock; 0 when it does not say.
cdef int udp_receive(Udp* u, u32 socket, Datagram* out, bint* drained, Counters* counters) noexcept nogil
cdef bint udp_has_left(const Udp* u) noexcept nogil
# All of the queue, in order, or behind what waits.
cdef void udp_send(Udp* u, const OutQueue* queue, Counters* counters) noexcept nogil
# A socket can be written to: what waits goes on.
cdef void udp_writable(Udp* u, u32 socket, Counters* counters) noexcept nogil
