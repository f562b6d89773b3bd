"""Published tracks of synthetic users; see sender.pxd for the contract."""

from libc.stdlib cimport calloc, free
from libc.string cimport memcpy, memset
from simplestchat._native.core.bytes cimport put16, put24
from simplestchat._native.core.siphash cimport splitmix
from simplestchat._native.core.ticks cimport ticks_of
from simplestchat._native.core.types cimport OK, US_PER_MS, US_PER_S, u8, u16, u32, u64, us_t
from simplestchat._native.peer.encoder cimport (
    TALK_SPURTS, TalkModel, VideoModel, talk_model_at, talk_model_init, talk_model_next, video_model_init, video_model_next,
)
from simplestchat._native.peer.payload cimport (
    PAYLOAD_AV1, PAYLOAD_MAX_PREFIX, PAYLOAD_OPUS, PAYLOAD_VP8, PayloadFrame, payload_write,
)
from simplestchat._native.peer.settings cimport (
    PEER_EXT_ABS_SEND_TIME, PEER_EXT_AUDIO_LEVEL, PEER_EXT_COUNT, PEER_EXT_MID, PEER_EXT_REPAIRED_RID, PEER_EXT_RID,
    PEER_MAX_LAYERS, PEER_NAME_SIZE, LayerSettings, SenderSettings,
)
from simplestchat._native.peer.stamp cimport (
    STAMP_FORBIDDEN, STAMP_KEYFRAME, STAMP_LAST, STAMP_SILENCE, STAMP_SIZE, Stamp, stamp_write,
)
from simplestchat._native.stream.cache cimport (
    CachedPacket, PacketCache, cache_commit, cache_data, cache_find, cache_free, cache_init, cache_reserve,
)
from simplestchat._native.stream.send cimport (
    SendStats, send_allocate, send_init, send_packet, send_receiver_report,
)
from simplestchat._native.stream.sent cimport (
    SentPacket, SentRing, sent_find, sent_free, sent_init, sent_may_resend, sent_put,
)
from simplestchat._native.wire.rtcp cimport ReportBlock, SenderInfo
from simplestchat._native.wire.rtp cimport (
    RTP_FIXED_SIZE, RtpExtWriter, rtp_ext_begin, rtp_ext_end, rtp_ext_put, rtp_write_fixed,
)

cdef extern from "string.h" nogil:
    size_t strnlen(const char* text, size_t most)

cdef enum:
    _NEVER = 0x7FFFFFFFFFFFFFFF
    _AUDIO_FRAME_US = 20000
    _DTX_US = 400000             # one packet of comfort noise (RFC 7587 section 3.1.3 as browsers do it)
    _KEYFRAME_GAP_US = 300000    # no keyframe sooner after another, as libwebrtc has it
    _REPORT_US = 1000000
    _NAMED_PACKETS = 100         # at least so many packets say MID and RID, and all until the server was heard
    _SPEECH_LEVEL = 0x80 | 30    # RFC 6464: voice, -30 dBov
    _SILENCE_LEVEL = 127
    _MIN_PAYLOAD = 256           # so that half of one holds any prefix and a stamp
    _MAX_PAYLOAD = 1350          # header extensions, RTX and a seal still fit a datagram
    _MIN_FRAME = PAYLOAD_MAX_PREFIX + STAMP_SIZE
    _MAX_PARTS = 2048
    _MAX_BITRATE = 200000000
    _MAX_SIDE = 16383
    _OSN = 2                     # original sequence number (RFC 4588 section 4)

