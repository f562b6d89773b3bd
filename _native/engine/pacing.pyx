"""Packets that wait for their turn; see pacing.pxd."""

from libc.stdlib cimport calloc, free

from simplestchat._native.cc.pacer cimport pacer_may_send, pacer_rate, pacer_ready_us
from simplestchat._native.core.table cimport table64_get
from simplestchat._native.core.types cimport u16, u32, u64, us_t
from simplestchat._native.engine.entities cimport (
    MAX_WAITING, NEVER_US, TRANSPORT_CONNECTED, Consumer, ShardState, Transport, WaitingPacket,
)
from simplestchat._native.engine.outgoing cimport outgoing_late
from simplestchat._native.engine.output cimport out_has_headroom
from simplestchat._native.engine.timers cimport timers_hasten
from simplestchat._native.stream.sent cimport SENT_WAITING, SentPacket, sent_crowded, sent_find, sent_keep

cdef enum:
    WAITING_AT_FIRST = 64
    WAITING_MOST_US = 1000000      # then it leaves whatever the pacer says: what is older helps nobody
    OVER_PERCENT = 125             # of the estimate: more than the grace that videos have for wavering


cdef void pacing_free(Transport* t) noexcept nogil:
    free(t.waiting.items)
    t.waiting.items = NULL
    t.waiting.count = 0


cdef bint _grow(Transport* t) noexcept nogil:
    cdef u32 before = t.waiting.mask + 1 if t.waiting.items != NULL else 0
    cdef u32 size = before * 2 if before else WAITING_AT_FIRST
    cdef WaitingPacket* items
    cdef u32 i
    if size > MAX_WAITING:
        return False
    items = <WaitingPacket*>calloc(size, sizeof(WaitingPacket))
    if items == NULL:
        return False
    for i in range(t.waiting.count):
        items[i] = t.waiting.items[(t.waiting.first + i) & t.waiting.mask]
    free(t.waiting.items)
    t.waiting.items = items
    t.waiting.first = 0
    t.waiting.mask = size - 1
    return True


cdef void _leave(ShardState* s, Transport* t, const WaitingPacket* waiting, us_t now) noexcept nogil:
    cdef u64 value
    cdef Consumer* c
    cdef SentPacket* sent
    if not table64_get(&t.sent_by_ssrc, waiting.ssrc, &value) or value == 0:
        return                             # its consumer was closed
    c = <Consumer*>value
    sent = sent_find(&c.sent, <u16>waiting.out_index, c.seq.next_out)
    if sent != NULL and sent.out_index == waiting.out_index and sent.flags & SENT_WAITING:
        outgoing_late(s, c, sent, now)


cdef void _leave_first(ShardState* s, Transport* t, us_t now) noexcept nogil:
    cdef WaitingPacket first = t.waiting.items[t.waiting.first]
    t.waiting.first = (t.waiting.first + 1) & t.waiting.mask
    t.waiting.count -= 1
    _leave(s, t, &first, now)


cdef void pacing_adjust(Transport* t, us_t now) noexcept nogil:
    cdef u64 estimate = t.bwe.estimate_bps
    cdef u64 taken = t.allocator.taken_bps + t.other_bps
    cdef bint unknown = t.bwe.aimd.lowered_us == 0
    pacer_rate(&t.pacer, taken if unknown and taken * 100 > estimate * OVER_PERCENT else estimate, now)


cdef void pacing_put(ShardState* s, Consumer* c, const SentPacket* sent, u32 payload_size, us_t now) noexcept nogil:
    cdef Transport* t = c.transport
    cdef SentPacket waits = sent[0]
    cdef WaitingPacket* at
    waits.flags |= SENT_WAITING
    while t.waiting.count and sent_crowded(&c.sent, sent.out_index):
        _leave_first(s, t, now)
    s.sent_bytes += sent_keep(&c.sent, &waits)
    if (t.waiting.items == NULL or t.waiting.count > t.waiting.mask) and not _grow(t):
        if t.waiting.items == NULL:
            return
        _leave_first(s, t, now)
    at = &t.waiting.items[(t.waiting.first + t.waiting.count) & t.waiting.mask]
    at.out_index = sent.out_index
    at.ssrc = c.ssrc
    at.size = payload_size
    at.since_us = now
    t.waiting.count += 1
    s.counters.paced += 1
    timers_hasten(&s.timers, t, pacer_ready_us(&t.pacer))


cdef us_t pacing_tick(ShardState* s, Transport* t, us_t now) noexcept nogil:
    cdef const WaitingPacket* first
    if t.state != TRANSPORT_CONNECTED:
        t.waiting.count = 0
    while t.waiting.count and out_has_headroom(&s.out):
        first = &t.waiting.items[t.waiting.first]
        if not pacer_may_send(&t.pacer, now) and now - first.since_us < WAITING_MOST_US:
            return pacer_ready_us(&t.pacer)
        _leave_first(s, t, now)
    return now if t.waiting.count else NEVER_US
