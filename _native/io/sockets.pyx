"""The sockets of a crowd; see sockets.pxd."""

from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy, memset

from simplestchat._native.core.types cimport u16, u32, u64, u8, us_t
from simplestchat._native.io.clock cimport NS_PER_S, NS_PER_US, clock_ns
from simplestchat._native.io.system cimport (
    AF_INET, AF_INET6, CLOCK_MONOTONIC, CLOCK_REALTIME, CMSG_DATA, CMSG_FIRSTHDR, CMSG_NXTHDR, EAGAIN, EINTR, ENOMEM, EPOLL_CTL_ADD,
    EPOLLIN, MSG_DONTWAIT, SCM_TIMESTAMPNS, SO_RCVBUF, SO_RCVBUFFORCE, SO_RXQ_OVFL, SO_TIMESTAMPNS, SOCK_CLOEXEC,
    SOCK_DGRAM, SOCK_NONBLOCK, SOL_SOCKET, SOL_UDP, UDP_GRO, bind, close, cmsghdr, connect, epoll_ctl, epoll_event,
    errno, htons, iovec, mmsghdr, msghdr, recvmmsg, send, sendmmsg, setsockopt, sockaddr, sockaddr_in, sockaddr_in6, socket, timespec,
)
from simplestchat._native.peer.entities cimport Path, PeerPacket, PeerQueue
from simplestchat._native.peer.output cimport PEER_PACKETS

cdef enum:
    READ_SIZE = 65536              # the largest piece that UDP_GRO puts together
    CONTROL_SIZE = 128             # CMSG_SPACE of a timespec is 32, of the count of drops and the segment size 24 each
    SYNC_READINGS = 5
    STEP_US = 1000                 # an arrival that far ahead means that somebody set the wall clock

cdef struct Socket:
    Path* path
    u32 overflowed                 # the kernel's count of drops, as last told

cdef struct Sockets:
    SocketTotals totals
    int epoll
    int receive_buffer
    int address_size
    u8 address[16]
    us_t behind_ns                 # wall clock - monotonic clock
    Socket* by_fd
    int capacity
    mmsghdr read_headers[SOCKETS_READ]
    iovec read_vectors[SOCKETS_READ]
    u8 read_control[SOCKETS_READ][CONTROL_SIZE]
    u8 read_data[SOCKETS_READ][READ_SIZE]
    mmsghdr send_headers[PEER_PACKETS]
    iovec send_vectors[PEER_PACKETS]

cdef const u8* V4_PREFIX = b"\0\0\0\0\0\0\0\0\0\0\xff\xff"


cdef us_t monotonic_us() noexcept nogil:
    return clock_ns(CLOCK_MONOTONIC) // NS_PER_US


cdef void sockets_sync(Sockets* s) noexcept nogil:
    """The wall clock is read between two readings of the other; the closest pair counts."""
    cdef us_t before, wall, after
    cdef us_t closest = -1
    cdef int i
    for i in range(SYNC_READINGS):
        before = clock_ns(CLOCK_MONOTONIC)
        wall = clock_ns(CLOCK_REALTIME)
        after = clock_ns(CLOCK_MONOTONIC)
        if closest < 0 or after - before < closest:
            closest = after - before
            s.behind_ns = wall - before - closest // 2


cdef void sockets_totals(const Sockets* s, SocketTotals* out) noexcept nogil:
    out[0] = s.totals


cdef void _prepare(Sockets* s) noexcept nogil:
    """Everything in the message headers that never changes. Connected sockets: there are no names."""
    cdef int i
    for i in range(SOCKETS_READ):
        s.read_vectors[i].iov_base = s.read_data[i]
        s.read_vectors[i].iov_len = READ_SIZE
        s.read_headers[i].msg_hdr.msg_iov = &s.read_vectors[i]
        s.read_headers[i].msg_hdr.msg_iovlen = 1
        s.read_headers[i].msg_hdr.msg_control = s.read_control[i]
    for i in range(PEER_PACKETS):
        s.send_headers[i].msg_hdr.msg_iov = &s.send_vectors[i]
        s.send_headers[i].msg_hdr.msg_iovlen = 1


cdef Sockets* sockets_new(int epoll, const u8* address, int address_size, int receive_buffer) noexcept nogil:
    cdef Sockets* s = <Sockets*>calloc(1, sizeof(Sockets))
    if s == NULL:
        return NULL
    s.epoll = epoll
    s.receive_buffer = receive_buffer
    s.address_size = address_size
    memcpy(s.address, address, address_size)
    _prepare(s)
    sockets_sync(s)
    return s


