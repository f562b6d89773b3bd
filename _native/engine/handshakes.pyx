"""DTLS datagrams that wait for their turn; the rules are in handshakes.pxd."""

from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

from simplestchat._native.core.types cimport Tuple, u32, u8
from simplestchat._native.crypto.dtls cimport dtls_is_open
from simplestchat._native.engine.entities cimport MAX_HANDSHAKES, HandshakeQueue, HandshakeRound, Transport, WaitingDatagram


cdef void _line_up(HandshakeQueue* q, Transport* t) noexcept nogil:
    """To the end of its round."""
    cdef HandshakeRound* round
    t.waiting_round = t.dtls != NULL and dtls_is_open(t.dtls)
    round = &q.rounds[t.waiting_round]
    t.next_waiting = NULL
    if round.last == NULL:
        round.first = t
    else:
        round.last.next_waiting = t
    round.last = t


cdef bint handshakes_put(HandshakeQueue* q, Transport* t, const u8* data, u32 size, const Tuple* tuple) noexcept nogil:
    cdef WaitingDatagram* d
    if t.waiting_count >= HANDSHAKE_WAITING or q.count >= MAX_HANDSHAKES:
        return False
    d = <WaitingDatagram*>malloc(sizeof(WaitingDatagram) + size)
    if d == NULL:
        return False
    d.next = NULL
    d.tuple = tuple[0]
    d.size = size
    memcpy(d + 1, data, size)
    if t.waiting_count == 0:
        t.waiting_first = d
        _line_up(q, t)
    else:
        t.waiting_last.next = d
    t.waiting_last = d
    t.waiting_count += 1
    q.count += 1
    q.bytes += size
    return True


cdef WaitingDatagram* _take_of(HandshakeQueue* q, Transport* t) noexcept nogil:
    cdef WaitingDatagram* d = t.waiting_first
    t.waiting_first = d.next
    t.waiting_count -= 1
    q.count -= 1
    q.bytes -= d.size
    return d


cdef WaitingDatagram* handshakes_take(HandshakeQueue* q, Transport** t) noexcept nogil:
    cdef HandshakeRound* round = &q.rounds[q.next]
    cdef WaitingDatagram* d
    q.next ^= 1
    if round.first == NULL:
        round = &q.rounds[q.next]
    t[0] = round.first
    if round.first == NULL:
        return NULL
    round.first = round.first.next_waiting
    if round.first == NULL:
        round.last = NULL
    d = _take_of(q, t[0])
    if t[0].waiting_count:
        _line_up(q, t[0])
    return d


cdef void handshakes_forget(HandshakeQueue* q, Transport* t) noexcept nogil:
    cdef HandshakeRound* round = &q.rounds[t.waiting_round]
    cdef Transport** at = &round.first
    cdef Transport* before = NULL
    if t.waiting_count == 0:
        return
    while t.waiting_count:
        free(_take_of(q, t))
    while at[0] != t:
        before = at[0]
        at = &before.next_waiting
    at[0] = t.next_waiting
    if round.last == t:
        round.last = before