cdef inline us_t _due(const Sender* s, u64 tick) noexcept nogil:
    if s.settings.video:
        return s.start_us + <us_t> (tick * US_PER_S // s.settings.fps)
    return s.start_us + <us_t> (tick * _AUDIO_FRAME_US)


# The first tick that is due at `at` or later.
cdef u64 _tick_from(const Sender* s, us_t at) noexcept nogil:
    cdef u64 tick
    if at <= s.start_us:
        return 0
    if s.settings.video:
        tick = <u64> (at - s.start_us) * s.settings.fps // US_PER_S
    else:
        tick = <u64> (at - s.start_us) // _AUDIO_FRAME_US
    while _due(s, tick) < at:
        tick += 1
    return tick


cdef bint _possible_layer(const SenderSettings* t, const LayerSettings* layer) noexcept nogil:
    if layer.ssrc == 0 or layer.rtx_ssrc == layer.ssrc or not 1000 <= layer.bitrate_bps <= _MAX_BITRATE:
        return False
    if strnlen(layer.rid, PEER_NAME_SIZE + 1) > PEER_NAME_SIZE or (layer.rtx_ssrc and t.rtx_payload_type < 0):
        return False
    return not t.video or (0 < layer.width <= _MAX_SIDE and 0 < layer.height <= _MAX_SIDE)


cdef bint _possible(const SenderSettings* t) noexcept nogil:
    cdef int i
    if not 1 <= t.layer_count <= PEER_MAX_LAYERS or t.clock_rate == 0 or t.payload_type > 127 or t.rtx_payload_type > 127:
        return False
    if not _MIN_PAYLOAD <= t.max_payload <= _MAX_PAYLOAD or strnlen(t.mid, PEER_NAME_SIZE + 1) > PEER_NAME_SIZE:
        return False
    if t.video and not (1 <= t.fps <= 240 and PAYLOAD_VP8 <= t.codec <= PAYLOAD_AV1):
        return False
    if not t.video and (t.codec != PAYLOAD_OPUS or t.layer_count != 1 or t.talk > TALK_SPURTS):
        return False
    if not t.video and t.talk == TALK_SPURTS and (t.talk_ms == 0 or t.silence_ms == 0):
        return False
    for i in range(t.layer_count):
        if not _possible_layer(t, &t.layers[i]):
            return False
    return True


cdef int _init_encoding(Sender* s, SenderEncoding* e, const LayerSettings* layer, u64* random) noexcept nogil:
    cdef u32 second = layer.bitrate_bps // 8
    cdef u32 slots = 2 * second // s.settings.max_payload + s.settings.fps + 64
    send_init(&e.send, layer.ssrc, s.settings.clock_rate, splitmix(random))
    send_init(&e.rtx, layer.rtx_ssrc, s.settings.clock_rate, splitmix(random))
    e.first_timestamp = <u32> (splitmix(random) >> 32)
    e.active = e.wants_keyframe = 1
    e.report_us = <us_t> _NEVER
    video_model_init(&e.model, splitmix(random), layer.bitrate_bps, s.settings.fps if s.settings.fps else 1)
    if layer.rtx_ssrc == 0:
        return OK
    if cache_init(&e.cache, second if second > 2 * SENDER_BUFFER else 2 * SENDER_BUFFER, slots) < 0:
        return -1
    return sent_init(&e.sent, slots)


cdef Sender* sender_new(const SenderSettings* settings, us_t now) noexcept nogil:
    cdef Sender* s
    cdef u64 random = settings.seed
    cdef us_t interval = US_PER_S // settings.fps if settings.video and settings.fps else _AUDIO_FRAME_US
    cdef int i
    if not _possible(settings):
        return NULL
    s = <Sender*> calloc(1, sizeof(Sender))
    if s is NULL:
        return NULL
    s.settings = settings[0]
    s.at = settings.layer_count
    # Tracks that are made together do not send together.
    s.start_us = now + <us_t> (splitmix(&random) % <u64> interval)
    for i in range(PEER_EXT_COUNT):
        s.two_byte |= settings.ext[i] > 14
    talk_model_init(&s.talk, splitmix(&random), settings.talk, settings.talk_ms, settings.silence_ms,
                    settings.layers[0].bitrate_bps, s.start_us)
    for i in range(settings.layer_count):
        if _init_encoding(s, &s.encodings[i], &s.settings.layers[i], &random) < 0:
            sender_free(s)
            return NULL
    return s


cdef void sender_free(Sender* s) noexcept nogil:
    cdef int i
    if s is NULL:
        return
    for i in range(PEER_MAX_LAYERS):
        cache_free(&s.encodings[i].cache)
        sent_free(&s.encodings[i].sent)
    free(s)


cdef us_t sender_deadline(const Sender* s) noexcept nogil:
    cdef us_t deadline = <us_t> _NEVER
    cdef int i
    if s.at < s.settings.layer_count:
        return s.due_us
    if not s.muted or s.forbidden:
        deadline = _due(s, s.tick)
    for i in range(s.settings.layer_count):
        if s.encodings[i].report_us < deadline:
            deadline = s.encodings[i].report_us
    return deadline


cdef inline void _cut(const Sender* s, SenderEncoding* e, u32 size) noexcept nogil:
    cdef u32 least = _MIN_FRAME if s.settings.video else 1 + STAMP_SIZE
    cdef u32 most = s.settings.max_payload * (<u32> _MAX_PARTS if s.settings.video else 1)
    e.frame_size = least if size < least else (most if size > most else size)
    e.parts = <u16> ((e.frame_size + s.settings.max_payload - 1) // s.settings.max_payload)
    e.part = 0


cdef bint _begin_video(Sender* s) noexcept nogil:
    cdef SenderEncoding* e
    cdef bint any_active = False
    cdef int i
    for i in range(s.settings.layer_count):
        e = &s.encodings[i]
        e.parts = e.part = 0
        if not e.active:
            continue
        any_active = True
        e.keyframe = e.wants_keyframe and (e.keyframe_us == 0 or s.due_us - e.keyframe_us >= _KEYFRAME_GAP_US)
        if e.keyframe:
            e.wants_keyframe = 0
            e.keyframe_us = s.due_us
            s.totals.keyframes += 1
        _cut(s, e, video_model_next(&e.model, e.keyframe))
    return any_active


cdef bint _begin_audio(Sender* s) noexcept nogil:
    cdef SenderEncoding* e = &s.encodings[0]
    cdef bint talking = talk_model_at(&s.talk, s.due_us)
    e.parts = e.part = 0
    if not e.active:
        return False
    e.silence = not talking and s.settings.dtx
    if e.silence:
        # Nothing more happens until the next comfort noise is due or somebody talks.
        s.tick = _tick_from(s, min(s.due_us + _DTX_US, s.talk.until))
    e.marker = talking and not s.spoke
    s.spoke = talking
    _cut(s, e, 0 if e.silence else talk_model_next(&s.talk))
    return True


# The next frame that is due; False when there is none.
cdef bint _begin(Sender* s, us_t now) noexcept nogil:
    cdef bint made = False
    if s.muted and not s.forbidden:
        return False
    while not made:
        s.due_us = _due(s, s.tick)
        if s.due_us > now:
            return False
        s.tick += 1
        made = _begin_video(s) if s.settings.video else _begin_audio(s)
    s.frame = s.frames
    s.frames += 1
    s.totals.frames += 1
    s.at = 0
    return True


cdef inline void _put_name(RtpExtWriter* w, u8 id, const char* name) noexcept nogil:
    cdef size_t size = strnlen(name, PEER_NAME_SIZE)
    if id and size:
        rtp_ext_put(w, id, <const u8*> name, <u8> size)


# The header extensions behind the fixed header: where the payload begins. `rid` is the extension that the encoding's name goes into.
cdef int _write_extensions(Sender* s, const SenderEncoding* e, const LayerSettings* layer, bint named, int rid, us_t now) noexcept nogil:
    cdef const u8* ext = s.settings.ext
    cdef RtpExtWriter w
    cdef u8 value[3]
    rtp_ext_begin(&w, s.buffer, SENDER_BUFFER, RTP_FIXED_SIZE, s.two_byte)
    if named:
        _put_name(&w, ext[PEER_EXT_MID], s.settings.mid)
        _put_name(&w, ext[rid], layer.rid)
    if ext[PEER_EXT_AUDIO_LEVEL] and not s.settings.video:
        value[0] = _SPEECH_LEVEL if s.spoke else _SILENCE_LEVEL
        rtp_ext_put(&w, ext[PEER_EXT_AUDIO_LEVEL], value, 1)
    if ext[PEER_EXT_ABS_SEND_TIME]:
        put24(value, <u32> (ticks_of(now, 1 << 18) & 0xFFFFFF))
        rtp_ext_put(&w, ext[PEER_EXT_ABS_SEND_TIME], value, 3)
    if w.pos == RTP_FIXED_SIZE + 4:
        return RTP_FIXED_SIZE
    s.buffer[0] |= 0x10
    return rtp_ext_end(&w)


cdef void _fill_payload(Sender* s, SenderEncoding* e, const LayerSettings* layer, u8* out, u32 size) noexcept nogil:
    cdef PayloadFrame frame
    cdef Stamp stamp
    cdef int prefix
    frame.codec = s.settings.codec
    frame.keyframe = e.keyframe
    frame.first = e.part == 0
    frame.last = e.part + 1 == e.parts
    frame.temporal_layer = frame.spatial_layer = 0
    frame.width = layer.width
    frame.height = layer.height
    frame.picture_id = s.frame
    prefix = payload_write(out, PAYLOAD_MAX_PREFIX, &frame)
    stamp.user = s.settings.user
    stamp.track = s.settings.track
    stamp.layer = s.at
    stamp.flags = (STAMP_KEYFRAME if e.keyframe else 0) | (STAMP_LAST if frame.last else 0)
    stamp.flags |= (STAMP_FORBIDDEN if s.muted else 0) | (STAMP_SILENCE if e.silence else 0)
    stamp.frame = s.frame
    stamp.part = e.part
    stamp.parts = e.parts
    stamp.counter = e.counter
    stamp.sent_us = s.due_us
    stamp_write(out + prefix, size - prefix, &stamp)


cdef void _remember(Sender* s, SenderEncoding* e, const Outgoing* out) noexcept nogil:
    cdef CachedPacket* packet
    cdef u8* room = cache_reserve(&e.cache, out.size)
    if room is NULL:
        return
    memcpy(room, out.data, out.size)
    packet = cache_commit(&e.cache, out.index, <u16> out.size)
    packet.header_size = <u16> out.header_size
    sent_put(&e.sent, out.index, s.at, out.index, 0)


cdef void _count(Sender* s, SenderEncoding* e, u32 payload_size) noexcept nogil:
    send_packet(&e.send, payload_size)
    s.totals.packets += 1
    s.totals.bytes += payload_size
    if s.muted:
        s.totals.forbidden += 1
    else:
        e.counter += 1
    if e.report_us == <us_t> _NEVER:
        e.report_us = s.due_us
    e.part += 1


cdef void _emit(Sender* s, SenderEncoding* e, us_t now, Outgoing* out) noexcept nogil:
    cdef const LayerSettings* layer = &s.settings.layers[s.at]
    cdef u32 size = e.frame_size // e.parts + (1 if e.part < e.frame_size % e.parts else 0)
    cdef u32 timestamp = e.first_timestamp + <u32> ticks_of(s.due_us - s.start_us, s.settings.clock_rate)
    cdef bint marker = e.part + 1 == e.parts if s.settings.video else e.marker
    cdef bint named = not e.heard or e.send.packets < _NAMED_PACKETS or e.keyframe
    out.index = send_allocate(&e.send)
    rtp_write_fixed(s.buffer, SENDER_BUFFER, s.settings.payload_type, marker, <u16> (out.index & 0xFFFF), timestamp, layer.ssrc, False, False)
    out.header_size = _write_extensions(s, e, layer, named, PEER_EXT_RID, now)
    _fill_payload(s, e, layer, s.buffer + out.header_size, size)
    out.data = s.buffer
    out.size = out.header_size + size
    out.due_us = s.due_us
    if layer.rtx_ssrc:
        _remember(s, e, out)
    _count(s, e, size)


cdef bint sender_next(Sender* s, us_t now, Outgoing* out) noexcept nogil:
    cdef SenderEncoding* e
    while True:
        while s.at < s.settings.layer_count:
            e = &s.encodings[s.at]
            if e.part < e.parts:
                _emit(s, e, now, out)
                return True
            s.at += 1
        if not _begin(s, now):
            return False


cdef SenderEncoding* _find(Sender* s, u32 ssrc) noexcept nogil:
    cdef int i
    for i in range(s.settings.layer_count):
        if s.settings.layers[i].ssrc == ssrc:
            return &s.encodings[i]
    return NULL


cdef bint sender_resend(Sender* s, u32 ssrc, u16 sequence, us_t now, Outgoing* out) noexcept nogil:
    cdef SenderEncoding* e = _find(s, ssrc)
    cdef const LayerSettings* layer
    cdef SentPacket* sent
    cdef CachedPacket* packet
    cdef u8* source
    cdef u32 size
    if e is NULL:
        return False
    s.totals.nacks += 1
    layer = &s.settings.layers[e - s.encodings]
    if layer.rtx_ssrc == 0:
        return False
    sent = sent_find(&e.sent, sequence, e.send.next_index)
    packet = cache_find(&e.cache, sent.out_index) if sent is not NULL else NULL
    if packet is NULL or not sent_may_resend(sent, now, e.send.rtt_us):
        return False
    source = cache_data(&e.cache, packet)
    out.index = send_allocate(&e.rtx)
    # Payload type and sequence are RTX's own; marker and timestamp are the packet's (RFC 4588 section 4).
    rtp_write_fixed(s.buffer, SENDER_BUFFER, <u8> s.settings.rtx_payload_type, source[1] >> 7, <u16> (out.index & 0xFFFF), 0,
                    layer.rtx_ssrc, False, False)
    memcpy(s.buffer + 4, source + 4, 4)
    out.header_size = _write_extensions(s, e, layer, True, PEER_EXT_REPAIRED_RID, now)
    put16(s.buffer + out.header_size, sequence)
    size = packet.size - packet.header_size
    memcpy(s.buffer + out.header_size + _OSN, source + packet.header_size, size)
    out.data = s.buffer
    out.size = out.header_size + _OSN + size
    out.due_us = now
    send_packet(&e.rtx, _OSN + size)
    e.send.resent += 1
    s.totals.resent += 1
    return True


cdef void sender_keyframe(Sender* s, u32 ssrc, us_t now) noexcept nogil:
    cdef int i
    cdef bint known = False
    for i in range(s.settings.layer_count):
        if s.settings.video and (ssrc == 0 or s.settings.layers[i].ssrc == ssrc):
            s.encodings[i].wants_keyframe = 1
            known = True
    if known:
        s.totals.keyframe_requests += 1


cdef bint sender_report(Sender* s, us_t now, u64 ntp_now, SenderInfo* out) noexcept nogil:
    cdef SenderEncoding* e
    cdef int i
    for i in range(s.settings.layer_count):
        e = &s.encodings[i]
        if e.report_us > now:
            continue
        e.report_us = now + _REPORT_US
        out.ssrc = s.settings.layers[i].ssrc
        out.ntp = ntp_now
        out.rtp_timestamp = e.first_timestamp + <u32> ticks_of(now - s.start_us, s.settings.clock_rate)
        out.packets = <u32> e.send.packets
        out.octets = <u32> e.send.octets
        return True
    return False


cdef void sender_heard(Sender* s, const ReportBlock* block, u64 ntp_now, us_t now) noexcept nogil:
    cdef int i
    for i in range(s.settings.layer_count):
        if s.settings.layers[i].ssrc == block.ssrc:
            s.encodings[i].heard = 1
            send_receiver_report(&s.encodings[i].send, block, ntp_now, now)
        elif s.settings.layers[i].rtx_ssrc and s.settings.layers[i].rtx_ssrc == block.ssrc:
            send_receiver_report(&s.encodings[i].rtx, block, ntp_now, now)


cdef void _want_keyframes(Sender* s) noexcept nogil:
    cdef int i
    for i in range(s.settings.layer_count):
        s.encodings[i].wants_keyframe = 1
        s.encodings[i].keyframe_us = 0


cdef void sender_mute(Sender* s, bint muted, bint forbidden, us_t now) noexcept nogil:
    cdef bint was_silent = s.muted and not s.forbidden
    forbidden = muted and forbidden
    if s.muted == muted and s.forbidden == forbidden:
        return
    s.at = s.settings.layer_count                # the rest of a frame is not sent
    s.muted = muted
    s.forbidden = forbidden
    s.spoke = False
    if was_silent or s.tick == 0:
        s.tick = max(s.tick, _tick_from(s, now))
    _want_keyframes(s)


cdef void sender_layers(Sender* s, u8 mask, us_t now) noexcept nogil:
    cdef SenderEncoding* e
    cdef u8 active
    cdef int i
    for i in range(s.settings.layer_count):
        e = &s.encodings[i]
        active = (mask >> i) & 1
        if active and not e.active:
            e.wants_keyframe = 1
            e.keyframe_us = 0
        if not active:
            e.parts = e.part = 0
        e.active = active


cdef void sender_totals(const Sender* s, SenderTotals* out) noexcept nogil:
    cdef int i
    out[0] = s.totals
    out.reported_lost = 0
    memset(out.counters, 0, sizeof(out.counters))
    for i in range(s.settings.layer_count):
        out.counters[i] = s.encodings[i].counter
        if s.encodings[i].send.cumulative_lost > 0:
            out.reported_lost += s.encodings[i].send.cumulative_lost


cdef size_t sender_footprint(const Sender* s, size_t* caches) noexcept nogil:
    cdef const SenderEncoding* e
    cdef int i
    caches[0] = 0
    for i in range(s.settings.layer_count):
        e = &s.encodings[i]
        if s.settings.layers[i].rtx_ssrc:
            caches[0] += e.cache.capacity + (e.cache.slot_mask + 1) * sizeof(CachedPacket) + (e.sent.mask + 1) * sizeof(SentPacket)
    return sizeof(Sender) + caches[0]


cdef const SenderSettings* sender_settings(const Sender* s) noexcept nogil:
    return &s.settings
