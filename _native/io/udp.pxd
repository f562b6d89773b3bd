# One wildcard UDP socket for IPv4 and IPv6, read and written in batches.
#
# A reply must leave from the address that was asked (the host may have several), so the local address comes in and goes out as
# IPV6_PKTINFO (IP_PKTINFO where the machine has no IPv6) and is part of the tuple.
from simplestchat._native.core.types cimport u64
from simplestchat._native.engine.entities cimport Datagram, OutQueue

cdef struct Udp

cdef Udp* udp_open(int port) noexcept nogil                 # NULL on failure, errno says why; port 0 = a free one
cdef void udp_close(Udp* u) noexcept nogil
cdef int udp_fd(const Udp* u) noexcept nogil
cdef int udp_port(const Udp* u) noexcept nogil
# At most BATCH datagrams, valid until the next call. 0 when there are none now. arrived_us is when the kernel got them, on the wall
# clock; 0 when it does not say. *lost grows by those that the kernel dropped because the socket's buffer was full, *refused by
# those that were cut or came without their local address.
cdef int udp_receive(Udp* u, Datagram* out, u64* lost, u64* refused) noexcept nogil
# Sends all of the queue, in order. Packets of one size in a row to one destination leave as one message (UDP GSO), which the kernel
# or the network card cuts; *trains counts these. A destination that refuses it gets them one by one from then on. The
# number that the kernel would not take (a destination that cannot be reached, a socket buffer that stayed full for SEND_PATIENCE_MS, or
# no memory in SEND_TRIES tries); those are lost.
cdef u64 udp_send(Udp* u, const OutQueue* queue, u64* trains) noexcept nogil
