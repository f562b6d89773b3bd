"""One subscriber's copy of one producer; see consumer.pxd."""

from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memset

from simplestchat._native.cc.allocator cimport want_init
from simplestchat._native.core.table cimport table64_get, table64_put, table64_remove
from simplestchat._native.core.types cimport OK, u16, u32, u64, u8, us_t
from simplestchat._native.crypto.random cimport csprng_u32
from simplestchat._native.engine.allocation cimport allocation_aim, allocation_forget, allocation_tell
from simplestchat._native.engine.entities cimport (
    CODEC_AV1, CODEC_VP8, CODEC_VP9, MAX_CONSUMERS, MAX_PIPE_CONSUMERS, MAX_PRODUCER_CONSUMERS, MAX_SPATIAL, MAX_TEMPORAL,
    MAX_TRANSPORT_CONSUMERS, TOLD_NOTHING, TRANSPORT_CONNECTED, Consumer, Producer, Ready, ShardState, Transport,
)
from simplestchat._native.engine.outgoing cimport outgoing_again, outgoing_note
from simplestchat._native.engine.pacing cimport pacing_put, pacing_waits
from simplestchat._native.select.selector cimport (
    SELECT_ALL, SELECT_AV1, SELECT_END, SELECT_FORWARD, SELECT_MASK, SELECT_TEMPORAL, SELECT_VP9, selector_begin, selector_init, selector_packet,
)
from simplestchat._native.stream.cache cimport CachedPacket, cache_find
from simplestchat._native.stream.pidmap cimport PidMap, pidmap_drop, pidmap_forward, pidmap_init, pidmap_switch
from simplestchat._native.stream.send cimport send_init
from simplestchat._native.stream.sent cimport (
    SENT_MARKER, SENT_REWRITTEN, SENT_TARGETS, SentPacket, sent_bytes, sent_find, sent_free, sent_init, sent_may_resend,
)
from simplestchat._native.stream.seqmap cimport seqmap_drop, seqmap_forward, seqmap_init, seqmap_switch
from simplestchat._native.stream.tsmap cimport tsmap_forward, tsmap_init, tsmap_switch
from simplestchat._native.wire.facts cimport PictureIds
from simplestchat._native.wire.rtcp cimport NackItem

cdef enum:
    SENT_VIDEO = 512               # packets remembered for NACKs at most: about two seconds of 2.5 Mbit/s
    SENT_AUDIO = 64                # over a second of 20 ms packets
    RESEND_AGE_US = 3000000        # what is older helps nobody
    RESEND_CREDIT_START = 64000


cdef int _append(Consumer*** items, u32* count, u32* capacity, u32 cap, Consumer* c) noexcept nogil:
    """Appends to a growing array of consumers: 1, or 0 without memory or at the cap."""
    cdef u32 wanted
    cdef void* grown
    if count[0] >= cap:
        return 0
    if count[0] == capacity[0]:
        wanted = capacity[0] * 2 if capacity[0] else 8
        grown = realloc(items[0], wanted * sizeof(Consumer*))
        if grown == NULL:
            return 0
        items[0] = <Consumer**>grown
        capacity[0] = wanted
    items[0][count[0]] = c
    count[0] += 1
    return 1


cdef void _unlink(ShardState* s, Consumer* c) noexcept nogil:
    """Takes the consumer out of both lists; the last one of each moves into its place."""
    cdef Producer* p = c.producer
    cdef Transport* t = c.transport
    cdef Consumer* last
    if c.in_producer < p.consumer_count and p.consumers[c.in_producer] == c:
        p.consumer_count -= 1
        last = p.consumers[p.consumer_count]
        p.consumers[c.in_producer] = last
        last.in_producer = c.in_producer
    if c.in_transport < t.consumer_count and t.consumers[c.in_transport] == c:
        t.consumer_count -= 1
        last = t.consumers[t.consumer_count]
        t.consumers[c.in_transport] = last
        last.in_transport = c.in_transport


