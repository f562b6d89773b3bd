# Datagrams that leave by a port: packets of one size in a row to one destination are one message (UDP GSO), which the kernel or the
# network card cuts, and all messages of a queue are few system calls.
#
# A destination that refuses such a train (no checksum offload, a smaller MTU) gets its packets at once one by one, and from then on.
from simplestchat._native.core.types cimport u32, u64, u8
from simplestchat._native.engine.entities cimport Counters, OutPacket
from simplestchat._native.io.port cimport Port
from simplestchat._native.io.system cimport iovec, mmsghdr, sockaddr_in6

cdef enum:
    OUTBOUND_MESSAGES = 256        # in one system call
    OUTBOUND_CONTROL = 128         # CMSG_SPACE of struct in6_pktinfo is 40, of the size of segments 24
    OUTBOUND_SINGLES = 1024        # destinations remembered that take no trains; a power of two

cdef struct Outbound:
    bint offload                   # may trains leave as one message?
    bint any_single
    u64 singles[OUTBOUND_SINGLES]  # hashes of destinations that refused a train, by their low bits
    u32 first[OUTBOUND_MESSAGES + 1]   # of the packets in each message; the end of the last
    u32 socket[OUTBOUND_MESSAGES]
    mmsghdr headers[OUTBOUND_MESSAGES]
    iovec vectors[OUTBOUND_MESSAGES]
    sockaddr_in6 names[OUTBOUND_MESSAGES]
    u8 control[OUTBOUND_MESSAGES][OUTBOUND_CONTROL]

cdef void outbound_init(Outbound* o, bint offload) noexcept nogil
# Sends packets `first` .. `count` of an arena, in order; those of size 0 are left out. The first that was not sent because a
# socket is full, which *full names; `count` when there is none. What the kernel refuses otherwise is lost and counted (a destination that cannot
# be reached, no memory in several tries).
cdef u32 outbound_send(Outbound* o, Port* p, const u8* arena, const OutPacket* packets, u32 first, u32 count, u32* full,
                       Counters* counters) noexcept nogil
