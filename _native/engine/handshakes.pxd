# DTLS datagrams that wait for their turn: copied, and worked off a little at a time, so that a herd of joins holds media up little.
#
# Rules:
#  - Every DTLS datagram of an address with a passed check goes through here; nothing else does.
#  - One turn does one flight, a datagram in which libssl had work (0.1 to 0.4 ms of public keys), or up to HANDSHAKE_CHEAP datagrams in
#    which it had none: parts of a flight, repeats, alerts. A turn comes when nothing is left to be read, or when media has not paused
#    for some time (io/loop); without media the next one follows at once. The engine reads no clock: flights count instead of time.
#  - Turns go round the transports, one datagram each: nobody's flood delays another's handshake by more than a turn per round.
#    There is a round of handshakes under way and one of all others, and they take turns, too: so a herd is let in at the pace at which
#    handshakes end, and few of libssl's buffers live at a time.
#  - A transport has at most HANDSHAKE_WAITING datagrams here, a shard MAX_HANDSHAKES. What comes beyond is dropped and counted: DTLS sends
#    it again.
from simplestchat._native.core.types cimport Tuple, u32, u8
from simplestchat._native.engine.entities cimport HandshakeQueue, Transport, WaitingDatagram

cdef enum:
    HANDSHAKE_WAITING = 16
    HANDSHAKE_CHEAP = 16

# False when it was dropped.
cdef bint handshakes_put(HandshakeQueue* q, Transport* t, const u8* data, u32 size, const Tuple* tuple) noexcept nogil
# The next datagram and whose it is; the caller frees it. NULL when none waits.
cdef WaitingDatagram* handshakes_take(HandshakeQueue* q, Transport** t) noexcept nogil
# The bytes of a datagram lie behind it.
cdef inline bint handshakes_wait(const HandshakeQueue* q) noexcept nogil:
    return q.count != 0
cdef inline const u8* handshakes_data(const WaitingDatagram* d) noexcept nogil:
    return <const u8*>(d + 1)
cdef void handshakes_forget(HandshakeQueue* q, Transport* t) noexcept nogil    # all that wait for the transport