cdef Consumer* consumer_new(ShardState* s, u32 id, Transport* t, Producer* p, u32 ssrc, u32 rtx_ssrc) noexcept nogil:
    cdef u32 clock_rate = p.codecs[0].clock_rate
    cdef u32 most = MAX_PIPE_CONSUMERS if t.pipe else MAX_TRANSPORT_CONSUMERS
    cdef u64 first = 1 + csprng_u32(&s.random) % 0x7FFF
    cdef Consumer* c
    if s.consumer_count >= MAX_CONSUMERS:
        return NULL
    c = <Consumer*>calloc(1, sizeof(Consumer))
    if c == NULL:
        return NULL
    c.id = id
    c.transport = t
    c.producer = p
    c.ssrc = ssrc
    c.rtx_ssrc = rtx_ssrc
    c.video = p.video
    c.pipe = t.pipe
    c.fresh = 1
    c.preferred = c.target_spatial = MAX_SPATIAL - 1
    c.preferred_temporal = c.target_temporal = MAX_TEMPORAL - 1
    want_init(&c.want, id)
    c.told_spatial = TOLD_NOTHING
    c.told_temporal = -1
    c.view_width = c.view_height = -1
    c.priority = 1
    c.resend_credit = RESEND_CREDIT_START
    memset(c.pt_by_codec, NOT_CONSUMED, sizeof(c.pt_by_codec))
    seqmap_init(&c.seq, first)
    tsmap_init(&c.ts, clock_rate)
    send_init(&c.send, ssrc, clock_rate, first)
    send_init(&c.rtx, rtx_ssrc, clock_rate, 1 + csprng_u32(&s.random) % 0x7FFF)
    c.in_producer = p.consumer_count
    c.in_transport = t.consumer_count
    s.consumer_count += 1
    s.pipe_consumers += c.pipe
    sent_init(&c.sent, SENT_VIDEO if c.video else SENT_AUDIO)
    if (not _append(&p.consumers, &p.consumer_count, &p.consumer_capacity, MAX_PRODUCER_CONSUMERS, c)
            or not _append(&t.consumers, &t.consumer_count, &t.consumer_capacity, most, c)
            or table64_put(&t.sent_by_ssrc, ssrc, <u64>c) != OK
            or (rtx_ssrc and table64_put(&t.sent_by_ssrc, rtx_ssrc, <u64>c) != OK)):
        consumer_free(s, c)
        return NULL
    return c


cdef void _retire_ssrc(Transport* t, u32 ssrc) noexcept nogil:
    """Keeps the SSRC in the table, owned by nobody: it is never used again under these keys (docs/security.md row 23).

    Those of a pipe only grow, so that need not be remembered.
    """
    cdef u64 owner
    if t.pipe:
        table64_remove(&t.sent_by_ssrc, ssrc)
    elif ssrc and table64_get(&t.sent_by_ssrc, ssrc, &owner):
        table64_put(&t.sent_by_ssrc, ssrc, 0)


cdef void consumer_free(ShardState* s, Consumer* c) noexcept nogil:
    allocation_forget(s, c)
    _unlink(s, c)
    _retire_ssrc(c.transport, c.ssrc)
    _retire_ssrc(c.transport, c.rtx_ssrc)
    s.consumer_count -= 1
    s.pipe_consumers -= c.pipe
    s.sent_bytes -= sent_bytes(&c.sent)
    sent_free(&c.sent)
    free(c.pids)
    free(c)


cdef void consumer_restart(Consumer* c) noexcept nogil:
    c.fresh = 1


cdef u8 consumer_target(const Consumer* c) noexcept nogil:
    """The best encoding up to the one that it is to get that is alive; the lowest alive one when none of those is."""
    cdef const Producer* p = c.producer
    cdef int i
    cdef int below = -1
    if p.stream_count == 1 or c.pipe:
        return c.stream
    for i in range(p.stream_count):
        if p.alive_mask >> i & 1:
            if i <= c.target_spatial or below < 0:
                below = i
    return <u8>below if below >= 0 else c.stream


