"""From the node's arguments to the engine's structs.

Producer: streams are (ssrc or 0, RTX ssrc or 0, rid or "") per encoding, lowest quality first; codecs are (payload type, RTX payload
type or -1, clock rate, name, nack, pli, fir); extensions map a name to the publisher's id; layers are (spatial layers, temporal layers, most bit/s or
0) per encoding, or nothing.
Consumer: codecs are (publisher's payload type, subscriber's payload type, subscriber's RTX payload type or -1).
Everything that does not fit raises MisuseError and leaves nothing behind.
"""

from libc.string cimport memcpy, memset

from simplestchat._native.core.table cimport Table64, table64_count, table64_free, table64_get, table64_init, table64_next, table64_put
from simplestchat._native.core.types cimport OK, i16, u32, u64, u8
from simplestchat._native.crypto.random cimport csprng_bytes
from simplestchat._native.engine.consumer cimport consumer_choose, consumer_new
from simplestchat._native.engine.entities cimport (
    CODEC_AV1, CODEC_H264, CODEC_OPUS, CODEC_OTHER, CODEC_VP8, CODEC_VP9, EXT_ABS_SEND_TIME, EXT_AUDIO_LEVEL, EXT_DEPENDENCY, EXT_MID,
    EXT_REPAIRED_RID, EXT_RID, EXT_TOFFSET, EXT_TRANSPORT_CC, EXT_VIDEO_ORIENTATION, MAX_CODECS, MAX_IN_BPS, MAX_SENT_SSRCS, MAX_SPATIAL, MAX_STREAMS, MAX_TEMPORAL,
    MID_SIZE, RID_SIZE, Codec, Consumer, Producer, ShardState, Stream, Transport,
)
from simplestchat._native.engine.producer cimport producer_free, producer_init_stream, producer_new
from simplestchat._native.engine.sources cimport sources_add, sources_find, sources_retire

from simplestchat._native.core.errors import LIMIT, InternalError, MisuseError, raise_status

cdef dict _CODECS = {"opus": CODEC_OPUS, "vp8": CODEC_VP8, "h264": CODEC_H264, "vp9": CODEC_VP9, "av1": CODEC_AV1}
cdef dict _EXTENSIONS = {
    "mid": EXT_MID, "rid": EXT_RID, "repaired-rid": EXT_REPAIRED_RID, "audio-level": EXT_AUDIO_LEVEL,
    "video-orientation": EXT_VIDEO_ORIENTATION, "abs-send-time": EXT_ABS_SEND_TIME, "transport-cc": EXT_TRANSPORT_CC,
    "toffset": EXT_TOFFSET, "dependency-descriptor": EXT_DEPENDENCY,
}


cdef int _copy_text(char* out, str text, int cap, str what) except -1:
    """Text of at most cap bytes with a zero behind it; its size."""
    cdef bytes encoded = text.encode()
    if len(encoded) > cap or 0 in encoded:
        raise MisuseError(f"{what} has {len(encoded)} bytes, at most {cap} are allowed")
    memcpy(out, <const char*>encoded, len(encoded))
    out[len(encoded)] = 0
    return len(encoded)


cdef int _fill_extensions(u8* ids, dict extensions) except -1:
    for name, id in extensions.items():
        if name not in _EXTENSIONS:
            raise MisuseError(f"header extension {name!r} is not one of {', '.join(_EXTENSIONS)}")
        if not 1 <= id <= 255:
            raise MisuseError(f"header extension id {id} is not between 1 and 255")
        ids[<int>_EXTENSIONS[name]] = id
    return 0


cdef int _check_payload_type(int payload_type) except -1:
    if not 0 <= payload_type <= 127:
        raise MisuseError(f"payload type {payload_type} is not between 0 and 127")
    return 0


