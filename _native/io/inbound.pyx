"""Datagrams that arrive at a port; see inbound.pxd."""

from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from simplestchat._native.core.types cimport E_NOMEM, OK, US_PER_S, Tuple, u32, u64, u8, us_t
from simplestchat._native.engine.entities cimport BATCH, Counters, Datagram
from simplestchat._native.io.port cimport PORT_WILDCARD, Port, PortSocket
from simplestchat._native.io.system cimport (
    CMSG_DATA, CMSG_FIRSTHDR, CMSG_NXTHDR, IP_PKTINFO, IPPROTO_IP, IPPROTO_IPV6, IPV6_PKTINFO, MSG_DONTWAIT, MSG_TRUNC, SO_RXQ_OVFL,
    SO_TIMESTAMPNS, SOL_SOCKET, SOL_UDP, UDP_GRO, cmsghdr, in6_pktinfo, in_pktinfo, msghdr, ntohs, recvmmsg, sockaddr_in,
    sockaddr_in6, timespec,
)

cdef enum:
    MESSAGE_SIZE = 65536           # as large as UDP can be; only what arrives is ever touched
    MESSAGE_STRIDE = 65856         # five cache lines more, or all messages would compete for the same places of the cache

# What a message's head says of all its datagrams.
cdef struct Head:
    Tuple tuple
    us_t arrived_us
    u32 segment                    # bytes of each datagram but the last

cdef const u8* V4_PREFIX = b"\0\0\0\0\0\0\0\0\0\0\xff\xff"


cdef int inbound_init(Inbound* in_) noexcept nogil:
    cdef int i
    memset(in_, 0, sizeof(Inbound))
    in_.data = <u8*>malloc(<size_t>INBOUND_MESSAGES * MESSAGE_STRIDE)
    if in_.data == NULL:
        return E_NOMEM
    for i in range(INBOUND_MESSAGES):
        in_.vectors[i].iov_base = in_.data + <size_t>i * MESSAGE_STRIDE
        in_.vectors[i].iov_len = MESSAGE_SIZE
        in_.headers[i].msg_hdr.msg_name = &in_.names[i]
        in_.headers[i].msg_hdr.msg_iov = &in_.vectors[i]
        in_.headers[i].msg_hdr.msg_iovlen = 1
        in_.headers[i].msg_hdr.msg_control = in_.control[i]
    return OK


cdef void inbound_free(Inbound* in_) noexcept nogil:
    free(in_.data)
    in_.data = NULL


cdef inline void _map_v4(u8* out, const void* address) noexcept nogil:
    memcpy(out, V4_PREFIX, 12)
    memcpy(out + 12, address, 4)


cdef void _count_drops(PortSocket* socket, const cmsghdr* header, Counters* counters) noexcept nogil:
    cdef u32 overflowed
    memcpy(&overflowed, CMSG_DATA(<cmsghdr*>header), sizeof(overflowed))
    counters.dropped_receive += <u32>(overflowed - socket.overflowed)      # the kernel's count only grows, modulo 2**32
    socket.overflowed = overflowed


cdef bint _read_control(msghdr* message, PortSocket* socket, Head* out, Counters* counters) noexcept nogil:
    """The address that the message was sent to, when it came and how it is cut. Is the address there?"""
    cdef cmsghdr* header = CMSG_FIRSTHDR(message)
    cdef bint found = False
    cdef timespec arrived
    while header != NULL:
        if header.cmsg_level == IPPROTO_IPV6 and header.cmsg_type == IPV6_PKTINFO:
            memcpy(out.tuple.local_ip, (<in6_pktinfo*>CMSG_DATA(header)).ipi6_addr.s6_addr, 16)
            found = True
        elif header.cmsg_level == IPPROTO_IP and header.cmsg_type == IP_PKTINFO:
            _map_v4(out.tuple.local_ip, &(<in_pktinfo*>CMSG_DATA(header)).ipi_addr)
            found = True
        elif header.cmsg_level == SOL_SOCKET and header.cmsg_type == SO_RXQ_OVFL:
            _count_drops(socket, header, counters)
        elif header.cmsg_level == SOL_SOCKET and header.cmsg_type == SO_TIMESTAMPNS:
            memcpy(&arrived, CMSG_DATA(header), sizeof(arrived))
            out.arrived_us = <us_t>arrived.tv_sec * US_PER_S + arrived.tv_nsec // 1000
        elif header.cmsg_level == SOL_UDP and header.cmsg_type == UDP_GRO:
            memcpy(&out.segment, CMSG_DATA(header), sizeof(int))
        header = CMSG_NXTHDR(message, header)
    return found