cdef void sockets_free(Sockets* s) noexcept nogil:
    cdef int fd
    if s == NULL:
        return
    for fd in range(s.capacity):
        if s.by_fd[fd].path != NULL:
            sockets_close(s, s.by_fd[fd].path)
    free(s.by_fd)
    free(s)


cdef Path* sockets_path(const Sockets* s, int fd) noexcept nogil:
    return s.by_fd[fd].path if 0 <= fd < s.capacity else NULL


cdef void sockets_close(Sockets* s, Path* p) noexcept nogil:
    if p.socket >= 0:
        s.by_fd[p.socket].path = NULL
        close(p.socket)
        p.socket = -1
        s.totals.sockets -= 1


cdef int _make_room(Sockets* s, int fd) noexcept nogil:
    cdef int capacity = s.capacity or 64
    cdef void* grown
    if fd < s.capacity:
        return 0
    while capacity <= fd:
        capacity *= 2                  # the limit of open files bounds it
    grown = realloc(s.by_fd, capacity * sizeof(Socket))
    if grown == NULL:
        return ENOMEM
    s.by_fd = <Socket*>grown
    memset(s.by_fd + s.capacity, 0, (capacity - s.capacity) * sizeof(Socket))
    s.capacity = capacity
    return 0


cdef int _name_v4(sockaddr_in6* out, const u8* address, u16 port) noexcept nogil:
    cdef sockaddr_in* name = <sockaddr_in*>out
    memset(out, 0, sizeof(sockaddr_in6))
    name.sin_family = AF_INET
    name.sin_port = htons(port)
    memcpy(&name.sin_addr, address, 4)
    return sizeof(sockaddr_in)


cdef int _name_v6(sockaddr_in6* out, const u8* address, u16 port, u32 scope_id) noexcept nogil:
    memset(out, 0, sizeof(sockaddr_in6))
    out.sin6_family = AF_INET6
    out.sin6_port = htons(port)
    out.sin6_scope_id = scope_id
    memcpy(out.sin6_addr.s6_addr, address, 16)
    return sizeof(sockaddr_in6)


cdef inline bint _is_v4(const Path* p) noexcept nogil:
    cdef int i
    for i in range(12):
        if p.server.remote_ip[i] != V4_PREFIX[i]:
            return False
    return True


cdef bint _connect(const Sockets* s, int fd, const Path* p, bint v4) noexcept nogil:
    cdef sockaddr_in6 name             # large enough for both
    cdef int size
    if s.address_size == (4 if v4 else 16):
        size = _name_v4(&name, s.address, 0) if v4 else _name_v6(&name, s.address, 0, 0)
        if bind(fd, <sockaddr*>&name, size) != 0:
            return False
    if v4:
        size = _name_v4(&name, p.server.remote_ip + 12, p.server.remote_port)
    else:
        size = _name_v6(&name, p.server.remote_ip, p.server.remote_port, p.server.scope_id)
    return connect(fd, <sockaddr*>&name, size) == 0


cdef bint _set_options(const Sockets* s, int fd) noexcept nogil:
    cdef int on = 1
    setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on))
    setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on))           # where it is unknown, reads are single datagrams
    if s.receive_buffer and setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &s.receive_buffer, sizeof(int)) != 0:
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &s.receive_buffer, sizeof(int))
    return setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) == 0


