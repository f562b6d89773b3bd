"""One UDP socket for IPv4 and IPv6, in batches; see udp.pxd."""

from libc.stdlib cimport calloc, free
from libc.string cimport memcmp, memcpy, memset

from simplestchat._native.core.types cimport US_PER_S, Tuple, u16, u32, u64, u8, us_t
from simplestchat._native.engine.entities cimport BATCH, Datagram, OutPacket, OutQueue
from simplestchat._native.engine.output cimport OUT_PACKETS
from simplestchat._native.io.system cimport (
    AF_INET, AF_INET6, CMSG_DATA, CMSG_FIRSTHDR, CMSG_LEN, CMSG_NXTHDR, CMSG_SPACE, EAGAIN, EINTR, EINVAL, EIO, EMSGSIZE, ENOBUFS,
    ENOPROTOOPT, EOPNOTSUPP, IP_PKTINFO, IPPROTO_IP, IPPROTO_IPV6,
    IPV6_PKTINFO, IPV6_RECVPKTINFO, IPV6_V6ONLY, MSG_DONTWAIT, MSG_TRUNC, POLLOUT, SO_RCVBUF, SO_RCVBUFFORCE, SO_SNDBUF,
    SO_RXQ_OVFL, SO_SNDBUFFORCE, SO_TIMESTAMPNS, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOL_SOCKET,
    SOL_UDP, UDP_SEGMENT, bind, close, cmsghdr, errno, getsockname, htons,
    in6_pktinfo, in_pktinfo, iovec, mmsghdr, msghdr, ntohs, poll, pollfd, recvmmsg, sendmmsg, setsockopt, sockaddr, sockaddr_in,
    sockaddr_in6, socket, timespec,
)

cdef enum:
    RECEIVE_SIZE = 2048            # larger datagrams arrive cut and are dropped
    CONTROL_SIZE = 128             # CMSG_SPACE of struct in6_pktinfo is 40, of the drop count 24, of the time of arrival 32
    SOCKET_BUFFER = 8388608        # asked for; the kernel's limit decides (simplestchat doctor tells)
    SEND_PATIENCE_MS = 5           # waiting longer would delay every other stream
    SEND_TRIES = 4                 # in a row, none of which sent anything: the kernel may lack memory while the socket is writable
    TRAIN_MAX_PACKETS = 64         # UDP_MAX_SEGMENTS of Linux
    TRAIN_MAX_BYTES = 65000        # a message of UDP ends at 65507
    SINGLES = 1024                 # destinations remembered that take no trains; a power of two

cdef struct Udp:
    int fd
    int port
    bint v6
    u32 overflowed                 # the kernel's count of drops, as last told
    mmsghdr receive_headers[BATCH]
    iovec receive_vectors[BATCH]
    sockaddr_in6 receive_names[BATCH]
    u8 receive_control[BATCH][CONTROL_SIZE]
    u8 receive_data[BATCH][RECEIVE_SIZE]
    mmsghdr send_headers[OUT_PACKETS]
    iovec send_vectors[OUT_PACKETS]
    sockaddr_in6 send_names[OUT_PACKETS]
    u8 send_control[OUT_PACKETS][CONTROL_SIZE]
    u32 send_first[OUT_PACKETS + 1]    # of the queue's packets in each message; the end of the last
    bint any_single
    u64 singles[SINGLES]           # hashes of destinations that refused a train, by their low bits

cdef const u8* V4_PREFIX = b"\0\0\0\0\0\0\0\0\0\0\xff\xff"


cdef void _set_options(int fd) noexcept nogil:
    cdef int size = SOCKET_BUFFER
    cdef int on = 1
    setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on))
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on))
    if setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0:
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size))
    if setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) != 0:
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size))


cdef int _open_v6(int port) noexcept nogil:
    cdef sockaddr_in6 name
    cdef int off = 0
    cdef int on = 1
    cdef int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    if fd < 0:
        return -1
    memset(&name, 0, sizeof(name))
    name.sin6_family = AF_INET6
    name.sin6_port = htons(port)
    if (setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0
            and setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on)) == 0
            and bind(fd, <sockaddr*>&name, sizeof(name)) == 0):
        return fd
    close(fd)
    return -1


