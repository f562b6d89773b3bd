# Datagrams that arrive at a port, in batches. The kernel may hand over several of one sender as one message (UDP GRO): such a message
# is cut up here, and what a batch has no room for is kept for the next.
from simplestchat._native.core.types cimport us_t, u32, u8
from simplestchat._native.engine.entities cimport Counters, Datagram
from simplestchat._native.io.port cimport Port
from simplestchat._native.io.system cimport iovec, mmsghdr, sockaddr_in6

cdef enum:
    INBOUND_MESSAGES = 64
    INBOUND_CONTROL = 192          # CMSG_SPACE of struct in6_pktinfo is 40, of the drop count 24, of the time of arrival 32, of the size of segments 24

cdef struct Inbound:
    u8* data                       # the buffers of all messages
    u32 messages                   # of the last read
    u32 next                       # the message that is handed out now
    u32 offset                     # where in it
    u32 socket                     # that it was read from
    mmsghdr headers[INBOUND_MESSAGES]
    iovec vectors[INBOUND_MESSAGES]
    sockaddr_in6 names[INBOUND_MESSAGES]
    u8 control[INBOUND_MESSAGES][INBOUND_CONTROL]

cdef int inbound_init(Inbound* in_) noexcept nogil       # OK or E_NOMEM
cdef void inbound_free(Inbound* in_) noexcept nogil
# At most BATCH datagrams, valid until the next call: first what the last read left, then of that socket. *drained: it has no more.
# arrived_us is when the kernel got them, on the wall clock; 0 when it does not say. Counts what the kernel dropped because a
# buffer was full, and what was cut or came without its local address.
cdef int inbound_receive(Inbound* in_, Port* p, u32 socket, Datagram* out, bint* drained, Counters* counters) noexcept nogil
cdef inline bint inbound_has_left(const Inbound* in_) noexcept nogil:
    return in_.next < in_.messages
