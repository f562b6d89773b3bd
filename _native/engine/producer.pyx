"""One published source; see producer.pxd."""

from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcpy

from simplestchat._native.core.bytes cimport get16, put16, put32
from simplestchat._native.core.types cimport E_AUTH, E_REPLAY, OK, u16, u32, u64, u8, us_t
from simplestchat._native.crypto.srtp cimport srtp_open
from simplestchat._native.engine.allocation cimport allocation_tell_mask
from simplestchat._native.engine.consumer cimport consumer_free
from simplestchat._native.engine.entities cimport (
    BATCH, MAX_PIPE_PRODUCERS, MAX_TRANSPORT_PRODUCERS, NEVER_US, TRANSPORT_CONNECTED, Codec, Pending, Producer, ShardState, Source, Stream, Transport,
)
from simplestchat._native.engine.feedback cimport feedback_send_keyframe_request, feedback_send_nacks
from simplestchat._native.engine.inspect cimport inspect_packet
from simplestchat._native.engine.liveness cimport liveness_packet
from simplestchat._native.engine.timers cimport timers_hasten
from simplestchat._native.engine.voices cimport voices_leave
from simplestchat._native.stream.cache cimport (
    CachedPacket, cache_commit, cache_expire, cache_free, cache_init, cache_knows, cache_reserve,
)
from simplestchat._native.stream.nack cimport nack_collect, nack_init, nack_received, nack_repaired
from simplestchat._native.stream.rates cimport rates_init
from simplestchat._native.stream.recv cimport recv_init, recv_packet
from simplestchat._native.wire.rtcp cimport RTCP_NACK_MAX_ITEMS, NackItem
from simplestchat._native.wire.rtp cimport RtpView, rtp_parse, rtp_payload_size

cdef enum:
    CACHE_VIDEO_BLOCK = 16384
    CACHE_VIDEO_BLOCKS = 32        # 1.7 s of 2.5 Mbit/s
    CACHE_VIDEO_PACKETS = 512
    CACHE_AUDIO_BLOCK = 2048       # a datagram fits
    CACHE_AUDIO_BLOCKS = 8         # over a second of 64 kbit/s
    CACHE_AUDIO_PACKETS = 64
    CACHE_KEEP_US = 2500000
    NACK_RTT_US = 50000            # towards publishers, until a repair has told their round trip; then that and a quarter


cdef Producer* producer_new(ShardState* s, u32 id, Transport* t, bint video, u8 stream_count) noexcept nogil:
    cdef Producer* p
    cdef u32 most = MAX_PIPE_PRODUCERS if t.pipe else MAX_TRANSPORT_PRODUCERS
    if t.producer_count >= most:
        return NULL
    p = <Producer*>calloc(1, sizeof(Producer))
    if p == NULL:
        return NULL
    p.streams = <Stream*>calloc(stream_count, sizeof(Stream))
    if t.producers == NULL:
        t.producers = <Producer**>calloc(most, sizeof(Producer*))
    if p.streams == NULL or t.producers == NULL or not _register(s, p):
        free(p.streams)
        free(p)
        return NULL
    p.id = id
    p.transport = t
    p.video = video
    p.piped = t.pipe
    s.piped_producers += p.piped
    p.stream_count = p.spatial_count = stream_count
    p.temporal_count = 1
    p.mask_us = NEVER_US
    p.level = LEVEL_SILENT
    t.producers[t.producer_count] = p
    t.producer_count += 1
    return p


cdef bint _register(ShardState* s, Producer* p) noexcept nogil:
    cdef u32 wanted
    cdef void* grown
    if s.producer_count == s.producer_capacity:
        wanted = s.producer_capacity * 2 if s.producer_capacity else 64
        grown = realloc(s.producers, wanted * sizeof(Producer*))
        if grown == NULL:
            return False
        s.producers = <Producer**>grown
        s.producer_capacity = wanted
    s.producers[s.producer_count] = p
    s.producer_count += 1
    return True


cdef u32 _remove(Producer** items, u32 count, const Producer* p) noexcept nogil:
    """Takes p out of an unordered array; the new count."""
    cdef u32 i
    for i in range(count):
        if items[i] == p:
            items[i] = items[count - 1]
            return count - 1
    return count


cdef void producer_free(ShardState* s, Producer* p) noexcept nogil:
    cdef int i
    while p.consumer_count:
        consumer_free(s, p.consumers[p.consumer_count - 1])
    for i in range(p.stream_count):
        cache_free(&p.streams[i].cache)
        free(p.streams[i].facts)
        free(p.streams[i].dependency)
    voices_leave(s, p)
    p.transport.producer_count = _remove(p.transport.producers, p.transport.producer_count, p)
    s.producer_count = _remove(s.producers, s.producer_count, p)
    s.piped_producers -= p.piped
    free(p.streams)
    free(p.consumers)
    free(p)


