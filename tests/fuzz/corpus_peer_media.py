"""Where fuzzing of synthetic media starts: what synthetic users send each other, and parts of it."""

from __future__ import annotations

import itertools

from support.synthetic import CAMERA, LAYER, MICROPHONE, MS, S, rtx, stream

from simplestchat._native.testing import probe_peer as peer

LAYERS = [
    LAYER | {"bitrate_bps": 60_000, "rid": "q"},
    LAYER | {"ssrc": 102, "rtx_ssrc": 103, "bitrate_bps": 90_000, "rid": "f"},
]
SMALL = CAMERA | {"fps": 10, "max_payload": 256, "layers": LAYERS}
VIDEO = stream(SMALL, 2 * S)
AUDIO = stream(MICROPHONE | {"talk": 2, "talk_ms": 200, "silence_ms": 200}, 800 * MS)

FIELDS = {"track": 1, "layer": 0, "flags": 2, "part": 0, "parts": 1}
STAMPS = [
    peer.stamp_write(size, FIELDS | {"user": 3, "frame": number, "counter": 2 * number, "sent_us": 20_000 * number})
    for number, size in enumerate((48, 49, 100, 1100, 1500))
]
PAYLOADS = [
    bytes([codec])
    + peer.payload_write(
        {
            "codec": codec,
            "keyframe": keyframe,
            "first": first,
            "last": last,
            "temporal_layer": 2 * first,
            "width": 1280,
            "height": 720,
            "picture_id": 0x1234,
        }
    )
    + tail
    for codec in range(1, 6)
    for keyframe, first, last in itertools.product((0, 1), repeat=3)
    for tail in (b"", b"\x53\xc4\xa7\xed")
]

CORPUS: dict[str, list[bytes]] = {
    "media-stamp": STAMPS,
    "media-payload": PAYLOADS,
    "media-receive": [
        *(packet.data for packet in VIDEO),
        *(rtx(packet, SMALL) for packet in VIDEO[::3]),
        *(packet.data for packet in AUDIO),
    ],
}
