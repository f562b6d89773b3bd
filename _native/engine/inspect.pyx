"""What a publisher's packet says of itself; see inspect.pxd."""

from libc.stdlib cimport calloc, malloc
from libc.string cimport memset

from simplestchat._native.core.types cimport OK, u16, u32, u8, us_t
from simplestchat._native.engine.entities cimport (
    CODEC_AV1, CODEC_H264, CODEC_VP8, CODEC_VP9, EXT_AUDIO_LEVEL, EXT_DEPENDENCY, EXT_VIDEO_ORIENTATION, MAX_SPATIAL,
    MAX_TEMPORAL, Codec, PacketFacts, Producer, Stream,
)
from simplestchat._native.select.speakers cimport speaker_level
from simplestchat._native.stream.cache cimport CachedPacket
from simplestchat._native.stream.rates cimport rates_packet
from simplestchat._native.wire.av1 cimport Av1View, av1_facts, av1_keyframe, av1_parse
from simplestchat._native.wire.av1dd cimport DdStructure, DdView, dd_facts, dd_init, dd_parse
from simplestchat._native.wire.facts cimport FrameFacts
from simplestchat._native.wire.h264 cimport h264_facts, h264_keyframe
from simplestchat._native.wire.rtp cimport RtpExt, RtpView, rtp_ext_find
from simplestchat._native.wire.vp8 cimport Vp8View, vp8_facts, vp8_ids, vp8_parse
from simplestchat._native.wire.vp9 cimport Vp9View, vp9_facts, vp9_ids, vp9_parse

cdef enum:
    OVERHEAD = 36                  # what a packet takes beside its payload when it leaves: header 12, extension 8, tag 16


cdef void _hear(Producer* p, const u8* data, u16 level_off, us_t now) noexcept nogil:
    cdef u8 level = data[level_off] & 0x7F
    if level < p.level:
        p.level = level
    if p.group != NULL and not p.paused:
        speaker_level(&p.speaker, level, now)


cdef void _find_extensions(Producer* p, CachedPacket* packet, const u8* data, const RtpView* view, us_t now) noexcept nogil:
    cdef RtpExt ext
    packet.level_off = 0
    packet.orientation_off = 0
    if view.ext_profile == 0:
        return
    if p.ext[EXT_AUDIO_LEVEL] and rtp_ext_find(data, view, p.ext[EXT_AUDIO_LEVEL], &ext) and ext.size == 1:
        packet.level_off = ext.off
        _hear(p, data, ext.off, now)
    if p.ext[EXT_VIDEO_ORIENTATION] and rtp_ext_find(data, view, p.ext[EXT_VIDEO_ORIENTATION], &ext) and ext.size == 1:
        packet.orientation_off = ext.off


cdef bint _read_dependency(Producer* p, Stream* st, const Codec* codec, const u8* data, const RtpView* view, bint marker,
                           PacketFacts* out) noexcept nogil:
    """Facts of a dependency descriptor, if the packet has a sound one. Other codecs say as much in descriptors of their own."""
    cdef RtpExt ext
    cdef DdView dd
    if codec.kind != CODEC_AV1 or p.ext[EXT_DEPENDENCY] == 0 or view.ext_profile == 0 or not rtp_ext_find(data, view, p.ext[EXT_DEPENDENCY], &ext):
        return False
    if st.dependency == NULL:
        st.dependency = <DdStructure*>malloc(sizeof(DdStructure))
        if st.dependency == NULL:
            return False
        dd_init(st.dependency)
    if dd_parse(data + ext.off, ext.size, st.dependency, &dd) != OK:
        return False
    dd_facts(&dd, marker, &out.frame)
    out.ids.picture_bits = 16
    out.ids.picture_id = dd.frame_number
    out.dependency_off = ext.off
    out.dependency_size = ext.size
    return True


cdef void _read_descriptor(const Codec* codec, const u8* payload, u32 size, bint marker, PacketFacts* out) noexcept nogil:
    cdef Vp8View vp8
    cdef Vp9View vp9
    cdef Av1View av1
    if codec.kind == CODEC_VP8 and vp8_parse(payload, size, &vp8) == OK:
        vp8_facts(&vp8, marker, &out.frame)
        vp8_ids(&vp8, &out.ids)
    elif codec.kind == CODEC_VP9 and vp9_parse(payload, size, &vp9) == OK:
        vp9_facts(&vp9, marker, &out.frame)
        vp9_ids(&vp9, &out.ids)
    elif codec.kind == CODEC_H264:
        h264_facts(payload, size, marker, &out.frame)
        out.frame.keyframe = h264_keyframe(payload, size) > 0
    elif codec.kind == CODEC_AV1 and av1_parse(payload, size, &av1) == OK:
        av1_facts(&av1, marker, &out.frame)
        out.frame.keyframe = av1_keyframe(payload, size) > 0
        out.frame.spatial_id = out.frame.temporal_id = 0     # all of it is forwarded, so all of it counts as one layer


cdef bint _is_alone(const Stream* st, const FrameFacts* f) noexcept nogil:
    """Do the spatial layers above go on without this frame?"""
    cdef u32 above = 0
    cdef int i
    if not f.known or st.dependency == NULL:
        return f.unused_above
    for i in range(st.dependency.target_count):
        if st.dependency.target_spatial_id[i] > f.spatial_id:
            above |= <u32>1 << i
    return f.present & above == 0


cdef void _note_layers(Producer* p, Stream* st, const FrameFacts* f) noexcept nogil:
    """What the publisher did not announce, and how large its pictures are."""
    cdef u8 at = min(f.spatial_id, <u8>(MAX_SPATIAL - 1)) if p.stream_count == 1 else <u8>(st - p.streams)
    if p.stream_count == 1 and at >= p.spatial_count:
        p.spatial_count = st.spatial_count = at + 1
        p.layered = 1
    if f.temporal_id >= p.temporal_count and p.temporal_count < MAX_TEMPORAL:
        p.temporal_count = min(f.temporal_id + 1, MAX_TEMPORAL)
    if f.width:
        p.widths[at], p.heights[at] = f.width, f.height


cdef PacketFacts* inspect_packet(Producer* p, Stream* st, const Codec* codec, CachedPacket* packet, const u8* data,
                                 const RtpView* view, us_t now) noexcept nogil:
    cdef PacketFacts* facts
    _find_extensions(p, packet, data, view, now)
    packet.keyframe = not p.video or codec.kind not in (CODEC_VP8, CODEC_H264, CODEC_VP9, CODEC_AV1)     # may begin anywhere
    if not p.video:
        return NULL
    if st.facts == NULL:
        st.facts = <PacketFacts*>calloc(st.cache.slot_mask + 1, sizeof(PacketFacts))
        if st.facts == NULL:
            return NULL
    facts = &st.facts[packet.index & st.cache.slot_mask]
    memset(facts, 0, sizeof(PacketFacts))
    if packet.payload_size == 0:
        packet.keyframe = 0
        return facts
    if not _read_dependency(p, st, codec, data, view, packet.marker, facts):
        _read_descriptor(codec, data + view.header_size, packet.payload_size, packet.marker, facts)
    packet.keyframe |= facts.frame.keyframe
    _note_layers(p, st, &facts.frame)
    rates_packet(&st.rates, facts.frame.spatial_id, facts.frame.temporal_id, _is_alone(st, &facts.frame), packet.payload_size + OVERHEAD, now)
    return facts
