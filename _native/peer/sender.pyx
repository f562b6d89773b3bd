"""Published tracks of synthetic users; see sender.pxd for the contract."""

from libc.stdlib cimport calloc, free
from libc.string cimport memset
from simplestchat._native.core.siphash cimport splitmix
from simplestchat._native.core.ticks cimport ticks_of
from simplestchat._native.core.types cimport E_MALFORMED, OK, US_PER_S, u8, u16, u32, u64, us_t
from simplestchat._native.peer.encoder cimport (
    TALK_ALWAYS, TALK_NEVER, TALK_SPURTS, talk_model_at, talk_model_init, talk_model_next, talk_model_rate, talk_model_set,
)
from simplestchat._native.peer.encoding cimport (
    ENCODING_MAX_PAYLOAD, ENCODING_MIN_PAYLOAD, Encoding, Outgoing, encoding_caches, encoding_cut, encoding_free, encoding_init,
    encoding_picture, encoding_rate, encoding_resend, encoding_write,
)
from simplestchat._native.peer.payload cimport PAYLOAD_AV1, PAYLOAD_H264, PAYLOAD_OPUS, PAYLOAD_VP8
from simplestchat._native.peer.scalability cimport SCALABILITY_MAX, Scalability, scalability_layered
from simplestchat._native.peer.settings cimport PEER_EXT_DEPENDENCY, PEER_MAX_LAYERS, PEER_NAME_SIZE, LayerSettings, SenderSettings
from simplestchat._native.stream.send cimport send_receiver_report
from simplestchat._native.wire.rtcp cimport ReportBlock, SenderInfo

cdef extern from "string.h" nogil:
    size_t strnlen(const char* text, size_t most)

cdef enum:
    _NEVER = 0x7FFFFFFFFFFFFFFF
    _AUDIO_FRAME_US = 20000
    _DTX_US = 400000             # between two packets of comfort noise, as browsers do it
    _KEYFRAME_GAP_US = 300000    # no keyframe sooner after another, as libwebrtc has it
    _REPORT_US = 1000000
    _SPEECH_LEVEL = 0x80 | 30    # RFC 6464: voice, -30 dBov
    _SILENCE_LEVEL = 127
    _MAX_BITRATE = 200000000
    _MAX_SIDE = 16383
    _MAX_FPS = 240


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


cdef inline bint _possible_bitrate(u32 bitrate_bps) noexcept nogil:
    return 1000 <= bitrate_bps <= _MAX_BITRATE


cdef bint _possible_layer(const SenderSettings* t, const LayerSettings* layer) noexcept nogil:
    if layer.ssrc == 0 or layer.rtx_ssrc == layer.ssrc or not _possible_bitrate(layer.bitrate_bps):
        return False
    if strnlen(layer.rid, PEER_NAME_SIZE + 1) > PEER_NAME_SIZE or (layer.rtx_ssrc and t.rtx_payload_type < 0):
        return False
    return not t.video or (0 < layer.width <= _MAX_SIDE and 0 < layer.height <= _MAX_SIDE)


cdef bint _possible_scalability(const SenderSettings* t) noexcept nogil:
    cdef const Scalability* m = &t.scalability
    if not t.video or not 1 <= m.spatial <= SCALABILITY_MAX or not 1 <= m.temporal <= SCALABILITY_MAX or t.codec == PAYLOAD_H264:
        return False
    if t.codec == PAYLOAD_AV1 and t.ext[PEER_EXT_DEPENDENCY] == 0:
        return False
    return m.spatial == 1 or (t.codec != PAYLOAD_VP8 and t.layer_count == 1 and min(t.layers[0].width, t.layers[0].height) >= 4)


cdef bint _possible(const SenderSettings* t) noexcept nogil:
    cdef int i
    if not 1 <= t.layer_count <= PEER_MAX_LAYERS or t.clock_rate == 0 or t.payload_type > 127 or t.rtx_payload_type > 127:
        return False
    if not ENCODING_MIN_PAYLOAD <= t.max_payload <= ENCODING_MAX_PAYLOAD or strnlen(t.mid, PEER_NAME_SIZE + 1) > PEER_NAME_SIZE:
        return False
    if t.video and not (1 <= t.fps <= _MAX_FPS and PAYLOAD_VP8 <= t.codec <= PAYLOAD_AV1):
        return False
    if not t.video and (t.codec != PAYLOAD_OPUS or t.layer_count != 1 or t.talk > TALK_SPURTS):
        return False
    if not t.video and t.talk == TALK_SPURTS and (t.talk_ms == 0 or t.silence_ms == 0):
        return False
    for i in range(t.layer_count):
        if not _possible_layer(t, &t.layers[i]):
            return False
    return not scalability_layered(&t.scalability) or _possible_scalability(t)


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
    talk_model_init(&s.talk, splitmix(&random), settings.talk, settings.talk_ms, settings.silence_ms,
                    settings.layers[0].bitrate_bps, s.start_us)
    for i in range(settings.layer_count):
        if encoding_init(&s.encodings[i], &s.settings, i, &random) < 0:
            sender_free(s)
            return NULL
    return s


cdef void sender_free(Sender* s) noexcept nogil:
    cdef int i
    if s is NULL:
        return
    for i in range(PEER_MAX_LAYERS):
        encoding_free(&s.encodings[i])
    free(s)


cdef us_t sender_deadline(const Sender* s) noexcept nogil:
    cdef us_t deadline = <us_t> _NEVER
    cdef int i
    if s.at < s.settings.layer_count:
        return s.moment.due_us
    if not s.muted or s.forbidden:
        deadline = _due(s, s.tick)
    for i in range(s.settings.layer_count):
        if s.encodings[i].report_us < deadline:
            deadline = s.encodings[i].report_us
    return deadline