cdef void consumer_choose(Consumer* c) noexcept nogil:
    cdef const Producer* p = c.producer
    cdef u8 kind = p.codecs[0].kind
    cdef int i
    for i in range(p.codec_count):
        if c.pt_by_codec[i] != NOT_CONSUMED:
            kind = p.codecs[i].kind
    if c.pipe or not c.video:
        return
    if kind == CODEC_VP8:
        selector_init(&c.selector, SELECT_TEMPORAL)
    elif kind == CODEC_VP9:
        selector_init(&c.selector, SELECT_VP9)
    elif kind == CODEC_AV1:
        selector_init(&c.selector, SELECT_AV1)
    else:
        selector_init(&c.selector, SELECT_ALL)
    c.selects = kind == CODEC_VP8 or kind == CODEC_VP9 or kind == CODEC_AV1
    c.keeps_ids = c.selects and (p.stream_count > 1 or kind == CODEC_VP8)


cdef bint _may_begin_late(const Consumer* c, u8 stream, const CachedPacket* packet) noexcept nogil:
    """May a run begin with a packet that came after newer ones? Only if these can follow it: see producer's _catch_up.

    Not from before the run that this consumer had last: they would be sent a second time. Audio begins with the next packet.
    """
    if not c.video or c.producer.streams[stream].stats.highest_index - packet.index >= LATE_START:
        return False
    return stream != c.stream or packet.index >= c.seq.highest_in


cdef bint _begin_ids(Consumer* c) noexcept nogil:
    """Picture ids go on over runs where there will be more than one: of another encoding, or of the same with layers left out."""
    if c.pids == NULL:
        c.pids = <PidMap*>malloc(sizeof(PidMap))
        if c.pids == NULL:
            return False
        pidmap_init(c.pids)
    else:
        pidmap_switch(c.pids)
    return True


cdef bint _begin_run(Consumer* c, const Ready* ready, us_t now) noexcept nogil:
    """Whether this packet may begin forwarding of its encoding; if so, sequence and time go on from where they were."""
    cdef const CachedPacket* packet = ready.packet
    cdef u8 stream = ready.stream
    if stream != consumer_target(c):
        return False
    if c.video and not packet.keyframe and not c.pipe:     # behind a pipe each subscriber waits for a keyframe by itself
        return False
    if packet.late and not _may_begin_late(c, stream, packet):
        return False
    if c.keeps_ids and not _begin_ids(c):
        return False
    if c.selects and ready.facts != NULL:
        selector_begin(&c.selector, &ready.facts.frame)
    seqmap_switch(&c.seq)
    tsmap_switch(&c.ts, packet.timestamp, now)
    c.fresh = 0
    c.stream = stream
    allocation_aim(c)
    return True


cdef inline bint _map_ids(Consumer* c, const Ready* ready, SentPacket* sent) noexcept nogil:
    """The numbers that the copy's descriptor is to have. False when it has none: it lies before the switch."""
    cdef PictureIds ids
    if pidmap_forward(c.pids, &ready.facts.ids, &ids) != OK:
        return False
    sent.picture_id = ids.picture_id
    sent.tl0picidx = ids.tl0picidx
    sent.keyidx = ids.keyidx
    if (ids.picture_id != ready.facts.ids.picture_id or ids.tl0picidx != ready.facts.ids.tl0picidx
            or ids.keyidx != ready.facts.ids.keyidx):
        sent.flags |= SENT_REWRITTEN
    return True


cdef inline bint _select(Consumer* c, const Ready* ready, SentPacket* sent) noexcept nogil:
    """Whether the layers that this subscriber gets include this packet."""
    cdef int verdict
    if not c.selects or ready.facts == NULL:
        return True
    verdict = selector_packet(&c.selector, &ready.facts.frame, ready.packet.index, c.producer.streams[ready.stream].dependency)
    if verdict & SELECT_END:
        sent.flags |= SENT_MARKER
    if verdict & SELECT_MASK:
        sent.flags |= SENT_TARGETS
        sent.targets = c.selector.mask
    if verdict & SELECT_FORWARD:
        return True
    if c.pids != NULL and c.producer.codecs[ready.codec].kind == CODEC_VP8:
        pidmap_drop(c.pids, &ready.facts.ids)
    return False


