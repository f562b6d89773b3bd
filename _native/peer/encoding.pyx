"""Packets of one encoding; see encoding.pxd for the contract."""

from libc.string cimport memcpy, memset
from simplestchat._native.core.bytes cimport put16, put24
from simplestchat._native.core.siphash cimport splitmix
from simplestchat._native.core.ticks cimport ticks_of
from simplestchat._native.core.types cimport OK, u8, u16, u32, u64, us_t
from simplestchat._native.peer.encoder cimport video_model_init, video_model_next, video_model_rate
from simplestchat._native.peer.payload cimport PAYLOAD_AV1, PAYLOAD_MAX_PREFIX, PayloadFrame, payload_write
from simplestchat._native.peer.scalability cimport (
    SCALABILITY_MAX_DESCRIPTOR, Scalability, scalability_descriptor, scalability_inter_layer, scalability_layered, scalability_picture,
    scalability_share, scalability_weight,
)
from simplestchat._native.peer.settings cimport (
    PEER_EXT_ABS_SEND_TIME, PEER_EXT_AUDIO_LEVEL, PEER_EXT_COUNT, PEER_EXT_DEPENDENCY, PEER_EXT_MID, PEER_EXT_REPAIRED_RID, PEER_EXT_RID,
    PEER_EXT_TRANSPORT_CC, PEER_NAME_SIZE, LayerSettings, SenderSettings,
)
from simplestchat._native.peer.stamp cimport (
    STAMP_FORBIDDEN, STAMP_KEYFRAME, STAMP_LAST, STAMP_SILENCE, STAMP_SIZE, Stamp, stamp_write,
)
from simplestchat._native.stream.cache cimport (
    CachedPacket, cache_bytes, cache_commit, cache_data, cache_find, cache_free, cache_init, cache_reserve,
)
from simplestchat._native.stream.send cimport send_allocate, send_init, send_packet
from simplestchat._native.stream.sent cimport SentPacket, sent_bytes, sent_find, sent_free, sent_init, sent_may_resend, sent_put
from simplestchat._native.wire.rtp cimport (
    RTP_FIXED_SIZE, RtpExt, RtpExtWriter, RtpView, rtp_ext_begin, rtp_ext_end, rtp_ext_find, rtp_ext_put, rtp_parse, rtp_write_fixed,
)

cdef extern from "string.h" nogil:
    size_t strnlen(const char* text, size_t most)

cdef enum:
    _NEVER = 0x7FFFFFFFFFFFFFFF
    _MIN_FRAME = PAYLOAD_MAX_PREFIX + STAMP_SIZE
    _MAX_PARTS = 2048
    _ONE_BYTE_MAX_ID = 14
    _BLOCK = 8192                # of the cache of what may be asked for again
    _KEEP_US = 2000000
    _OSN = 2                     # original sequence number (RFC 4588 section 4)

# A dependency descriptor, size 0: none.
cdef struct Descriptor:
    const u8* data
    u8 size


cdef inline bint _described(const SenderSettings* settings) noexcept nogil:
    """Do its packets carry dependency descriptors?"""
    return settings.codec == PAYLOAD_AV1 and settings.ext[PEER_EXT_DEPENDENCY] != 0 and scalability_layered(&settings.scalability)