cdef int _open_v4(int port) noexcept nogil:
    cdef sockaddr_in name
    cdef int on = 1
    cdef int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    if fd < 0:
        return -1
    memset(&name, 0, sizeof(name))
    name.sin_family = AF_INET
    name.sin_port = htons(port)
    if setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) == 0 and bind(fd, <sockaddr*>&name, sizeof(name)) == 0:
        return fd
    close(fd)
    return -1


cdef void _prepare(Udp* u) noexcept nogil:
    """Everything in the message headers that never changes."""
    cdef int i
    for i in range(BATCH):
        u.receive_vectors[i].iov_base = u.receive_data[i]
        u.receive_vectors[i].iov_len = RECEIVE_SIZE
        u.receive_headers[i].msg_hdr.msg_name = &u.receive_names[i]
        u.receive_headers[i].msg_hdr.msg_iov = &u.receive_vectors[i]
        u.receive_headers[i].msg_hdr.msg_iovlen = 1
        u.receive_headers[i].msg_hdr.msg_control = u.receive_control[i]
    for i in range(OUT_PACKETS):
        u.send_headers[i].msg_hdr.msg_name = &u.send_names[i]
        u.send_headers[i].msg_hdr.msg_iov = &u.send_vectors[i]
        u.send_headers[i].msg_hdr.msg_iovlen = 1
        u.send_headers[i].msg_hdr.msg_control = u.send_control[i]


cdef Udp* udp_open(int port) noexcept nogil:
    cdef sockaddr_in6 name             # large enough for both; the port lies at the same place
    cdef unsigned int size = sizeof(name)
    cdef int fd = _open_v6(port)
    cdef bint v6 = fd >= 0
    cdef Udp* u
    if not v6:
        fd = _open_v4(port)
    if fd < 0:
        return NULL
    u = <Udp*>calloc(1, sizeof(Udp))
    if u == NULL or getsockname(fd, <sockaddr*>&name, &size) != 0:
        close(fd)
        free(u)
        return NULL
    _set_options(fd)
    u.fd = fd
    u.v6 = v6
    u.port = ntohs(name.sin6_port)
    _prepare(u)
    return u


cdef void udp_close(Udp* u) noexcept nogil:
    if u != NULL:
        close(u.fd)
        free(u)


cdef int udp_fd(const Udp* u) noexcept nogil:
    return u.fd


cdef int udp_port(const Udp* u) noexcept nogil:
    return u.port


cdef inline void _map_v4(u8* out, const void* address) noexcept nogil:
    memcpy(out, V4_PREFIX, 12)
    memcpy(out + 12, address, 4)


cdef bint _read_control(Udp* u, int i, Datagram* out, u64* lost) noexcept nogil:
    """The address that the datagram was sent to and when it came; how many the kernel dropped before it. Is the address there?"""
    cdef msghdr* message = &u.receive_headers[i].msg_hdr
    cdef cmsghdr* header = CMSG_FIRSTHDR(message)
    cdef bint found = False
    cdef u32 overflowed
    cdef timespec arrived
    while header != NULL:
        if header.cmsg_level == IPPROTO_IPV6 and header.cmsg_type == IPV6_PKTINFO:
            memcpy(out.tuple.local_ip, (<in6_pktinfo*>CMSG_DATA(header)).ipi6_addr.s6_addr, 16)
            found = True
        elif header.cmsg_level == IPPROTO_IP and header.cmsg_type == IP_PKTINFO:
            _map_v4(out.tuple.local_ip, &(<in_pktinfo*>CMSG_DATA(header)).ipi_addr)
            found = True
        elif header.cmsg_level == SOL_SOCKET and header.cmsg_type == SO_RXQ_OVFL:
            memcpy(&overflowed, CMSG_DATA(header), sizeof(overflowed))
            lost[0] += <u32>(overflowed - u.overflowed)        # the kernel's count only grows, modulo 2**32
            u.overflowed = overflowed
        elif header.cmsg_level == SOL_SOCKET and header.cmsg_type == SO_TIMESTAMPNS:
            memcpy(&arrived, CMSG_DATA(header), sizeof(arrived))
            out.arrived_us = <us_t>arrived.tv_sec * US_PER_S + arrived.tv_nsec // 1000
        header = CMSG_NXTHDR(message, header)
    return found


