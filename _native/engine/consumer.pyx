"""One subscriber's copy of one producer; see consumer.pxd."""

from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memset

from simplestchat._native.core.bytes cimport put16
from simplestchat._native.core.table cimport table64_get, table64_put, table64_remove
from simplestchat._native.core.types cimport OK, i16, i64, u16, u32, u64, u8, us_t
from simplestchat._native.crypto.random cimport csprng_u32
from simplestchat._native.crypto.srtp cimport SealJob, srtp_note, srtp_note_padding, srtp_seal, srtp_seal_many
from simplestchat._native.engine.entities cimport (
    EXT_AUDIO_LEVEL, EXT_VIDEO_ORIENTATION, MAX_CONSUMERS, MAX_PIPE_CONSUMERS, MAX_PRODUCER_CONSUMERS, MAX_TRANSPORT_CONSUMERS,
    TRANSPORT_CONNECTED, Consumer, Producer, Ready, ShardState, Stream, Transport,
)
from simplestchat._native.engine.ice cimport ice_may_send
from simplestchat._native.engine.output cimport OUT_SLOT, out_commit, out_mark_video, out_note, out_reserve, out_reserve_noted
from simplestchat._native.stream.cache cimport CachedPacket, cache_data, cache_find
from simplestchat._native.stream.send cimport send_allocate, send_init, send_packet
from simplestchat._native.stream.sent cimport SentPacket, sent_bytes, sent_find, sent_free, sent_init, sent_may_resend, sent_put
from simplestchat._native.stream.seqmap cimport seqmap_drop, seqmap_forward, seqmap_init, seqmap_switch
from simplestchat._native.stream.tsmap cimport tsmap_forward, tsmap_init, tsmap_switch
from simplestchat._native.wire.rtcp cimport NackItem
from simplestchat._native.wire.rtp cimport (
    RTP_FIXED_SIZE, RtpExtWriter, rtp_ext_begin, rtp_ext_end, rtp_ext_put, rtp_put_fixed,
)

cdef enum:
    SENT_VIDEO = 512               # packets remembered for NACKs at most: about two seconds of 2.5 Mbit/s
    SENT_AUDIO = 64                # over a second of 20 ms packets
    RESEND_AGE_US = 3000000        # what is older helps nobody
    STREAM_ALIVE_US = 1000000      # an encoding that sent nothing for so long is not chosen
    RESEND_CREDIT_START = 64000
    RESEND_CREDIT_MAX = 256000
    LARGEST_ONE_BYTE_ID = 14


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
    c.preferred = p.stream_count - 1
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
    _unlink(s, c)
    _retire_ssrc(c.transport, c.ssrc)
    _retire_ssrc(c.transport, c.rtx_ssrc)
    s.consumer_count -= 1
    s.pipe_consumers -= c.pipe
    s.sent_bytes -= sent_bytes(&c.sent)
    sent_free(&c.sent)
    free(c)


cdef void consumer_restart(Consumer* c) noexcept nogil:
    c.fresh = 1


cdef u8 consumer_target(const Consumer* c, us_t now) noexcept nogil:
    """The best encoding up to the preferred one that is alive; the lowest alive one when none of those is."""
    cdef const Producer* p = c.producer
    cdef int i
    cdef int below = -1
    if p.stream_count == 1 or c.pipe:
        return c.stream
    for i in range(p.stream_count):
        if p.streams[i].begun and now - p.streams[i].arrived_us < STREAM_ALIVE_US:
            if i <= c.preferred or below < 0:
                below = i
    return <u8>below if below >= 0 else c.stream


cdef inline int _write_header(const Consumer* c, const CachedPacket* packet, const u8* data, u8 payload_type, u32 sequence,
                              u32 timestamp, u32 ssrc, bint padding, u8* out) noexcept nogil:
    """The outgoing header at `out`: a function of its arguments alone, so that a resend has the same bytes. Its size."""
    cdef u8 level = c.ext[EXT_AUDIO_LEVEL] if packet.level_off else 0
    cdef u8 orientation = c.ext[EXT_VIDEO_ORIENTATION] if packet.orientation_off else 0
    cdef bint extended = level != 0 or orientation != 0
    rtp_put_fixed(out, payload_type, packet.marker, <u16>sequence, timestamp, ssrc, padding, extended)
    return _write_extensions(packet, data, level, orientation, out) if extended else <int>RTP_FIXED_SIZE


cdef int _write_extensions(const CachedPacket* packet, const u8* data, u8 level, u8 orientation, u8* out) noexcept nogil:
    cdef RtpExtWriter w
    rtp_ext_begin(&w, out, OUT_SLOT, RTP_FIXED_SIZE, level > LARGEST_ONE_BYTE_ID or orientation > LARGEST_ONE_BYTE_ID)
    if level:
        rtp_ext_put(&w, level, data + packet.level_off, 1)
    if orientation:
        rtp_ext_put(&w, orientation, data + packet.orientation_off, 1)
    return rtp_ext_end(&w)


cdef bint _may_begin_late(const Consumer* c, u8 stream, const CachedPacket* packet) noexcept nogil:
    """May a run begin with a packet that came after newer ones? Only if these can follow it: see producer's _catch_up.

    Not from before the run that this consumer had last: they would be sent a second time. Audio begins with the next packet.
    """
    if not c.video or c.producer.streams[stream].stats.highest_index - packet.index >= LATE_START:
        return False
    return stream != c.stream or packet.index >= c.seq.highest_in