cdef void producer_init_stream(Producer* p, u8 stream, u32 ssrc, u32 rtx_ssrc) noexcept nogil:
    cdef Stream* st = &p.streams[stream]
    st.ssrc = ssrc
    st.rtx_ssrc = rtx_ssrc
    st.keyframe_us = NEVER_US
    st.spatial_count = st.temporal_count = 1
    rates_init(&st.rates)
    recv_init(&st.stats, ssrc, p.codecs[0].clock_rate)
    nack_init(&st.nack)
    if p.video:
        cache_init(&st.cache, CACHE_VIDEO_BLOCK, CACHE_VIDEO_BLOCKS, CACHE_VIDEO_PACKETS, CACHE_KEEP_US)
    else:
        cache_init(&st.cache, CACHE_AUDIO_BLOCK, CACHE_AUDIO_BLOCKS, CACHE_AUDIO_PACKETS, CACHE_KEEP_US)


cdef void _queue(ShardState* s, Producer* p, u8 stream, u64 index) noexcept nogil:
    cdef Pending* pending
    if p.paused or p.consumer_count == 0 or p.pending_count >= BATCH:
        return
    if p.pending_count == 0:
        s.dirty[s.dirty_count] = p
        s.dirty_count += 1
    pending = &p.pending[p.pending_count]
    pending.index = index
    pending.arrived_us = s.arrived_us
    pending.stream = stream
    p.pending_count += 1


cdef bint _is_new(Stream* st, u64 index) noexcept nogil:
    """Never accepted before, also by retransmission, and not so old that nobody could tell.

    A second packet with other contents would be sealed at the index of the first, so it does not count that the first one's bytes
    may be overwritten by now: its slot still names it.
    """
    if st.stats.begun and index + st.cache.slot_mask < st.stats.highest_index:
        return False
    return not cache_knows(&st.cache, index)


cdef void _accept(ShardState* s, Producer* p, u8 stream, u64 index, u8* data, u32 size, const RtpView* view, us_t now) noexcept nogil:
    """A plain packet that lies at the cache's write position becomes part of the stream."""
    cdef Stream* st = &p.streams[stream]
    cdef u8 at = p.codec_by_pt[view.payload_type]
    cdef int payload_size = rtp_payload_size(data, size, view)
    cdef CachedPacket* packet
    cdef Codec* codec
    cdef u64 expected
    if at == 0 or payload_size < 0:
        s.counters.dropped_malformed += 1
        return
    if not _is_new(st, index):
        s.counters.dropped_replay += 1
        return
    codec = &p.codecs[at - 1]
    packet = cache_commit(&st.cache, index, <u16>size)
    packet.received_us = now
    packet.timestamp = view.timestamp
    packet.header_size = view.header_size
    packet.payload_size = <u16>payload_size
    packet.payload_type = view.payload_type
    packet.marker = view.marker
    packet.late = st.stats.begun and index < st.stats.highest_index
    inspect_packet(p, st, codec, packet, data, view, now)
    liveness_packet(p, stream, view.marker, now)
    expected = recv_packet(&st.stats, index, view.timestamp, payload_size, now)
    if p.piped:
        s.counters.piped_in += 1
        s.counters.piped_expected += expected
    else:
        s.counters.media_in += 1
        s.counters.media_expected += expected
    p.transport.media_in += 1
    p.transport.media_expected += expected
    if packet.keyframe and p.video:
        st.keyframes += 1
        st.keyframe_wanted = 0
        st.keyframe_us = NEVER_US
    if codec.nack:
        nack_received(&st.nack, index, now)
        if st.nack.overflowed:
            st.nack.overflowed = 0
            if p.video:
                producer_want_keyframe(s, p, stream, now)
        timers_hasten(&s.timers, p.transport, st.nack.deadline)
    _queue(s, p, stream, index)


cdef void producer_count_refusal(ShardState* s, Transport* t, int status) noexcept nogil:
    t.dropped_in += 1
    if status == E_AUTH:
        s.counters.dropped_auth += 1
    elif status == E_REPLAY:
        s.counters.dropped_replay += 1
    else:
        s.counters.dropped_malformed += 1


cdef void _restore(ShardState* s, Source* source, const u8* plain, u32 size, us_t now) noexcept nogil:
    """A retransmission (RFC 4588): the first two payload bytes are the original sequence number."""
    cdef Producer* p = source.producer
    cdef Stream* st = &p.streams[source.stream]
    cdef RtpView view
    cdef u8 at
    cdef u16 behind
    cdef u64 index
    cdef int payload_size
    cdef u8* room
    if rtp_parse(plain, size, &view) != OK:
        return
    at = p.rtx_by_pt[view.payload_type]
    payload_size = rtp_payload_size(plain, size, &view)
    if at == 0 or payload_size <= 2 or not st.stats.begun:     # padding probes have no payload
        return
    behind = <u16>(<u16>st.stats.highest_index - get16(plain + view.header_size))
    if behind > st.stats.highest_index:
        return
    index = st.stats.highest_index - behind                    # what is sent again is never newer than the newest
    room = cache_reserve(&st.cache, size, now)
    if room == NULL:
        return
    nack_repaired(&st.nack, index, now)
    _copy_original(room, plain, size, &view, p.codecs[at - 1].payload_type, st.ssrc)
    size -= 2
    if rtp_parse(room, size, &view) == OK:
        _accept(s, p, source.stream, index, room, size, &view, now)


