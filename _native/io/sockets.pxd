# The sockets of a crowd: a connected UDP socket for each path, read and written through buffers that all of them share.
#
# A datagram's arrival is the kernel's own (SO_TIMESTAMPNS), so reading late hides nothing. The kernel stamps in wall-clock time; sockets_sync
# measures how far that is from the monotonic clock, about once a second, as the closest of a few readings (well below a
# microsecond apart). If somebody sets the wall clock forward, the first arrival tells and is cut to the moment of reading; if back,
# arrivals are too early by as much until the next measurement.
from simplestchat._native.core.types cimport u32, u64, u8, us_t
from simplestchat._native.peer.entities cimport Path, PeerQueue

cdef enum:
    SOCKETS_READ = 8               # reads of one call
    SOCKETS_SEGMENTS = 128         # datagrams of one read, when the kernel hands over several in one piece (UDP_GRO)

cdef struct SocketTotals:
    u64 sockets                    # open now
    u64 receive_calls
    u64 send_calls
    u64 receive_drops              # by the kernel: a socket's buffer was full (SO_RXQ_OVFL)
    u64 send_failures              # datagrams that the kernel would not take
    u64 refused                    # ICMP errors: nobody listens there, or no way leads there

cdef struct Received:
    const u8* data
    u32 size
    us_t arrival_us                # monotonic

cdef struct Sockets

# `address` is what sockets are bound to, 4 or 16 bytes; a path to a server of the other family is bound to none. `receive_buffer` in bytes,
# 0 for the system's default. NULL without memory.
cdef Sockets* sockets_new(int epoll, const u8* address, int address_size, int receive_buffer) noexcept nogil
cdef void sockets_free(Sockets* s) noexcept nogil               # closes all
# A new socket for the path, watched by epoll (data.fd); an old one is closed when the new one is there. 0, or an errno.
cdef int sockets_open(Sockets* s, Path* p) noexcept nogil
cdef void sockets_close(Sockets* s, Path* p) noexcept nogil
# Whose socket it is; NULL for none of ours.
cdef Path* sockets_path(const Sockets* s, int fd) noexcept nogil
# What one call reads, at most SOCKETS_READ * SOCKETS_SEGMENTS; valid until the next. No arrival is later than `now`, which is read
# after the call.
cdef int sockets_receive(Sockets* s, int fd, Received* out, us_t* now) noexcept nogil
# Sends all of the queue in order; neighbours of one path leave with one call.
cdef void sockets_send(Sockets* s, const PeerQueue* queue) noexcept nogil
cdef void sockets_sync(Sockets* s) noexcept nogil
cdef void sockets_totals(const Sockets* s, SocketTotals* out) noexcept nogil
cdef us_t monotonic_us() noexcept nogil
