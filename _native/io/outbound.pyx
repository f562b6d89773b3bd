"""Datagrams that leave by a port; see outbound.pxd."""

from libc.string cimport memcmp, memcpy, memset

from simplestchat._native.core.types cimport Tuple, u16, u32, u64, u8
from simplestchat._native.engine.entities cimport Counters, OutPacket
from simplestchat._native.io.port cimport PORT_WILDCARD, Port, port_socket
from simplestchat._native.io.system cimport (
    AF_INET, AF_INET6, CMSG_DATA, CMSG_LEN, CMSG_SPACE, EAGAIN, EINTR, EINVAL, EIO, EMSGSIZE, ENOBUFS, ENOPROTOOPT, EOPNOTSUPP,
    IP_PKTINFO, IPPROTO_IP, IPPROTO_IPV6, IPV6_PKTINFO, MSG_DONTWAIT, SOL_UDP, UDP_SEGMENT, cmsghdr, errno, htons, in6_pktinfo,
    in_pktinfo, msghdr, sendmmsg, sockaddr_in, sockaddr_in6,
)

cdef enum:
    SEND_TRIES = 4                 # in a row, none of which sent anything: the kernel may lack memory while the socket is writable
    TRAIN_MAX_PACKETS = 64         # UDP_MAX_SEGMENTS of Linux
    TRAIN_MAX_BYTES = 65000        # a message of UDP ends at 65507


cdef void outbound_init(Outbound* o, bint offload) noexcept nogil:
    cdef int i
    memset(o, 0, sizeof(Outbound))
    o.offload = offload
    for i in range(OUTBOUND_MESSAGES):
        o.headers[i].msg_hdr.msg_name = &o.names[i]
        o.headers[i].msg_hdr.msg_iov = &o.vectors[i]
        o.headers[i].msg_hdr.msg_iovlen = 1
        o.headers[i].msg_hdr.msg_control = o.control[i]


cdef u64 _hash_of(const Tuple* to) noexcept nogil:
    """FNV-1a over a tuple's words. A collision costs trains, nothing else."""
    cdef const u8* bytes = <const u8*>to
    cdef u64 value = 0xCBF29CE484222325ULL
    cdef u64 word
    cdef size_t at
    for at in range(0, sizeof(Tuple) - 7, 8):
        memcpy(&word, bytes + at, 8)
        value = (value ^ word) * 0x100000001B3ULL
        value ^= value >> 29
    return value | 1


cdef bint _takes_trains(const Outbound* o, const Tuple* to) noexcept nogil:
    cdef u64 value
    if not o.any_single:
        return True
    value = _hash_of(to)
    return o.singles[(value >> 1) & (OUTBOUND_SINGLES - 1)] != value


cdef void _refuse_trains(Outbound* o, const Tuple* to) noexcept nogil:
    cdef u64 value = _hash_of(to)
    o.any_single = True
    o.singles[(value >> 1) & (OUTBOUND_SINGLES - 1)] = value


cdef u32 _train(const Outbound* o, const OutPacket* packets, u32 first, u32 count) noexcept nogil:
    """How many packets from `first` on make one message: to one destination, in a row, of one size but for a shorter last one."""
    cdef const OutPacket* head = &packets[first]
    cdef const OutPacket* packet
    cdef u32 end = head.off + head.size
    cdef u32 together = 1
    if not o.offload:
        return 1
    while first + together < count and together < TRAIN_MAX_PACKETS:
        packet = &packets[first + together]
        if (packet.size == 0 or packet.off != end or packet.size > head.size or end + packet.size - head.off > TRAIN_MAX_BYTES
                or memcmp(&packet.to, &head.to, sizeof(Tuple)) != 0):
            break
        end += packet.size
        together += 1
        if packet.size < head.size:
            break
    return together if together == 1 or _takes_trains(o, &head.to) else 1


cdef void _write_name(Outbound* o, u32 i, bint v6, const Tuple* to) noexcept nogil:
    cdef sockaddr_in6* six = &o.names[i]
    cdef sockaddr_in* four = <sockaddr_in*>six
    if v6:
        six.sin6_family = AF_INET6
        six.sin6_port = htons(to.remote_port)
        six.sin6_scope_id = to.scope_id
        memcpy(six.sin6_addr.s6_addr, to.remote_ip, 16)
        o.headers[i].msg_hdr.msg_namelen = sizeof(sockaddr_in6)
    else:
        four.sin_family = AF_INET
        four.sin_port = htons(to.remote_port)
        memcpy(&four.sin_addr, to.remote_ip + 12, 4)
        o.headers[i].msg_hdr.msg_namelen = sizeof(sockaddr_in)