cdef void _copy_original(u8* room, const u8* plain, u32 size, const RtpView* view, u8 payload_type, u32 ssrc) noexcept nogil:
    """The packet as it was before it became a retransmission."""
    cdef u32 header = view.header_size
    memcpy(room, plain, header)
    memcpy(room + header, plain + header + 2, size - header - 2)
    room[1] = (plain[1] & 0x80) | payload_type
    put16(room + 2, get16(plain + header))
    put32(room + 8, ssrc)


cdef bint producer_receive(ShardState* s, Source* source, const u8* data, u32 size, const RtpView* view, us_t now) noexcept nogil:
    cdef Transport* t = source.producer.transport
    cdef Stream* st = &source.producer.streams[source.stream]
    cdef u8* room = &s.scratch[0] if source.repair else cache_reserve(&st.cache, size, now)
    cdef u64 index
    cdef int plain
    if room == NULL:
        return False
    plain = srtp_open(t.recv_srtp, &source.srtp, data, size, view.header_size, room, size, &index)
    if plain < 0:
        producer_count_refusal(s, t, plain)
        return False
    if source.repair:
        _restore(s, source, room, plain, now)
    else:
        _accept(s, source.producer, source.stream, index, room, plain, view, now)
    return True


cdef void producer_store_plain(ShardState* s, Source* source, const u8* plain, u32 size, u64 index, us_t now) noexcept nogil:
    cdef Stream* st = &source.producer.streams[source.stream]
    cdef RtpView view
    cdef u8* room
    if source.repair:
        _restore(s, source, plain, size, now)
        return
    room = cache_reserve(&st.cache, size, now)
    if room == NULL:
        return
    memcpy(room, plain, size)
    if rtp_parse(room, size, &view) == OK:
        _accept(s, source.producer, source.stream, index, room, size, &view, now)


cdef void producer_want_keyframe(ShardState* s, Producer* p, u8 stream, us_t now) noexcept nogil:
    cdef Stream* st = &p.streams[stream]
    cdef us_t earliest = st.keyframe_asked_us + KEYFRAME_GAP_US if st.keyframe_asked_us else now
    if not p.video or p.paused:
        return
    if not st.keyframe_wanted:
        st.keyframe_tries = 0
    elif st.keyframe_us <= earliest:
        return                             # already on its way
    st.keyframe_wanted = 1
    st.keyframe_us = earliest if earliest > now else now
    timers_hasten(&s.timers, p.transport, st.keyframe_us)


cdef void _ask_keyframe(ShardState* s, Producer* p, Stream* st, us_t now) noexcept nogil:
    if st.keyframe_tries >= KEYFRAME_MAX_TRIES:
        st.keyframe_wanted = 0
        st.keyframe_us = NEVER_US
        return
    if st.ssrc and p.transport.state == TRANSPORT_CONNECTED:
        st.fir_sequence += 1
        feedback_send_keyframe_request(s, p.transport, st.ssrc, p.codecs[0].pli != 0 or not p.codecs[0].fir, st.fir_sequence)
    st.keyframe_tries += 1
    st.keyframe_asked_us = now
    st.keyframe_us = now + KEYFRAME_RETRY_US


cdef inline us_t _expire(Stream* st, us_t now) noexcept nogil:
    """A stream that is silent gives back what its packets took. When to look again."""
    cdef us_t deadline = cache_expire(&st.cache, now)
    if st.cache.held == 0 and st.facts != NULL:
        free(st.facts)
        st.facts = NULL
    return deadline


cdef us_t producer_tick(ShardState* s, Producer* p, us_t now) noexcept nogil:
    cdef us_t deadline = NEVER_US
    cdef NackItem items[RTCP_NACK_MAX_ITEMS]
    cdef Stream* st
    cdef u32 given_up
    cdef us_t rtt
    cdef int i
    cdef int count
    for i in range(p.stream_count):
        st = &p.streams[i]
        if st.keyframe_us <= now:
            _ask_keyframe(s, p, st, now)
        if st.nack.deadline <= now:
            given_up = 0
            rtt = st.nack.rtt_us + st.nack.rtt_us // 4 if st.nack.rtt_us else NACK_RTT_US
            count = nack_collect(&st.nack, now, rtt, items, RTCP_NACK_MAX_ITEMS, &given_up)
            if count and p.transport.state == TRANSPORT_CONNECTED:
                feedback_send_nacks(s, p.transport, st.ssrc, items, count)
            if given_up and p.video:
                producer_want_keyframe(s, p, <u8>i, now)
        deadline = min(deadline, st.keyframe_us, st.nack.deadline, _expire(st, now))
    return min(deadline, allocation_tell_mask(s, p, now))