cdef void consumer_forward(ShardState* s, Consumer* c, const Ready* ready, us_t now) noexcept nogil:
    cdef const CachedPacket* packet = ready.packet
    cdef u8 payload_type = c.pt_by_codec[ready.codec]
    cdef SentPacket sent
    if c.fresh or ready.stream != c.stream:
        if payload_type == NOT_CONSUMED or not _begin_run(c, ready, now):
            return
        c.begins = 1
    memset(&sent, 0, sizeof(sent))
    # Of no use to this subscriber: a codec that it does not take, padding alone (a publisher's probe), a layer above those that it gets.
    if payload_type == NOT_CONSUMED or packet.payload_size == 0 or not _select(c, ready, &sent):
        seqmap_drop(&c.seq, packet.index)
        return
    if c.pids != NULL and ready.facts != NULL and ready.facts.ids.picture_bits and not _map_ids(c, ready, &sent):
        seqmap_drop(&c.seq, packet.index)
        return
    if seqmap_forward(&c.seq, packet.index, &sent.out_index) != OK:
        return
    sent.source_index = packet.index
    sent.timestamp = tsmap_forward(&c.ts, packet.timestamp, now)
    sent.sent_us = <u32>now
    sent.stream = ready.stream
    sent.padding = ready.padding
    if packet.marker:
        sent.flags |= SENT_MARKER
    if c.begins:
        c.begins = 0
        allocation_tell(s, c)
    if c.video and c.transport.bwe != NULL and pacing_waits(c.transport, now):
        sent.padding = 0
        pacing_put(s, c, &sent, packet.payload_size, now)
    else:
        outgoing_note(s, c, ready, &sent, now)


cdef inline bint _still_under_way(const SentPacket* sent, us_t now, us_t rtt) noexcept nogil:
    """Was it first sent less than a round trip ago?

    What was lost on its way to us, and repaired, is asked for by its subscriber long before we have it. A question that comes right behind
    the forwarding was asked before that could arrive.
    """
    return sent.resends == 0 and <us_t><u32>(<u32>now - sent.sent_us) < rtt - rtt // 8


cdef bint _resend_one(ShardState* s, Consumer* c, u16 sequence, us_t now) noexcept nogil:
    """One packet again. False when that cannot be done."""
    cdef SentPacket* sent = sent_find(&c.sent, sequence, c.seq.next_out)
    cdef const CachedPacket* packet
    cdef u32 size
    # Of what was taken away, repairs would only stand in the way of what is sent instead.
    if sent == NULL or c.held or sent.stream != c.stream:
        return False
    packet = cache_find(&c.producer.streams[sent.stream].cache, sent.source_index)
    if packet == NULL or now - packet.received_us > RESEND_AGE_US or c.resend_credit < packet.size:
        return False
    if packet.late and _still_under_way(sent, now, c.send.rtt_us):
        return False
    if not sent_may_resend(sent, now, c.send.rtt_us):
        return False
    size = outgoing_again(s, c, sent, now, 0)
    if size == 0:
        return False
    c.resend_credit -= size
    c.send.resent += 1
    s.counters.resent += 1 - c.pipe
    return True


cdef int consumer_resend(ShardState* s, Consumer* c, const NackItem* items, int count, us_t now, int budget) noexcept nogil:
    cdef int i
    cdef int bit
    if c.transport.state != TRANSPORT_CONNECTED:
        return budget
    for i in range(count):
        for bit in range(17):              # the packet itself and the sixteen that the bitmask names
            if bit == 0 or (items[i].blp >> (bit - 1)) & 1:
                c.nacked += 1
                if budget > 0 and _resend_one(s, c, <u16>(items[i].pid + bit), now):
                    budget -= 1
    return budget