cdef int _fill_codecs(Producer* p, list codecs) except -1:
    cdef Codec* codec
    if not 1 <= len(codecs) <= MAX_CODECS:
        raise MisuseError(f"a producer has 1 to {MAX_CODECS} codecs, not {len(codecs)}")
    for payload_type, rtx_payload_type, clock_rate, name, nack, pli, fir in codecs:
        _check_payload_type(payload_type)
        if p.codec_by_pt[payload_type] or p.rtx_by_pt[payload_type] or clock_rate <= 0:
            raise MisuseError(f"payload type {payload_type} is taken, or its clock rate is not positive")
        codec = &p.codecs[p.codec_count]
        codec.payload_type = payload_type
        codec.rtx_payload_type = rtx_payload_type
        codec.clock_rate = clock_rate
        codec.kind = _CODECS.get(name.lower(), CODEC_OTHER)
        codec.nack, codec.pli, codec.fir = nack, pli, fir
        p.codec_count += 1
        p.codec_by_pt[payload_type] = p.codec_count
        if rtx_payload_type >= 0:
            _check_payload_type(rtx_payload_type)
            p.rtx_by_pt[rtx_payload_type] = p.codec_count
    return 0


cdef int _fill_streams(Transport* t, Producer* p, list streams) except -1:
    cdef int i
    cdef int status
    for i, (ssrc, rtx_ssrc, rid) in enumerate(streams):
        if not ssrc and not rid and not p.mid_size:
            raise MisuseError("an encoding needs an SSRC, a RID, or a MID to be told by")
        _copy_text(p.streams[i].rid, rid, RID_SIZE, "rid")
        producer_init_stream(p, i, ssrc, rtx_ssrc)
        status = OK
        if ssrc:
            status = sources_add(t, ssrc, p, i, False)
        if status == OK and rtx_ssrc:
            status = sources_add(t, rtx_ssrc, p, i, True)
        if status != OK:
            raise_status(status, f"announcing SSRC {ssrc} (in use on this transport?)")
    return 0


cdef int _check_mid(Transport* t, Producer* fresh) except -1:
    cdef u32 i
    for i in range(t.producer_count):
        if t.producers[i] != fresh and fresh.mid_size and t.producers[i].mid[:t.producers[i].mid_size] == fresh.mid[:fresh.mid_size]:
            raise MisuseError("another producer of this transport has this MID")
    return 0


cdef int _fill_layers(Producer* p, list layers) except -1:
    cdef Stream* st
    cdef int i
    if layers and len(layers) != p.stream_count:
        raise MisuseError(f"{p.stream_count} encodings have {len(layers)} rows of layers")
    for i, (spatial, temporal, bitrate_bps) in enumerate(layers):
        if not (1 <= spatial <= MAX_SPATIAL and 1 <= temporal <= MAX_TEMPORAL and bitrate_bps >= 0):
            raise MisuseError(f"an encoding has 1 to {MAX_SPATIAL} spatial and 1 to {MAX_TEMPORAL} temporal layers and a bitrate, "
                              f"not {spatial}, {temporal} and {bitrate_bps}")
        st = &p.streams[i]
        st.spatial_count, st.temporal_count, st.nominal_bps = spatial, temporal, min(bitrate_bps, MAX_IN_BPS)
        p.temporal_count = max(p.temporal_count, st.temporal_count)
    if p.stream_count == 1 and p.streams[0].spatial_count > 1:
        p.layered = 1
        p.spatial_count = p.streams[0].spatial_count
    p.told_mask = <u8>((1 << p.spatial_count) - 1)         # it begins with all that it has
    return 0