cdef void _cache(Encoding* e, const SenderSettings* settings, u32 bitrate_bps) noexcept nogil:
    """Room for what may be asked for again at this bitrate."""
    cdef u32 second = bitrate_bps // 8, kept = second + second // 4          # room for headers and a keyframe
    # Parts are at least half as large as they may be, but for the last of a small frame.
    cdef u32 slots = 2 * kept // settings.max_payload + settings.fps + 64
    cache_init(&e.cache, _BLOCK, max(2, kept // <u32> _BLOCK + 1), slots, <us_t> _KEEP_US)
    sent_init(&e.sent, slots)
    e.cached_bps = bitrate_bps


cdef int encoding_init(Encoding* e, const SenderSettings* settings, u8 layer, u64* random) noexcept nogil:
    cdef const LayerSettings* l = &settings.layers[layer]
    cdef u64 seed
    cdef int i
    send_init(&e.send, l.ssrc, settings.clock_rate, splitmix(random))
    send_init(&e.rtx, l.rtx_ssrc, settings.clock_rate, splitmix(random))
    e.first_timestamp = <u32> (splitmix(random) >> 32)
    e.active = e.wants_keyframe = 1
    e.report_us = <us_t> _NEVER
    for i in range(PEER_EXT_COUNT):
        e.two_byte |= settings.ext[i] > _ONE_BYTE_MAX_ID
    e.two_byte |= _described(settings)         # it is longer than a short element
    seed = splitmix(random)
    for i in range(max(<u8> 1, settings.scalability.spatial)):
        video_model_init(&e.models[i], seed + i, <u32> (l.bitrate_bps * scalability_share(&settings.scalability, i)),
                         settings.fps if settings.fps else 1)
    e.spatial_active = settings.scalability.spatial if scalability_layered(&settings.scalability) else 0
    if l.rtx_ssrc:
        _cache(e, settings, l.bitrate_bps)
    return OK


cdef void encoding_rate(Encoding* e, const SenderSettings* settings, u8 layer, u8 spatial, u32 bitrate_bps) noexcept nogil:
    video_model_rate(&e.models[spatial], bitrate_bps, settings.fps if settings.fps else 1)
    if settings.layers[layer].rtx_ssrc and bitrate_bps > e.cached_bps:
        encoding_free(e)
        _cache(e, settings, min(bitrate_bps, <u32> 0x7FFFFFFF) * 2)


cdef void encoding_free(Encoding* e) noexcept nogil:
    cache_free(&e.cache)
    sent_free(&e.sent)


cdef size_t encoding_caches(const Encoding* e) noexcept nogil:
    return cache_bytes(&e.cache) + sent_bytes(&e.sent)


cdef void encoding_cut(Encoding* e, const SenderSettings* settings, u32 size) noexcept nogil:
    cdef u32 least = _MIN_FRAME if settings.video else 1 + STAMP_SIZE
    cdef u32 most = settings.max_payload * (<u32> _MAX_PARTS if settings.video else 1)
    e.frame_size = least if size < least else (most if size > most else size)
    e.parts = <u16> ((e.frame_size + settings.max_payload - 1) // settings.max_payload)
    e.part = 0


cdef void _cut_layer(Encoding* e, const SenderSettings* settings) noexcept nogil:
    """The frame of the present spatial layer."""
    cdef double weight = scalability_weight(&settings.scalability, e.picture.temporal)
    encoding_cut(e, settings, <u32> (video_model_next(&e.models[e.spatial], e.keyframe) * weight))


cdef void encoding_picture(Encoding* e, const SenderSettings* settings, u32 number) noexcept nogil:
    e.spatial = 0
    if e.spatial_active == 0:
        encoding_cut(e, settings, video_model_next(&e.models[0], e.keyframe))
        return
    if e.keyframe:
        e.key_picture = number
    scalability_picture(&settings.scalability, number - e.key_picture, &e.picture)
    e.base_pictures += e.picture.temporal == 0
    _cut_layer(e, settings)


cdef inline void _put_name(RtpExtWriter* w, u8 id, const char* name) noexcept nogil:
    cdef size_t size = strnlen(name, PEER_NAME_SIZE)
    if id and size:
        rtp_ext_put(w, id, <const u8*> name, <u8> size)


cdef void _describe(const Encoding* e, const SenderSettings* settings, u8 layer, u32 picture, u8* room, Descriptor* out) noexcept nogil:
    """The descriptor of the next packet, if it has one."""
    cdef bint begins = e.keyframe and e.spatial == 0 and e.part == 0
    cdef int size = 0
    if _described(settings):
        size = scalability_descriptor(
            room, SCALABILITY_MAX_DESCRIPTOR, &settings.scalability, &e.picture, picture, e.key_picture, e.spatial,
            e.part == 0, e.part + 1 == e.parts, e.spatial_active, begins, settings.layers[layer].width, settings.layers[layer].height)
    out.data = room
    out.size = <u8> max(size, 0)


cdef void _describe_again(const SenderSettings* settings, const u8* packet, u32 size, Descriptor* out) noexcept nogil:
    """The descriptor that a packet was sent with."""
    cdef RtpView view
    cdef RtpExt ext
    out.size = 0
    if _described(settings) and rtp_parse(packet, size, &view) == OK:
        if rtp_ext_find(packet, &view, settings.ext[PEER_EXT_DEPENDENCY], &ext):
            out.data = packet + ext.off
            out.size = ext.size


# The header extensions behind the fixed header: where the payload begins. `rid` is the extension that the encoding's name goes into,
# a negative one says that it is known by now.
cdef int _write_extensions(const Encoding* e, const SenderSettings* settings, u8 layer, int rid, u8 level, const Descriptor* descriptor, us_t now,
                           u8* buffer, u32* number_off) noexcept nogil:
    cdef RtpExtWriter w
    cdef u8 value[3]
    number_off[0] = 0
    rtp_ext_begin(&w, buffer, ENCODING_BUFFER, RTP_FIXED_SIZE, e.two_byte)
    if rid >= 0:
        _put_name(&w, settings.ext[PEER_EXT_MID], settings.mid)
        _put_name(&w, settings.ext[rid], settings.layers[layer].rid)
    if settings.ext[PEER_EXT_AUDIO_LEVEL] and not settings.video:
        rtp_ext_put(&w, settings.ext[PEER_EXT_AUDIO_LEVEL], &level, 1)
    if settings.ext[PEER_EXT_ABS_SEND_TIME]:
        put24(value, <u32> (ticks_of(now, 1 << 18) & 0xFFFFFF))
        rtp_ext_put(&w, settings.ext[PEER_EXT_ABS_SEND_TIME], value, 3)
    if settings.ext[PEER_EXT_TRANSPORT_CC]:
        put16(value, 0)
        rtp_ext_put(&w, settings.ext[PEER_EXT_TRANSPORT_CC], value, 2)
        number_off[0] = <u32> w.pos - 2
    if descriptor.size:
        rtp_ext_put(&w, settings.ext[PEER_EXT_DEPENDENCY], descriptor.data, descriptor.size)
    if w.pos == w.start + 4:
        return RTP_FIXED_SIZE
    buffer[0] |= 0x10
    return rtp_ext_end(&w)


cdef inline void _fill_layers(const Encoding* e, const SenderSettings* settings, PayloadFrame* frame, Stamp* stamp) noexcept nogil:
    cdef const Scalability* m = &settings.scalability
    frame.layered = stamp.layered = e.spatial_active != 0
    if not frame.layered:
        return
    frame.temporal_layer = stamp.temporal = e.picture.temporal
    frame.spatial_layer = stamp.spatial = e.spatial
    frame.spatial_count = stamp.spatial_count = m.spatial
    frame.temporal_count = m.temporal
    frame.base_pictures = e.base_pictures
    frame.sync = e.picture.sync
    frame.inter_layer = stamp.inter_layer = scalability_inter_layer(m, e.spatial, e.keyframe)
    frame.unused_above = e.spatial + 1 >= m.spatial or (m.key and not e.keyframe)
    stamp.back = e.picture.back


cdef void _fill_payload(const Encoding* e, const SenderSettings* settings, u8 layer, const Moment* moment, u8* out, u32 size) noexcept nogil:
    cdef PayloadFrame frame
    cdef Stamp stamp
    cdef int prefix
    memset(&frame, 0, sizeof(frame))
    memset(&stamp, 0, sizeof(stamp))
    frame.codec = settings.codec
    frame.keyframe = e.keyframe
    frame.first = e.part == 0
    frame.last = e.part + 1 == e.parts
    _fill_layers(e, settings, &frame, &stamp)
    frame.width = settings.layers[layer].width
    frame.height = settings.layers[layer].height
    frame.picture_id = moment.frame
    prefix = payload_write(out, PAYLOAD_MAX_PREFIX, &frame)
    stamp.user = settings.user
    stamp.track = settings.track
    stamp.layer = layer
    stamp.flags = (STAMP_KEYFRAME if e.keyframe else 0) | (STAMP_LAST if frame.last else 0)
    stamp.flags |= (STAMP_FORBIDDEN if moment.forbidden else 0) | (STAMP_SILENCE if e.silence else 0)
    stamp.frame = moment.frame
    stamp.part = e.part
    stamp.parts = e.parts
    stamp.counter = e.counter
    stamp.sent_us = moment.due_us
    stamp_write(out + prefix, size - prefix, &stamp)


cdef void _remember(Encoding* e, u8 layer, const Outgoing* out, us_t now) noexcept nogil:
    cdef CachedPacket* packet
    cdef u8* room = cache_reserve(&e.cache, out.size, now)
    if room is NULL:
        return
    memcpy(room, out.data, out.size)
    packet = cache_commit(&e.cache, out.index, <u16> out.size)
    packet.header_size = <u16> out.header_size
    sent_put(&e.sent, out.index, layer, out.index, 0, 0, now)


cdef void encoding_write(Encoding* e, const SenderSettings* settings, u8 layer, const Moment* moment, us_t now, u8* buffer, Outgoing* out) noexcept nogil:
    cdef u32 size = e.frame_size // e.parts + (1 if e.part < e.frame_size % e.parts else 0)
    cdef u32 timestamp = e.first_timestamp + <u32> ticks_of(moment.elapsed_us, settings.clock_rate)
    cdef bint ends = e.part + 1 == e.parts             # its frame
    cdef bint marker = ends and e.spatial + 1 >= e.spatial_active if settings.video else e.marker
    cdef bint named = not e.heard or e.send.packets < ENCODING_NAMED or e.keyframe
    cdef u8 room[SCALABILITY_MAX_DESCRIPTOR]
    cdef Descriptor descriptor
    _describe(e, settings, layer, moment.frame, room, &descriptor)
    out.index = send_allocate(&e.send)
    rtp_write_fixed(buffer, ENCODING_BUFFER, settings.payload_type, marker, <u16> (out.index & 0xFFFF), timestamp, e.send.ssrc, False, False)
    out.header_size = _write_extensions(e, settings, layer, PEER_EXT_RID if named else -1, moment.level, &descriptor,
                                        now, buffer, &out.number_off)
    _fill_payload(e, settings, layer, moment, buffer + out.header_size, size)
    out.data = buffer
    out.size = out.header_size + size
    out.due_us = moment.due_us
    if settings.layers[layer].rtx_ssrc:
        _remember(e, layer, out, now)
    send_packet(&e.send, size)
    if not moment.forbidden:
        e.counter += 1
    if e.report_us == <us_t> _NEVER:
        e.report_us = moment.due_us
    e.part += 1
    if ends and e.spatial + 1 < e.spatial_active:
        e.spatial += 1
        _cut_layer(e, settings)


cdef bint encoding_resend(Encoding* e, const SenderSettings* settings, u8 layer, u16 sequence, u8 level, us_t now, u8* buffer,
                          Outgoing* out) noexcept nogil:
    cdef SentPacket* sent
    cdef CachedPacket* packet
    cdef u8* source
    cdef Descriptor descriptor
    cdef u32 size
    if settings.layers[layer].rtx_ssrc == 0:
        return False
    sent = sent_find(&e.sent, sequence, e.send.next_index)
    packet = cache_find(&e.cache, sent.out_index) if sent is not NULL else NULL
    if packet is NULL or not sent_may_resend(sent, now, e.send.rtt_us):
        return False
    source = cache_data(&e.cache, packet)
    _describe_again(settings, source, packet.size, &descriptor)
    out.index = send_allocate(&e.rtx)
    # Payload type, sequence and SSRC are RTX's own; marker and timestamp are the packet's.
    rtp_write_fixed(buffer, ENCODING_BUFFER, <u8> settings.rtx_payload_type, source[1] >> 7, <u16> (out.index & 0xFFFF), 0, e.rtx.ssrc,
                    False, False)
    memcpy(buffer + 4, source + 4, 4)
    out.header_size = _write_extensions(e, settings, layer, PEER_EXT_REPAIRED_RID, level, &descriptor, now, buffer, &out.number_off)
    put16(buffer + out.header_size, sequence)
    size = packet.size - packet.header_size
    memcpy(buffer + out.header_size + _OSN, source + packet.header_size, size)
    out.data = buffer
    out.size = out.header_size + _OSN + size
    out.due_us = now
    send_packet(&e.rtx, _OSN + size)
    e.send.resent += 1
    return True