cdef int sockets_open(Sockets* s, Path* p) noexcept nogil:
    cdef epoll_event event
    cdef bint v4 = _is_v4(p)
    cdef int fd = socket(AF_INET if v4 else AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    cdef int failed = errno if fd < 0 else _make_room(s, fd)
    memset(&event, 0, sizeof(event))
    event.events = EPOLLIN
    event.data.fd = fd
    # Watched only once it is connected: nothing of anybody else's is ever read.
    if failed == 0 and not (_set_options(s, fd) and _connect(s, fd, p, v4) and epoll_ctl(s.epoll, EPOLL_CTL_ADD, fd, &event) == 0):
        failed = errno
    if failed:
        if fd >= 0:
            close(fd)
        return failed
    sockets_close(s, p)
    p.socket = fd
    s.by_fd[fd].path = p
    s.by_fd[fd].overflowed = 0
    s.totals.sockets += 1
    return 0


cdef u32 _read_control(Sockets* s, Socket* of, int i, us_t* arrival) noexcept nogil:
    """When it came, and how long each datagram in it is: 0 when it is a single one. Counts what the kernel dropped before."""
    cdef msghdr* message = &s.read_headers[i].msg_hdr
    cdef cmsghdr* header = CMSG_FIRSTHDR(message)
    cdef timespec* stamp
    cdef u32 overflowed
    cdef int segment = 0
    while header != NULL:
        if header.cmsg_level == SOL_SOCKET and header.cmsg_type == SCM_TIMESTAMPNS:
            stamp = <timespec*>CMSG_DATA(header)
            arrival[0] = (<us_t>stamp.tv_sec * NS_PER_S + stamp.tv_nsec - s.behind_ns) // NS_PER_US
        elif header.cmsg_level == SOL_SOCKET and header.cmsg_type == SO_RXQ_OVFL:
            memcpy(&overflowed, CMSG_DATA(header), sizeof(overflowed))
            s.totals.receive_drops += <u32>(overflowed - of.overflowed)        # the kernel's count only grows, modulo 2**32
            of.overflowed = overflowed
        elif header.cmsg_level == SOL_UDP and header.cmsg_type == UDP_GRO:
            memcpy(&segment, CMSG_DATA(header), sizeof(segment))
        header = CMSG_NXTHDR(message, header)
    return <u32>max(0, segment)


cdef int sockets_receive(Sockets* s, int fd, Received* out, us_t* now) noexcept nogil:
    cdef u32 size, segment, off
    cdef int i, count, parts
    cdef int found = 0
    cdef us_t arrival
    for i in range(SOCKETS_READ):
        s.read_headers[i].msg_hdr.msg_controllen = CONTROL_SIZE
    s.totals.receive_calls += 1
    count = recvmmsg(fd, s.read_headers, SOCKETS_READ, MSG_DONTWAIT, NULL)
    now[0] = monotonic_us()
    if count < 0 and errno != EAGAIN and errno != EINTR:
        s.totals.refused += 1
    for i in range(count):
        arrival = now[0]
        size = s.read_headers[i].msg_len
        segment = _read_control(s, &s.by_fd[fd], i, &arrival)
        if arrival > now[0] + STEP_US:
            sockets_sync(s)
        segment = segment if 0 < segment < size else size
        off = 0
        parts = 0
        while off < size and parts < SOCKETS_SEGMENTS:
            out[found].data = s.read_data[i] + off
            out[found].size = min(segment, size - off)
            out[found].arrival_us = min(arrival, now[0])
            off += segment
            parts += 1
            found += 1
    return found


cdef u32 _send_one(Sockets* s, const PeerQueue* queue, u32 at) noexcept nogil:
    """Whether it left. An ICMP error of before comes back here once; the datagram itself may still go."""
    cdef const PeerPacket* packet = &queue.packets[at]
    cdef int attempt
    for attempt in range(2):
        s.totals.send_calls += 1
        if send(packet.path.socket, queue.arena + packet.off, packet.size, MSG_DONTWAIT) >= 0:
            return 1
        if errno == EAGAIN:
            break
        s.totals.refused += errno != EINTR
    s.totals.send_failures += 1
    return 1


cdef u32 _send_run(Sockets* s, const PeerQueue* queue, u32 first, u32 count) noexcept nogil:
    """How many of `count` neighbours are done with."""
    cdef u32 i
    cdef int done
    for i in range(count):
        s.send_vectors[i].iov_base = queue.arena + queue.packets[first + i].off
        s.send_vectors[i].iov_len = queue.packets[first + i].size
    s.totals.send_calls += 1
    done = sendmmsg(queue.packets[first].path.socket, s.send_headers, count, MSG_DONTWAIT)
    return <u32>done if done > 0 else _send_one(s, queue, first)


cdef void sockets_send(Sockets* s, const PeerQueue* queue) noexcept nogil:
    cdef u32 at = 0
    cdef u32 run
    cdef Path* path
    while at < queue.count:
        path = queue.packets[at].path
        run = 1
        while at + run < queue.count and queue.packets[at + run].path == path:
            run += 1
        if path.socket < 0:
            s.totals.send_failures += run
            at += run
        elif run == 1:
            at += _send_one(s, queue, at)
        else:
            at += _send_run(s, queue, at, run)