cdef bint _read_head(Udp* u, int i, Datagram* out, u64* lost) noexcept nogil:
    cdef Tuple* tuple = &out.tuple
    cdef sockaddr_in* v4 = <sockaddr_in*>&u.receive_names[i]
    cdef sockaddr_in6* v6 = &u.receive_names[i]
    memset(tuple, 0, sizeof(Tuple))
    out.arrived_us = 0
    if u.v6:
        memcpy(tuple.remote_ip, v6.sin6_addr.s6_addr, 16)
        tuple.scope_id = v6.sin6_scope_id
        tuple.remote_port = ntohs(v6.sin6_port)
    else:
        _map_v4(tuple.remote_ip, &v4.sin_addr)
        tuple.remote_port = ntohs(v4.sin_port)
    tuple.local_port = u.port
    return _read_control(u, i, out, lost)


cdef int udp_receive(Udp* u, Datagram* out, u64* lost, u64* refused) noexcept nogil:
    cdef int i
    cdef int count
    cdef int kept = 0
    for i in range(BATCH):
        u.receive_headers[i].msg_hdr.msg_namelen = sizeof(sockaddr_in6)
        u.receive_headers[i].msg_hdr.msg_controllen = CONTROL_SIZE
        u.receive_headers[i].msg_hdr.msg_flags = 0
    count = recvmmsg(u.fd, u.receive_headers, BATCH, MSG_DONTWAIT, NULL)
    for i in range(count):
        if u.receive_headers[i].msg_hdr.msg_flags & MSG_TRUNC or not _read_head(u, i, &out[kept], lost):
            refused[0] += 1
            continue
        out[kept].data = u.receive_data[i]
        out[kept].size = u.receive_headers[i].msg_len
        kept += 1
    # A batch of nothing but refused datagrams must not look like an empty socket; the loop comes again on its next turn.
    return kept


cdef void _write_v6(Udp* u, u32 i, const Tuple* to) noexcept nogil:
    cdef sockaddr_in6* name = &u.send_names[i]
    cdef msghdr* message = &u.send_headers[i].msg_hdr
    cdef cmsghdr* header
    cdef in6_pktinfo* info
    name.sin6_family = AF_INET6
    name.sin6_port = htons(to.remote_port)
    name.sin6_scope_id = to.scope_id
    memcpy(name.sin6_addr.s6_addr, to.remote_ip, 16)
    message.msg_namelen = sizeof(sockaddr_in6)
    message.msg_controllen = CMSG_LEN(sizeof(in6_pktinfo))
    header = CMSG_FIRSTHDR(message)
    header.cmsg_level = IPPROTO_IPV6
    header.cmsg_type = IPV6_PKTINFO
    header.cmsg_len = CMSG_LEN(sizeof(in6_pktinfo))
    info = <in6_pktinfo*>CMSG_DATA(header)
    memcpy(info.ipi6_addr.s6_addr, to.local_ip, 16)
    info.ipi6_ifindex = to.scope_id


cdef void _write_v4(Udp* u, u32 i, const Tuple* to) noexcept nogil:
    cdef sockaddr_in* name = <sockaddr_in*>&u.send_names[i]
    cdef msghdr* message = &u.send_headers[i].msg_hdr
    cdef cmsghdr* header
    cdef in_pktinfo* info
    name.sin_family = AF_INET
    name.sin_port = htons(to.remote_port)
    memcpy(&name.sin_addr, to.remote_ip + 12, 4)
    message.msg_namelen = sizeof(sockaddr_in)
    message.msg_controllen = CMSG_LEN(sizeof(in_pktinfo))
    header = CMSG_FIRSTHDR(message)
    header.cmsg_level = IPPROTO_IP
    header.cmsg_type = IP_PKTINFO
    header.cmsg_len = CMSG_LEN(sizeof(in_pktinfo))
    info = <in_pktinfo*>CMSG_DATA(header)
    memset(info, 0, sizeof(in_pktinfo))
    memcpy(&info.ipi_spec_dst, to.local_ip + 12, 4)


cdef bint _wait_writable(int fd) noexcept nogil:
    cdef pollfd wanted
    wanted.fd = fd
    wanted.events = POLLOUT
    return poll(&wanted, 1, SEND_PATIENCE_MS) == 1


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


cdef bint _takes_trains(const Udp* u, const Tuple* to) noexcept nogil:
    cdef u64 value
    if not u.any_single:
        return True
    value = _hash_of(to)
    return u.singles[(value >> 1) & (SINGLES - 1)] != value