cdef bint _begin_run(Consumer* c, u8 stream, const CachedPacket* packet, us_t now) noexcept nogil:
    """Whether this packet may begin forwarding of `stream`; if so, sequence and time go on from where they were."""
    if stream != consumer_target(c, now):
        return False
    if c.video and not packet.keyframe and not c.pipe:     # behind a pipe each subscriber waits for a keyframe by itself
        return False
    if packet.late and not _may_begin_late(c, stream, packet):
        return False
    seqmap_switch(&c.seq)
    tsmap_switch(&c.ts, packet.timestamp, now)
    c.fresh = 0
    c.stream = stream
    return True


cdef void consumer_forward(ShardState* s, Consumer* c, const Ready* ready, us_t now) noexcept nogil:
    cdef Transport* t = c.transport
    cdef const CachedPacket* packet = ready.packet
    cdef u8 stream = ready.stream
    cdef u8 payload_type = c.pt_by_codec[ready.codec]
    cdef u64 index
    cdef u32 timestamp
    cdef int header_size
    cdef int size
    cdef u8* out
    cdef SealJob* job
    if (c.fresh or stream != c.stream) and (payload_type == NOT_CONSUMED or not _begin_run(c, stream, packet, now)):
        return
    # Of no use to this subscriber: a codec that it does not take, or padding alone, a publisher's probe.
    if payload_type == NOT_CONSUMED or packet.payload_size == 0:
        seqmap_drop(&c.seq, packet.index)
        return
    if seqmap_forward(&c.seq, packet.index, &index) != OK:
        return
    timestamp = tsmap_forward(&c.ts, packet.timestamp, now)
    out = out_reserve_noted(&s.out, &job)
    header_size = _write_header(c, packet, ready.data, payload_type, <u32>index, timestamp, c.ssrc, ready.padding != 0, out)
    size = srtp_note(job, t.send_srtp, index, out, header_size, NULL, 0, ready.data + packet.header_size, packet.payload_size, out, OUT_SLOT)
    if ready.padding and size > 0:
        size = srtp_note_padding(job, ready.padding, OUT_SLOT)
        s.counters.padding_out += ready.padding
    if size < 0:
        return
    s.sent_bytes += sent_put(&c.sent, index, stream, packet.index, timestamp, ready.padding, now)
    send_packet(&c.send, packet.payload_size)
    c.resend_credit += size // 2
    if c.resend_credit > RESEND_CREDIT_MAX:
        c.resend_credit = RESEND_CREDIT_MAX
    if not ice_may_send(t, size):
        s.counters.dropped_consent += 1
        return
    out_note(&s.out, &t.pairs[t.selected].tuple, size, c.video)
    t.packets_out += 1
    t.bytes_out += size
    s.counters.forwarded += 1 - c.pipe
    s.counters.piped_out += c.pipe


cdef inline bint _still_under_way(const SentPacket* sent, us_t now, us_t rtt) noexcept nogil:
    """Was it first sent less than a round trip ago?

    What was lost on its way to us, and repaired, is asked for by its subscriber long before we have it. A question that comes right behind
    the forwarding was asked before that could arrive.
    """
    return sent.resends == 0 and <us_t><u32>(<u32>now - sent.sent_us) < rtt - rtt // 8


cdef bint _resend_one(ShardState* s, Consumer* c, u16 sequence, us_t now) noexcept nogil:
    """One packet again, over RTX (RFC 4588) where negotiated, else byte for byte. False when that cannot be done."""
    cdef Transport* t = c.transport
    cdef SentPacket* sent = sent_find(&c.sent, sequence, c.seq.next_out)
    cdef Stream* stream
    cdef CachedPacket* packet
    cdef const u8* data
    cdef u8 codec
    cdef u8 original[2]
    cdef SealJob job
    cdef u8* out
    cdef u64 index
    cdef int header_size
    cdef int size
    if sent == NULL:
        return False
    stream = &c.producer.streams[sent.stream]
    packet = cache_find(&stream.cache, sent.source_index)
    if packet == NULL or now - packet.received_us > RESEND_AGE_US or c.resend_credit < packet.size:
        return False
    if packet.late and _still_under_way(sent, now, c.send.rtt_us):
        return False
    if not sent_may_resend(sent, now, c.send.rtt_us):
        return False
    out = out_reserve(&s.out)
    if out == NULL:
        return False
    data = cache_data(&stream.cache, packet)
    codec = c.producer.codec_by_pt[packet.payload_type] - 1
    if c.rtx_ssrc and c.rtx_pt_by_codec[codec] >= 0:
        index = send_allocate(&c.rtx)
        put16(original, <u16>sent.out_index)
        header_size = _write_header(c, packet, data, <u8>c.rtx_pt_by_codec[codec], <u32>index, sent.timestamp, c.rtx_ssrc,
                                    False, out)
        size = srtp_seal(t.send_srtp, index, out, header_size, original, 2, data + packet.header_size, packet.payload_size, out, OUT_SLOT)
        send_packet(&c.rtx, packet.payload_size + 2)
    else:
        header_size = _write_header(c, packet, data, c.pt_by_codec[codec], <u32>sent.out_index, sent.timestamp, c.ssrc,
                                    sent.padding != 0, out)
        size = srtp_note(&job, t.send_srtp, sent.out_index, out, header_size, NULL, 0, data + packet.header_size, packet.payload_size, out, OUT_SLOT)
        if sent.padding and size > 0:
            size = srtp_note_padding(&job, sent.padding, OUT_SLOT)
        if size > 0 and srtp_seal_many(&job, 1):
            return False
    if size < 0 or not ice_may_send(t, size):
        return False
    out_commit(&s.out, &t.pairs[t.selected].tuple, size)
    if c.video:
        out_mark_video(&s.out)
    c.resend_credit -= size
    c.send.resent += 1
    t.packets_out += 1
    t.bytes_out += size
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
