"""From Python's arguments to the structs of synthetic peers; see arguments.pxd."""

from libc.string cimport memcpy, memset

from simplestchat._native.core.types cimport Tuple, i64, u16, u32, u64, u8
from simplestchat._native.crypto.dtls_context cimport HASH_SHA256, HASH_SHA384, HASH_SHA512
from simplestchat._native.engine.addresses cimport tuple_from_address
from simplestchat._native.peer.link cimport LinkSettings
from simplestchat._native.peer.payload cimport PAYLOAD_AV1, PAYLOAD_H264, PAYLOAD_OPUS, PAYLOAD_VP8, PAYLOAD_VP9
from simplestchat._native.peer.settings cimport (
    PEER_EXT_ABS_SEND_TIME, PEER_EXT_AUDIO_LEVEL, PEER_EXT_DEPENDENCY, PEER_EXT_MID, PEER_EXT_REPAIRED_RID, PEER_EXT_RID,
    PEER_EXT_TRANSPORT_CC, PEER_MAX_LAYERS, PEER_NAME_SIZE, ReceiverSettings, SenderSettings,
)
from simplestchat._native.peer.scalability cimport Scalability

import re

from simplestchat._native.core.errors import MisuseError

cdef dict _HASHES = {"sha-256": (HASH_SHA256, 32), "sha-384": (HASH_SHA384, 48), "sha-512": (HASH_SHA512, 64)}
cdef dict _CODECS = {
    "opus": PAYLOAD_OPUS, "vp8": PAYLOAD_VP8, "h264": PAYLOAD_H264, "vp9": PAYLOAD_VP9, "av1": PAYLOAD_AV1,
}
cdef dict _EXTENSIONS = {
    "mid": PEER_EXT_MID, "audio-level": PEER_EXT_AUDIO_LEVEL, "abs-send-time": PEER_EXT_ABS_SEND_TIME,
    "transport-cc": PEER_EXT_TRANSPORT_CC, "rid": PEER_EXT_RID, "repaired-rid": PEER_EXT_REPAIRED_RID,
    "dependency-descriptor": PEER_EXT_DEPENDENCY,
}
cdef enum:
    LONGEST_SPAN_US = 60000000     # of a link's delays


cdef int server_tuple(Tuple* out, tuple server) except -1:
    try:
        tuple_from_address(out, (server[0], server[1], "::", 0))
    except (ValueError, OverflowError, IndexError) as error:
        raise MisuseError(f"{server!r} is no address of a server: {error}") from None
    return 0


cdef tuple fingerprint_digest(tuple fingerprint):
    algorithm, text = fingerprint
    if algorithm not in _HASHES:
        raise MisuseError(f"fingerprint algorithm {algorithm!r} is not one of {', '.join(_HASHES)}")
    code, size = _HASHES[algorithm]
    try:
        digest = bytes.fromhex(text.replace(":", ""))
    except ValueError:
        raise MisuseError("fingerprint is not hexadecimal bytes with colons between") from None
    if len(digest) != size:
        raise MisuseError(f"fingerprint has {len(digest)} bytes, {algorithm} has {size}")
    return code, digest


cdef object _field(object info, str name):
    try:
        return info[name]
    except KeyError:
        raise MisuseError(f"{name} is missing") from None


cdef i64 _number(object info, str name, i64 least, i64 most) except? -1:
    value = _field(info, name)
    if not isinstance(value, int) or not least <= value <= most:
        raise MisuseError(f"{name} {value!r} is not a whole number between {least} and {most}")
    return value


cdef int _name(char* out, object text, str what) except -1:
    cdef bytes encoded = str(text).encode()
    if len(encoded) > PEER_NAME_SIZE or 0 in encoded:
        raise MisuseError(f"{what} has {len(encoded)} bytes, at most {PEER_NAME_SIZE} are allowed")
    memcpy(out, <const char*>encoded, len(encoded))
    out[len(encoded)] = 0
    return 0


cdef u8 _codec(object info) except? 255:
    name = _field(info, "codec")
    if name not in _CODECS:
        raise MisuseError(f"codec {name!r} is not one of {', '.join(_CODECS)}")
    return _CODECS[name]


cdef int _extensions(u8* out, object ids) except -1:
    for name in ids:
        if name not in _EXTENSIONS:
            raise MisuseError(f"header extension {name!r} is not one of {', '.join(_EXTENSIONS)}")
        out[<int>_EXTENSIONS[name]] = <u8>_number(ids, name, 0, 255)
    return 0


cdef int _layers(SenderSettings* out, object layers) except -1:
    cdef int i
    if not 1 <= len(layers) <= PEER_MAX_LAYERS:
        raise MisuseError(f"a track has 1 to {PEER_MAX_LAYERS} encodings, not {len(layers)}")
    out.layer_count = len(layers)
    for i, layer in enumerate(layers):
        out.layers[i].ssrc = <u32>_number(layer, "ssrc", 1, 0xFFFFFFFF)
        out.layers[i].rtx_ssrc = <u32>_number(layer, "rtx_ssrc", 0, 0xFFFFFFFF)
        out.layers[i].bitrate_bps = <u32>_number(layer, "bitrate_bps", 1, 0xFFFFFFFF)
        out.layers[i].width = <u16>_number(layer, "width", 0, 0xFFFF)
        out.layers[i].height = <u16>_number(layer, "height", 0, 0xFFFF)
        _name(out.layers[i].rid, _field(layer, "rid"), "rid")
    return 0