cdef bint _read_head(Inbound* in_, Port* p, u32 i, Head* out, Counters* counters) noexcept nogil:
    cdef PortSocket* socket = &p.sockets[in_.socket]
    cdef Tuple* tuple = &out.tuple
    cdef sockaddr_in6* six = &in_.names[i]
    cdef sockaddr_in* four = <sockaddr_in*>six
    cdef bint found
    memset(out, 0, sizeof(Head))
    if socket.v6:
        memcpy(tuple.remote_ip, six.sin6_addr.s6_addr, 16)
        tuple.scope_id = six.sin6_scope_id
        tuple.remote_port = ntohs(six.sin6_port)
    else:
        _map_v4(tuple.remote_ip, &four.sin_addr)
        tuple.remote_port = ntohs(four.sin_port)
    tuple.local_port = p.number
    found = _read_control(&in_.headers[i].msg_hdr, socket, out, counters)
    if in_.socket != PORT_WILDCARD:
        memcpy(tuple.local_ip, socket.local_ip, 16)
        return True
    return found


cdef bint _cut(Inbound* in_, const Head* head, Datagram* out, int* kept) noexcept nogil:
    """Datagrams of the message that is handed out now, as many as there is room for. Were these all?"""
    cdef u32 size = in_.headers[in_.next].msg_len
    cdef u32 segment = head.segment if head.segment else size
    cdef const u8* data = <const u8*>in_.vectors[in_.next].iov_base
    cdef Datagram* one
    while kept[0] < BATCH:
        one = &out[kept[0]]
        one.data = data + in_.offset
        one.size = min(segment, size - in_.offset)
        one.arrived_us = head.arrived_us
        one.tuple = head.tuple
        kept[0] += 1
        in_.offset += one.size
        if in_.offset >= size:
            return True
    return False


cdef int _hand_out(Inbound* in_, Port* p, Datagram* out, int kept, Counters* counters) noexcept nogil:
    cdef Head head
    while in_.next < in_.messages and kept < BATCH:
        if not _read_head(in_, p, in_.next, &head, counters) or in_.headers[in_.next].msg_hdr.msg_flags & MSG_TRUNC:
            counters.dropped_malformed += 1
        elif not _cut(in_, &head, out, &kept):
            break
        in_.next += 1
        in_.offset = 0
    return kept


cdef bint _read(Inbound* in_, Port* p, u32 socket) noexcept nogil:
    """Reads messages. Did it empty the socket?"""
    cdef int count
    cdef int i
    for i in range(INBOUND_MESSAGES):
        in_.headers[i].msg_hdr.msg_namelen = sizeof(sockaddr_in6)
        in_.headers[i].msg_hdr.msg_controllen = INBOUND_CONTROL
        in_.headers[i].msg_hdr.msg_flags = 0
    count = recvmmsg(p.sockets[socket].fd, in_.headers, INBOUND_MESSAGES, MSG_DONTWAIT, NULL)
    in_.socket = socket
    in_.next = 0
    in_.offset = 0
    in_.messages = <u32>max(count, 0)
    return count < INBOUND_MESSAGES


cdef int inbound_receive(Inbound* in_, Port* p, u32 socket, Datagram* out, bint* drained, Counters* counters) noexcept nogil:
    cdef int kept
    drained[0] = False
    if not inbound_has_left(in_):
        drained[0] = _read(in_, p, socket)
    kept = _hand_out(in_, p, out, 0, counters)
    if inbound_has_left(in_):
        drained[0] = False
    return kept
