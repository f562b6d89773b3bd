"""One UDP port as sockets; see port.pxd."""

from libc.string cimport memcmp, memcpy, memset

from simplestchat._native.core.types cimport Tuple, u32, u8
from simplestchat._native.io.system cimport (
    AF_INET, AF_INET6, EPOLL_CTL_ADD, EPOLL_CTL_MOD, EPOLLIN, EPOLLOUT, IP_PKTINFO, IPPROTO_IP, IPPROTO_IPV6, IPV6_RECVPKTINFO,
    IPV6_V6ONLY, SO_RCVBUF, SO_RCVBUFFORCE, SO_REUSEPORT, SO_RXQ_OVFL, SO_SNDBUF, SO_SNDBUFFORCE, SO_TIMESTAMPNS, SOCK_CLOEXEC,
    SOCK_DGRAM, SOCK_NONBLOCK, SOL_SOCKET, SOL_UDP, UDP_GRO, bind, close, epoll_ctl, epoll_event, getsockname, htons, ntohs,
    setsockopt, sockaddr, sockaddr_in, sockaddr_in6, socket,
)

cdef enum:
    SOCKET_BUFFER = 8388608        # asked for; the kernel's limit decides (simplestchat doctor tells)

cdef const u8* V4_PREFIX = b"\0\0\0\0\0\0\0\0\0\0\xff\xff"


cdef inline bint _switch(int fd, int level, int option, int value) noexcept nogil:
    return setsockopt(fd, level, option, &value, sizeof(value)) == 0


cdef void _set_options(int fd, bint offload) noexcept nogil:
    _switch(fd, SOL_SOCKET, SO_RXQ_OVFL, 1)
    _switch(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1)
    if not _switch(fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER):
        _switch(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER)
    if not _switch(fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER):
        _switch(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER)
    if offload:
        _switch(fd, SOL_UDP, UDP_GRO, 1)       # an older kernel refuses, and hands over one by one


cdef int _bind(int fd, bint v6, const u8* local_ip, int number) noexcept nogil:
    cdef sockaddr_in6 six
    cdef sockaddr_in four
    if v6:
        memset(&six, 0, sizeof(six))
        six.sin6_family = AF_INET6
        six.sin6_port = htons(number)
        memcpy(six.sin6_addr.s6_addr, local_ip, 16)
        return bind(fd, <sockaddr*>&six, sizeof(six))
    memset(&four, 0, sizeof(four))
    four.sin_family = AF_INET
    four.sin_port = htons(number)
    memcpy(&four.sin_addr, local_ip + 12, 4)
    return bind(fd, <sockaddr*>&four, sizeof(four))


cdef int _open_wildcard(int number, bint v6) noexcept nogil:
    cdef u8 anywhere[16]
    cdef int fd = socket(AF_INET6 if v6 else AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    cdef bint told
    if fd < 0:
        return -1
    memset(anywhere, 0, 16)
    if v6:
        told = _switch(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0) and _switch(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
    else:
        told = _switch(fd, IPPROTO_IP, IP_PKTINFO, 1)
    if told and _bind(fd, v6, anywhere, number) == 0:
        return fd
    close(fd)
    return -1


cdef int _open_bound(Port* p, bint v6, const u8* local_ip) noexcept nogil:
    """A socket of the same port at one address. The wildcard one shares its port for this moment only: another process that
    wants it is refused, as ever.
    """
    cdef int wildcard = p.sockets[PORT_WILDCARD].fd
    cdef int fd = socket(AF_INET6 if v6 else AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)
    cdef bint bound
    if fd < 0:
        return -1
    bound = (_switch(wildcard, SOL_SOCKET, SO_REUSEPORT, 1) and _switch(fd, SOL_SOCKET, SO_REUSEPORT, 1)
             and (not v6 or _switch(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1)) and _bind(fd, v6, local_ip, p.number) == 0)
    _switch(wildcard, SOL_SOCKET, SO_REUSEPORT, 0)
    if bound:
        _switch(fd, SOL_SOCKET, SO_REUSEPORT, 0)
        return fd
    close(fd)
    return -1


cdef void _watch(const Port* p, u32 place, int operation, u32 events) noexcept nogil:
    cdef epoll_event event
    if p.epoll < 0:
        return
    memset(&event, 0, sizeof(event))
    event.events = events
    event.data.u64 = place
    epoll_ctl(p.epoll, operation, p.sockets[place].fd, &event)


cdef void port_watch(Port* p, u32 socket, bint for_writing) noexcept nogil:
    _watch(p, socket, EPOLL_CTL_MOD, EPOLLIN | (EPOLLOUT if for_writing else 0))


cdef int port_open(Port* p, int number, int epoll, bint offload) noexcept nogil:
    cdef sockaddr_in6 name         # large enough for both; the port lies at the same place
    cdef unsigned int size = sizeof(name)
    cdef PortSocket* wildcard = &p.sockets[PORT_WILDCARD]
    memset(p, 0, sizeof(Port))
    p.epoll = epoll
    p.offload = offload
    wildcard.v6 = True
    wildcard.fd = _open_wildcard(number, True)
    if wildcard.fd < 0:
        wildcard.v6 = False
        wildcard.fd = _open_wildcard(number, False)
    if wildcard.fd < 0:
        return -1
    p.count = 1
    getsockname(wildcard.fd, <sockaddr*>&name, &size)
    p.number = ntohs(name.sin6_port)
    _set_options(wildcard.fd, offload)
    _watch(p, PORT_WILDCARD, EPOLL_CTL_ADD, EPOLLIN)
    return 0


cdef void port_close(Port* p) noexcept nogil:
    cdef u32 i
    for i in range(p.count):
        if p.sockets[i].fd >= 0:
            close(p.sockets[i].fd)
    p.count = 0


cdef bint _is_link_local(const u8* ip) noexcept nogil:
    """Such an address means something only with an interface, which the wildcard socket is told."""
    return ip[0] == 0xFE and ip[1] & 0xC0 == 0x80


cdef u32 port_add(Port* p, const Tuple* to) noexcept nogil:
    cdef bint v6 = memcmp(to.local_ip, V4_PREFIX, 12) != 0
    cdef PortSocket* added = &p.sockets[p.count]
    if p.count == PORT_SOCKETS or to.scope_id or _is_link_local(to.local_ip):
        return PORT_WILDCARD
    added.v6 = v6
    added.overflowed = 0
    memcpy(added.local_ip, to.local_ip, 16)
    added.fd = _open_bound(p, v6, to.local_ip)
    p.count += 1
    if added.fd < 0:
        return PORT_WILDCARD
    _set_options(added.fd, p.offload)
    _watch(p, p.count - 1, EPOLL_CTL_ADD, EPOLLIN)
    return p.count - 1