cdef void _refuse_trains(Udp* u, const Tuple* to) noexcept nogil:
    cdef u64 value = _hash_of(to)
    u.any_single = True
    u.singles[(value >> 1) & (SINGLES - 1)] = value


cdef u32 _train(const Udp* u, const OutQueue* queue, u32 first) noexcept nogil:
    """How many packets from `first` on make one message: to one destination, in a row, of one size but for a shorter last one."""
    cdef const OutPacket* head = &queue.packets[first]
    cdef const OutPacket* packet
    cdef u32 end = head.off + head.size
    cdef u32 count = 1
    while first + count < queue.count and count < TRAIN_MAX_PACKETS:
        packet = &queue.packets[first + count]
        if (packet.off != end or packet.size > head.size or end + packet.size - head.off > TRAIN_MAX_BYTES
                or memcmp(&packet.to, &head.to, sizeof(Tuple)) != 0):
            break
        end += packet.size
        count += 1
        if packet.size < head.size:
            break
    return count if count == 1 or _takes_trains(u, &head.to) else 1


cdef void _write_segment(msghdr* message, u16 size) noexcept nogil:
    """A second control message: the size of a train's packets (udp(7), UDP_SEGMENT)."""
    cdef size_t used = CMSG_SPACE(sizeof(in6_pktinfo)) if message.msg_controllen == CMSG_LEN(sizeof(in6_pktinfo)) \
        else CMSG_SPACE(sizeof(in_pktinfo))
    cdef cmsghdr* header = <cmsghdr*>(<u8*>message.msg_control + used)
    header.cmsg_level = SOL_UDP
    header.cmsg_type = UDP_SEGMENT
    header.cmsg_len = CMSG_LEN(sizeof(u16))
    memcpy(CMSG_DATA(header), &size, sizeof(u16))
    message.msg_controllen = used + CMSG_SPACE(sizeof(u16))


cdef u32 _write_message(Udp* u, u32 i, const OutQueue* queue, u32 first, u32 count) noexcept nogil:
    cdef const OutPacket* head = &queue.packets[first]
    cdef const OutPacket* last = &queue.packets[first + count - 1]
    u.send_first[i] = first
    u.send_vectors[i].iov_base = queue.arena + head.off
    u.send_vectors[i].iov_len = last.off + last.size - head.off
    if u.v6:
        _write_v6(u, i, &head.to)
    else:
        _write_v4(u, i, &head.to)
    if count > 1:
        _write_segment(&u.send_headers[i].msg_hdr, <u16>head.size)
    return first + count


cdef u32 _write_messages(Udp* u, const OutQueue* queue, u32 first) noexcept nogil:
    """Messages for everything from packet `first` on. Their number."""
    cdef u32 messages = 0
    while first < queue.count:
        first = _write_message(u, messages, queue, first, _train(u, queue, first))
        messages += 1
    u.send_first[messages] = first
    return messages


cdef bint _refused(int error) noexcept nogil:
    """Errors that a train meets on a route that takes single packets: no checksum offload, a smaller MTU, an older kernel."""
    return error == EIO or error == EINVAL or error == EMSGSIZE or error == EOPNOTSUPP or error == ENOPROTOOPT


cdef u64 udp_send(Udp* u, const OutQueue* queue, u64* trains) noexcept nogil:
    cdef u32 messages = _write_messages(u, queue, 0)
    cdef u32 sent = 0
    cdef u32 count
    cdef u32 i
    cdef u64 lost = 0
    cdef int tries = 0
    cdef int done
    while sent < messages:
        done = sendmmsg(u.fd, &u.send_headers[sent], messages - sent, MSG_DONTWAIT)
        if done > 0:
            for i in range(sent, sent + <u32>done):
                trains[0] += u.send_first[i + 1] - u.send_first[i] > 1
            sent += done
            tries = 0
            continue
        count = u.send_first[sent + 1] - u.send_first[sent]
        if errno == EAGAIN or errno == ENOBUFS:
            tries += 1
            if tries == SEND_TRIES or not _wait_writable(u.fd):
                return lost + queue.count - u.send_first[sent]
        elif count > 1 and _refused(errno):
            _refuse_trains(u, &queue.packets[u.send_first[sent]].to)
            messages = _write_messages(u, queue, u.send_first[sent])
            sent = 0
        elif errno != EINTR:
            sent += 1                  # this destination cannot be reached; the others can
            lost += count
    return lost
