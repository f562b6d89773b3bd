"""What is alive in a shard: counted when asked, by walking transports and producers. Nothing of it costs a packet anything."""

from simplestchat._native.cc.allocator cimport ALLOC_LOG_ROWS, AllocRow
from simplestchat._native.cc.bwe cimport bwe_bytes
from simplestchat._native.core.table cimport table64_count, tupletable_count
from simplestchat._native.core.types cimport u32, u64
from simplestchat._native.crypto.dtls cimport dtls_is_open
from simplestchat._native.engine.entities cimport PacketFacts, Producer, ShardState, Stream, Transport, WaitingPacket
from simplestchat._native.stream.cache cimport cache_bytes
from simplestchat._native.wire.av1dd cimport DdStructure


cdef struct Held:
    u64 srtp_contexts
    u64 dtls_associations
    u64 dtls_handshakes
    u64 sources
    u64 sent_ssrcs
    u64 cache_bytes
    u64 adaptation_bytes


cdef inline u64 _of_transport(const Transport* t) noexcept nogil:
    """What it takes to estimate, divide and pace: bytes of memory."""
    cdef u64 held = bwe_bytes(t.bwe) if t.bwe != NULL else 0
    if t.waiting.items != NULL:
        held += (t.waiting.mask + 1) * sizeof(WaitingPacket)
    if t.allocator.log != NULL:
        held += ALLOC_LOG_ROWS * sizeof(AllocRow)
    return held


cdef inline u64 _of_stream(const Stream* st) noexcept nogil:
    """What it takes to choose layers."""
    cdef u64 held = sizeof(DdStructure) if st.dependency != NULL else 0
    if st.facts != NULL:
        held += (st.cache.slot_mask + 1) * sizeof(PacketFacts)
    return held


cdef void _count(const ShardState* s, Held* held) noexcept nogil:
    cdef const Transport* t
    cdef const Producer* p
    cdef u32 i
    cdef int k
    for i in range(1, s.timers.count + 1):             # every transport is in the heap of deadlines
        t = s.timers.items[i]
        held.srtp_contexts += (t.send_srtp != NULL) + (t.recv_srtp != NULL)
        held.sources += t.source_count
        held.sent_ssrcs += table64_count(&t.sent_by_ssrc)
        held.adaptation_bytes += _of_transport(t)
        if t.dtls != NULL:
            held.dtls_associations += 1
            held.dtls_handshakes += dtls_is_open(t.dtls)
    for i in range(s.producer_count):
        p = s.producers[i]
        for k in range(p.stream_count):
            held.cache_bytes += cache_bytes(&p.streams[k].cache)
            held.adaptation_bytes += _of_stream(&p.streams[k])


cdef dict census(const ShardState* s):
    cdef Held held = Held(0, 0, 0, 0, 0, 0, 0)
    with nogil:
        _count(s, &held)
    counted = dict(held)
    counted.update(
        transports=s.transport_count - s.pipe_count, pipes=s.pipe_count,
        producers=s.producer_count - s.piped_producers, piped_producers=s.piped_producers,
        consumers=s.consumer_count - s.pipe_consumers, pipe_consumers=s.pipe_consumers, tuples=tupletable_count(&s.by_tuple),
        credentials=table64_count(&s.by_ufrag), handshakes_waiting=s.handshakes.count,
        handshakes_waiting_bytes=s.handshakes.bytes, sent_bytes=s.sent_bytes,
    )
    return counted