cdef bint _begin_video(Sender* s) noexcept nogil:
    cdef Encoding* e
    cdef bint any_active = False
    cdef int i
    for i in range(s.settings.layer_count):
        e = &s.encodings[i]
        e.parts = e.part = 0
        if not e.active:
            continue
        any_active = True
        e.keyframe = e.wants_keyframe and (e.keyframe_us == 0 or s.moment.due_us - e.keyframe_us >= _KEYFRAME_GAP_US)
        if e.keyframe:
            e.wants_keyframe = 0
            e.keyframe_us = s.moment.due_us
            s.totals.keyframes += 1
        encoding_picture(e, &s.settings, s.frames)
    return any_active


cdef bint _begin_audio(Sender* s) noexcept nogil:
    cdef Encoding* e = &s.encodings[0]
    cdef bint talking = talk_model_at(&s.talk, s.moment.due_us)
    e.parts = e.part = 0
    if not e.active:
        return False
    e.silence = not talking and s.settings.dtx
    if e.silence:
        # Nothing more happens until the next comfort noise is due or somebody talks.
        s.tick = _tick_from(s, min(s.moment.due_us + _DTX_US, s.talk.until))
    e.marker = talking and not s.spoke
    s.spoke = talking
    s.moment.level = _SPEECH_LEVEL if talking else _SILENCE_LEVEL
    encoding_cut(e, &s.settings, 0 if e.silence else talk_model_next(&s.talk))
    return True


# The next frame that is due; False when there is none.
cdef bint _begin(Sender* s, us_t now) noexcept nogil:
    cdef bint made = False
    cdef us_t due
    if s.muted and not s.forbidden:
        return False
    while not made:
        due = _due(s, s.tick)
        if due > now:
            return False
        s.moment.due_us = due
        s.tick += 1
        made = _begin_video(s) if s.settings.video else _begin_audio(s)
    s.moment.elapsed_us = s.moment.due_us - s.start_us
    s.moment.frame = s.frames
    s.moment.forbidden = s.muted
    s.frames += 1
    s.totals.frames += 1
    s.at = 0
    return True


cdef bint sender_next(Sender* s, us_t now, Outgoing* out) noexcept nogil:
    cdef Encoding* e
    while True:
        while s.at < s.settings.layer_count:
            e = &s.encodings[s.at]
            if e.part < e.parts:
                encoding_write(e, &s.settings, s.at, &s.moment, now, s.buffer, out)
                s.totals.packets += 1
                s.totals.bytes += out.size - out.header_size
                s.totals.forbidden += s.moment.forbidden
                return True
            s.at += 1
        if not _begin(s, now):
            return False


cdef bint sender_resend(Sender* s, u32 ssrc, u16 sequence, us_t now, Outgoing* out) noexcept nogil:
    cdef int i
    for i in range(s.settings.layer_count):
        if s.settings.layers[i].ssrc == ssrc:
            s.totals.nacks += 1
            if not encoding_resend(&s.encodings[i], &s.settings, i, sequence, s.moment.level, now, s.buffer, out):
                return False
            s.totals.resent += 1
            return True
    return False


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
    cdef Encoding* e
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


cdef void sender_talk(Sender* s, bint talking, us_t now) noexcept nogil:
    if s.settings.video:
        return
    talk_model_set(&s.talk, talking)
    s.settings.talk = TALK_ALWAYS if talking else TALK_NEVER
    if talking and s.tick:
        # The next comfort noise may be far away; but no time is used twice.
        s.tick = min(s.tick, _tick_from(s, max(now, s.moment.due_us + 1)))


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


cdef inline u8 _highest(u8 mask, u8 most) noexcept nogil:
    """How many layers are sent so that all of the mask are."""
    while most > 1 and not mask >> (most - 1) & 1:
        most -= 1
    return most


cdef void sender_layers(Sender* s, u8 mask, us_t now) noexcept nogil:
    cdef Encoding* e
    cdef u8 active, spatial
    cdef int i
    for i in range(s.settings.layer_count):
        e = &s.encodings[i]
        active = (mask >> i) & 1
        if s.settings.scalability.spatial > 1:
            active = mask != 0
            spatial = _highest(mask, s.settings.scalability.spatial)
            if active and spatial > e.spatial_active:
                e.active = 0                   # what begins needs a keyframe
            e.spatial_active = spatial if active else e.spatial_active
        if active and not e.active:
            e.wants_keyframe = 1
            e.keyframe_us = 0
        if not active:
            e.parts = e.part = 0
        e.active = active


cdef int sender_bitrate(Sender* s, u8 layer, u32 bitrate_bps) noexcept nogil:
    cdef u8 spatial = layer if s.settings.scalability.spatial > 1 else 0
    layer -= spatial
    if layer >= s.settings.layer_count or spatial >= max(s.settings.scalability.spatial, <u8> 1) or not _possible_bitrate(bitrate_bps):
        return E_MALFORMED
    if not s.settings.video:
        talk_model_rate(&s.talk, bitrate_bps)
    if s.settings.scalability.spatial <= 1:
        s.settings.layers[layer].bitrate_bps = bitrate_bps
    encoding_rate(&s.encodings[layer], &s.settings, layer, spatial, bitrate_bps)
    return OK


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
    cdef int i
    caches[0] = 0
    for i in range(s.settings.layer_count):
        caches[0] += encoding_caches(&s.encodings[i])
    return sizeof(Sender) + caches[0]


cdef const SenderSettings* sender_settings(const Sender* s) noexcept nogil:
    return &s.settings