cdef u8* _add_control(msghdr* message, int level, int type, size_t size) noexcept nogil:
    """One more control message; where its value goes."""
    cdef cmsghdr* header = <cmsghdr*>(<u8*>message.msg_control + message.msg_controllen)
    header.cmsg_level = level
    header.cmsg_type = type
    header.cmsg_len = CMSG_LEN(size)
    message.msg_controllen += CMSG_SPACE(size)
    return CMSG_DATA(header)


cdef void _write_source(msghdr* message, bint v6, const Tuple* to) noexcept nogil:
    """The address to leave from, for a socket that has none of its own."""
    cdef in6_pktinfo* six
    cdef in_pktinfo* four
    if v6:
        six = <in6_pktinfo*>_add_control(message, IPPROTO_IPV6, IPV6_PKTINFO, sizeof(in6_pktinfo))
        memcpy(six.ipi6_addr.s6_addr, to.local_ip, 16)
        six.ipi6_ifindex = to.scope_id
    else:
        four = <in_pktinfo*>_add_control(message, IPPROTO_IP, IP_PKTINFO, sizeof(in_pktinfo))
        memset(four, 0, sizeof(in_pktinfo))
        memcpy(&four.ipi_spec_dst, to.local_ip + 12, 4)


cdef void _write_message(Outbound* o, Port* p, u32 i, const u8* arena, const OutPacket* head, u32 together) noexcept nogil:
    cdef msghdr* message = &o.headers[i].msg_hdr
    cdef const OutPacket* last = head + (together - 1)
    cdef u16 segment = <u16>head.size
    cdef u32 socket = port_socket(p, &head.to)
    cdef bint v6 = p.sockets[socket].v6
    o.socket[i] = socket
    o.vectors[i].iov_base = <void*>(arena + head.off)
    o.vectors[i].iov_len = last.off + last.size - head.off
    message.msg_controllen = 0
    _write_name(o, i, v6, &head.to)
    if socket == PORT_WILDCARD:
        _write_source(message, v6, &head.to)
    if together > 1:
        memcpy(_add_control(message, SOL_UDP, UDP_SEGMENT, sizeof(u16)), &segment, sizeof(u16))


cdef u32 _write_messages(Outbound* o, Port* p, const u8* arena, const OutPacket* packets, u32 first, u32 count) noexcept nogil:
    """Messages for the packets from `first` on, as many as fit. Their number."""
    cdef u32 messages = 0
    cdef u32 together
    while first < count and messages < OUTBOUND_MESSAGES:
        if packets[first].size == 0:
            first += 1
            continue
        o.first[messages] = first
        together = _train(o, packets, first, count)
        _write_message(o, p, messages, arena, &packets[first], together)
        first += together
        messages += 1
    o.first[messages] = first
    return messages


cdef bint _refused(int error) noexcept nogil:
    """Errors that a train meets on a route that takes single packets: no checksum offload, a smaller MTU, an older kernel."""
    return error == EIO or error == EINVAL or error == EMSGSIZE or error == EOPNOTSUPP or error == ENOPROTOOPT


cdef inline u32 _packets_of(const Outbound* o, const OutPacket* packets, u32 message) noexcept nogil:
    """How many packets a message has: those of size 0 behind it count for nothing."""
    cdef u32 i
    cdef u32 packed = 0
    for i in range(o.first[message], o.first[message + 1]):
        packed += packets[i].size > 0
    return packed


cdef u32 _same_socket(const Outbound* o, u32 first, u32 messages) noexcept nogil:
    cdef u32 end = first + 1
    while end < messages and o.socket[end] == o.socket[first]:
        end += 1
    return end


cdef u32 outbound_send(Outbound* o, Port* p, const u8* arena, const OutPacket* packets, u32 first, u32 count, u32* full,
                       Counters* counters) noexcept nogil:
    cdef u32 messages = _write_messages(o, p, arena, packets, first, count)
    cdef u32 sent = 0
    cdef u32 i
    cdef int tries = 0
    cdef int done
    while messages:
        done = sendmmsg(p.sockets[o.socket[sent]].fd, &o.headers[sent], _same_socket(o, sent, messages) - sent, MSG_DONTWAIT)
        if done > 0:
            for i in range(sent, sent + <u32>done):
                counters.trains_out += o.headers[i].msg_len > packets[o.first[i]].size
            sent += <u32>done
            tries = 0
        elif errno == EAGAIN:
            full[0] = o.socket[sent]
            return o.first[sent]
        elif errno == EINTR:
            continue
        elif errno == ENOBUFS and tries < SEND_TRIES:
            tries += 1
        elif _packets_of(o, packets, sent) > 1 and _refused(errno):
            _refuse_trains(o, &packets[o.first[sent]].to)
            messages = _write_messages(o, p, arena, packets, o.first[sent], count)
            sent = 0
        else:
            counters.dropped_send += _packets_of(o, packets, sent)     # this destination cannot be reached; the others can
            sent += 1
            tries = 0
        if sent == messages:
            messages = _write_messages(o, p, arena, packets, o.first[messages], count)
            sent = 0
    return count