cdef Producer* make_producer(ShardState* s, Transport* t, u32 id, str kind, str mid, list streams, list codecs, dict extensions,
                             list layers) except NULL:
    if kind not in ("audio", "video"):
        raise MisuseError(f"kind {kind!r} is not audio or video")
    if not 1 <= len(streams) <= MAX_STREAMS:
        raise MisuseError(f"a producer has 1 to {MAX_STREAMS} encodings, not {len(streams)}")
    cdef Producer* p = producer_new(s, id, t, kind == "video", len(streams))
    if p == NULL:
        raise MisuseError(f"transport {t.id} takes no more producers", LIMIT)
    try:
        p.mid_size = _copy_text(p.mid, mid, MID_SIZE, "mid")
        _check_mid(t, p)
        _fill_extensions(p.ext, extensions)
        _fill_codecs(p, codecs)
        _fill_streams(t, p, streams)
        _fill_layers(p, layers)
    except BaseException:
        sources_retire(t, p)
        producer_free(s, p)
        raise
    return p


cdef int _make_room(ShardState* s, Transport* t) except -1:
    """The table of SSRCs ever sent grows fourfold when it is full, up to its cap."""
    cdef u64 key
    cdef u64 value
    cdef u64 seed
    cdef u32 cursor = 0
    cdef u32 cap = t.sent_by_ssrc.cap
    if table64_count(&t.sent_by_ssrc) + 2 <= cap:
        return 0
    if cap >= MAX_SENT_SSRCS:
        raise MisuseError(f"transport {t.id} has sent {cap} streams in its life; make a new one", LIMIT)
    cdef Table64 old = t.sent_by_ssrc
    csprng_bytes(&s.random, <u8*>&seed, sizeof(seed))
    memset(&t.sent_by_ssrc, 0, sizeof(t.sent_by_ssrc))
    if table64_init(&t.sent_by_ssrc, cap * 4, seed) != OK:
        t.sent_by_ssrc = old
        raise InternalError("no memory for the table of sent SSRCs")
    while table64_next(&old, &cursor, &key, &value):
        table64_put(&t.sent_by_ssrc, key, value)
    table64_free(&old)
    return 0


cdef Consumer* new_consumer(ShardState* s, Transport* t, Producer* p, u32 id, u32 ssrc, u32 rtx_ssrc) except NULL:
    cdef u64 taken
    cdef Consumer* c
    for used in (ssrc, rtx_ssrc):
        if used and table64_get(&t.sent_by_ssrc, used, &taken):
            raise MisuseError(f"SSRC {used} was used on transport {t.id} before; it is never used again")
    if ssrc == 0 or ssrc == rtx_ssrc:
        raise MisuseError("a consumer needs an SSRC, and another one for RTX")
    _make_room(s, t)
    c = consumer_new(s, id, t, p, ssrc, rtx_ssrc)
    if c == NULL:
        raise MisuseError(f"transport {t.id}, producer {p.id} or this worker takes no more consumers", LIMIT)
    return c


cdef Consumer* make_consumer(ShardState* s, Transport* t, Producer* p, u32 id, u32 ssrc, u32 rtx_ssrc, list codecs,
                             dict extensions, str cname) except NULL:
    cdef u8 maps[256]
    if not any(p.codec_by_pt[source & 127] for source, _, _ in codecs):
        raise MisuseError("no codec of the producer is mapped")
    memset(maps, 0, sizeof(maps))
    _fill_extensions(maps, extensions)
    for source, payload_type, rtx_payload_type in codecs:
        _check_payload_type(source)
        _check_payload_type(payload_type)
        if rtx_payload_type > 127:
            raise MisuseError(f"payload type {rtx_payload_type} is not between 0 and 127")
    cdef Consumer* c = new_consumer(s, t, p, id, ssrc, rtx_ssrc)
    memcpy(c.ext, maps, sizeof(c.ext))
    c.cname_size = _copy_text(c.cname, cname.encode()[:MID_SIZE].decode(errors="ignore"), MID_SIZE, "cname")
    for source, payload_type, rtx_payload_type in codecs:
        if p.codec_by_pt[<int>source]:
            c.pt_by_codec[p.codec_by_pt[<int>source] - 1] = payload_type
            c.rtx_pt_by_codec[p.codec_by_pt[<int>source] - 1] = <i16>rtx_payload_type
    consumer_choose(c)
    return c
