# One UDP port of this machine as sockets: a wildcard one for IPv4 and IPv6, and one for each local address that is sent from.
#
# A reply must leave from the address that was asked (the host may have several). The wildcard socket is told so with each datagram,
# in and out, which costs a tenth of a send on loopback; a socket that is bound to the address needs no word, and the kernel prefers
# it for what comes to that address. It is made at the first send from there, so that only who passed a check causes one, and
# where it cannot be made the wildcard socket does its work.
from libc.string cimport memcmp

from simplestchat._native.core.types cimport Tuple, u32, u8

cdef enum:
    PORT_WILDCARD = 0              # its place among the sockets
    PORT_SOCKETS = 17              # the wildcard one and those of 16 addresses

cdef struct PortSocket:
    int fd                         # -1: none could be made for this address
    bint v6
    u8 local_ip[16]                # as in Tuple; all zero for the wildcard
    u32 overflowed                 # the kernel's count of drops, as last told

cdef struct Port:
    int number
    bint offload
    int epoll                      # watches every socket for reading; the socket's place is the event's data. -1: nobody watches
    u32 count
    PortSocket sockets[PORT_SOCKETS]

# 0, or -1 and errno. Number 0: a free one. `offload`: let the kernel hand over several datagrams of a sender as one (UDP GRO).
cdef int port_open(Port* p, int number, int epoll, bint offload) noexcept nogil
cdef void port_close(Port* p) noexcept nogil
cdef u32 port_add(Port* p, const Tuple* to) noexcept nogil
# The place of the socket that datagrams to `to` leave by.
cdef inline u32 port_socket(Port* p, const Tuple* to) noexcept nogil:
    cdef u32 i
    for i in range(1, p.count):
        if memcmp(p.sockets[i].local_ip, to.local_ip, 16) == 0:
            return i if p.sockets[i].fd >= 0 else <u32>PORT_WILDCARD
    return port_add(p, to)
# Asks to be told when a socket can be written to, or no more.
cdef void port_watch(Port* p, u32 socket, bint for_writing) noexcept nogil