cdef int _scalability(Scalability* out, str mode) except -1:
    """By its name in W3C webrtc-svc."""
    found = re.fullmatch(r"L([123])T([123])(_KEY)?", mode)
    if found is None or (found[3] and found[1] == "1"):
        raise MisuseError(f"scalability {mode!r} is not L1T1 to L3T3, or one with _KEY of several spatial layers")
    out.spatial, out.temporal, out.key = int(found[1]), int(found[2]), found[3] is not None
    return 0


cdef int sender_arguments(SenderSettings* out, u32 id, object info) except -1:
    memset(out, 0, sizeof(SenderSettings))
    out.id = id
    out.user = <u32>_number(info, "user", 0, 0xFFFFFFFF)
    out.track = <u8>_number(info, "track", 0, 255)
    out.codec = _codec(info)
    out.video = out.codec != PAYLOAD_OPUS
    out.payload_type = <u8>_number(info, "payload_type", 0, 127)
    out.rtx_payload_type = _number(info, "rtx_payload_type", -1, 127)
    out.clock_rate = <u32>_number(info, "clock_rate", 1, 1000000)
    out.fps = <u16>_number(info, "fps", 0, 1000)
    out.max_payload = <u16>_number(info, "max_payload", 0, 1400)
    _extensions(out.ext, _field(info, "ext"))
    _name(out.mid, _field(info, "mid"), "mid")
    out.talk = <u8>_number(info, "talk", 0, 2)
    out.dtx = bool(_field(info, "dtx"))
    out.talk_ms = <u16>_number(info, "talk_ms", 0, 0xFFFF)
    out.silence_ms = <u16>_number(info, "silence_ms", 0, 0xFFFF)
    out.seed = int(_field(info, "seed")) & 0xFFFFFFFFFFFFFFFF
    _scalability(&out.scalability, info.get("scalability", "L1T1"))
    return _layers(out, _field(info, "layers"))


cdef int receiver_arguments(ReceiverSettings* out, u32 id, object info) except -1:
    memset(out, 0, sizeof(ReceiverSettings))
    out.id = id
    out.user = <u32>_number(info, "user", 0, 0xFFFFFFFF)
    out.track = <u8>_number(info, "track", 0, 255)
    out.codec = _codec(info)
    out.video = out.codec != PAYLOAD_OPUS
    out.payload_type = <u8>_number(info, "payload_type", 0, 127)
    out.rtx_payload_type = _number(info, "rtx_payload_type", -1, 127)
    out.visit = <u32>_optional(info, "visit", 0xFFFFFFFF)
    out.ssrc = <u32>_number(info, "ssrc", 1, 0xFFFFFFFF)
    out.rtx_ssrc = <u32>_number(info, "rtx_ssrc", 0, 0xFFFFFFFF)
    out.clock_rate = <u32>_number(info, "clock_rate", 1, 1000000)
    out.wanted_us = _optional(info, "wanted_us", 0x7FFFFFFFFFFFFFFF)
    return _extensions(out.ext, _field(info, "ext"))


cdef u32 _probability(object conditions, str name) except? 0xFFFFFFFF:
    """In units of 2**-32."""
    value = conditions.get(name, 0)
    if not 0 <= value <= 1:
        raise MisuseError(f"{name} {value!r} is not a probability between 0 and 1")
    return <u32>min(round(value * 4294967296), 4294967295)


cdef i64 _optional(object conditions, str name, i64 most) except? -1:
    return _number(conditions, name, 0, most) if name in conditions else 0


cdef int link_arguments(LinkSettings* out, object conditions) except -1:
    memset(out, 0, sizeof(LinkSettings))
    unknown = set(conditions) - set(_LINK_NAMES)
    if unknown:
        raise MisuseError(f"{', '.join(sorted(unknown))}: a link has {', '.join(_LINK_NAMES)}")
    out.loss = _probability(conditions, "loss")
    out.burst_enter = _probability(conditions, "burst_enter")
    out.burst_leave = _probability(conditions, "burst_leave")
    out.burst_loss = _probability(conditions, "burst_loss")
    out.duplicate = _probability(conditions, "duplicate")
    out.reorder = _probability(conditions, "reorder")
    out.corrupt = _probability(conditions, "corrupt")
    out.reorder_us = _optional(conditions, "reorder_us", LONGEST_SPAN_US)
    out.delay_us = _optional(conditions, "delay_us", LONGEST_SPAN_US)
    out.jitter_us = _optional(conditions, "jitter_us", LONGEST_SPAN_US)
    out.rate_bps = <u64>_optional(conditions, "rate_bps", 1 << 50)
    out.queue_bytes = <u32>_optional(conditions, "queue_bytes", 0xFFFFFFFF)
    out.queue_us = _optional(conditions, "queue_us", LONGEST_SPAN_US)
    out.outage = bool(conditions.get("outage", False))
    return 0


cdef tuple _LINK_NAMES = (
    "loss", "burst_enter", "burst_leave", "burst_loss", "duplicate", "reorder", "reorder_us", "corrupt", "delay_us", "jitter_us",
    "rate_bps", "queue_bytes", "queue_us", "outage",
)
