"""The fan-out of what producers received; see fanout.pxd."""

from simplestchat._native.core.memory cimport prefetch
from simplestchat._native.core.types cimport u32, u64, u8, us_t
from simplestchat._native.engine.consumer cimport LATE_START, NOT_CONSUMED, consumer_forward, consumer_takes, consumer_target
from simplestchat._native.engine.entities cimport BATCH, Consumer, Producer, Ready, ShardState, Stream
from simplestchat._native.engine.inspect cimport inspect_facts
from simplestchat._native.engine.liveness cimport liveness_mask
from simplestchat._native.engine.output cimport OUT_PACKETS, out_room, out_seal
from simplestchat._native.engine.producer cimport KEYFRAME_MAX_TRIES, producer_want_keyframe
from simplestchat._native.engine.train cimport train_level
from simplestchat._native.engine.voices cimport voices_listen
from simplestchat._native.stream.cache cimport CachedPacket, cache_data, cache_find

cdef enum:
    FLUSH_PACKETS = 64             # then they are sent: what is sealed is still in the processor's cache when the kernel copies it


cdef void _look_up(Producer* p, u8 stream, u64 index, Ready* out) noexcept nogil:
    cdef Stream* st = &p.streams[stream]
    out.packet = cache_find(&st.cache, index)
    out.stream = stream
    out.padding = 0
    if out.packet != NULL:
        out.data = cache_data(&st.cache, out.packet)
        out.codec = p.codec_by_pt[out.packet.payload_type] - 1
        out.facts = inspect_facts(st, out.packet)


cdef void _make_ready(ShardState* s, Producer* p, us_t now) noexcept nogil:
    cdef u32 i
    voices_listen(p)
    p.alive_mask = liveness_mask(p, now)
    for i in range(p.pending_count):
        _look_up(p, p.pending[i].stream, p.pending[i].index, &s.ready[i])
    if p.video:
        train_level(s.ready, p.pending_count)


cdef inline bint _waits_for(const Consumer* c, u8 stream) noexcept nogil:
    return c.fresh != 0 or c.stream != stream


cdef void _catch_up(ShardState* s, Consumer* c, u8 stream, const CachedPacket* first, us_t now) noexcept nogil:
    """A run began with a late packet: those of its followers that came before it, and were passed over, leave behind it."""
    cdef Stream* st = &c.producer.streams[stream]
    cdef Ready ready
    cdef u64 index
    for index in range(first.index + 1, st.stats.highest_index + 1):
        _look_up(c.producer, stream, index, &ready)
        if ready.packet != NULL and ready.packet.pos < first.pos:
            consumer_forward(s, c, &ready, now)


cdef void _want_if_due(ShardState* s, Consumer* c, const Ready* ready, us_t now) noexcept nogil:
    """Asks for a keyframe for a consumer that waits for one of this encoding, when none is on its way.

    So it is when the consumer turns to this encoding, perhaps because the better one fell silent, when the keyframe that was asked for
    came too late to begin with, and when it was asked
    for in vain.
    """
    cdef u8 stream = ready.stream
    cdef const Stream* st = &c.producer.streams[stream]
    cdef bint turns = c.stream != stream and c.producer.stream_count > 1
    cdef bint in_vain = st.keyframe_tries >= KEYFRAME_MAX_TRIES and c.pt_by_codec[ready.codec] != NOT_CONSUMED
    if st.keyframe_wanted or not (turns or in_vain or (ready.packet.late and ready.packet.keyframe)):
        return
    if consumer_takes(c) and consumer_target(c) == stream:
        producer_want_keyframe(s, c.producer, stream, now)


cdef void _flush_consumer(ShardState* s, Producer* p, Consumer* c, us_t now) noexcept nogil:
    """Notes the train that the queued packets make for one consumer, as far as the output queue has room."""
    cdef const Ready* ready
    cdef bint waited
    if not consumer_takes(c) or (p.muffled and not c.pipe):
        s.flush_pending = p.pending_count
    while s.flush_pending < p.pending_count and out_room(&s.out):
        ready = &s.ready[s.flush_pending]
        if ready.packet != NULL:
            waited = _waits_for(c, ready.stream)
            if waited and ready.packet.late and out_room(&s.out) <= LATE_START:
                return                     # its followers may leave with it: they need room
            consumer_forward(s, c, ready, now)
            if waited:
                if _waits_for(c, ready.stream):
                    _want_if_due(s, c, ready, now)
                elif ready.packet.late:
                    _catch_up(s, c, ready.stream, ready.packet, now)
        s.flush_pending += 1


cdef inline void _prefetch(const Producer* p, u32 next) noexcept nogil:
    """Begins to fetch what the next consumers need: with many of them it is in no cache."""
    cdef const Consumer* c
    if next + 1 < p.consumer_count:
        prefetch(p.consumers[next + 1])
        c = p.consumers[next]
        prefetch(c.transport)
        prefetch(c.transport.send_srtp)


cdef void _note_done(ShardState* s, const Producer* p) noexcept nogil:
    cdef u32 i
    for i in range(p.pending_count):
        if s.done_count < BATCH:
            s.done[s.done_count] = p.pending[i].arrived_us
            s.done_count += 1


cdef bint _note_trains(ShardState* s, us_t now) noexcept nogil:
    cdef Producer* p
    while s.flush_producer < s.dirty_count:
        p = s.dirty[s.flush_producer]
        if s.flush_consumer == 0 and s.flush_pending == 0:
            _make_ready(s, p, now)
        while s.flush_consumer < p.consumer_count:
            _prefetch(p, s.flush_consumer + 1)
            _flush_consumer(s, p, p.consumers[s.flush_consumer], now)
            if s.flush_pending < p.pending_count:
                return True
            s.flush_pending = 0
            s.flush_consumer += 1
            if out_room(&s.out) <= OUT_PACKETS - FLUSH_PACKETS:
                return True
        s.flush_consumer = 0
        _note_done(s, p)
        p.pending_count = 0
        s.flush_producer += 1
    s.flush_producer = 0
    s.dirty_count = 0
    return False


cdef bint fanout_flush(ShardState* s, us_t now) noexcept nogil:
    cdef bint more = _note_trains(s, now)
    out_seal(&s.out)
    s.counters.dropped_seal = s.out.unsealed
    return more
