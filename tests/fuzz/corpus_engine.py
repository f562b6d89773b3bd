"""Where fuzzing of the engine starts: media and feedback about the streams that its scene has."""

from __future__ import annotations

import struct

from support.codec_writers import L1T3, L2T1_KEY, descriptor, vp9, vp9_structure
from support.vectors_stun import VECTORS

from simplestchat._native.testing import probe_rtcp as rtcp
from simplestchat._native.testing import probe_wire as wire

VIDEO_IN, VIDEO_OUT, AUDIO_IN = 1111, 2221, 1113
KEYFRAME = bytes.fromhex("10100200 9d012a8002e001".replace(" ", "")) + bytes(60)
INTERFRAME = bytes.fromhex("9080ffff 21000100".replace(" ", "")) + bytes(60)
IDR = bytes.fromhex("7c85b8") + bytes(40)
EXTENSIONS = [(1, b"v"), (2, b"h"), (4, b"\x85"), (5, b"\x01")]


def _rtp(payload_type: int, ssrc: int, payload: bytes, elements: list[tuple[int, bytes]] | None = None) -> bytes:
    return wire.rtp_write(payload_type, True, 1, 90000, ssrc, elements or []) + payload


def _described(payload_type: int, ssrc: int, payload: bytes, described: bytes) -> bytes:
    """With a dependency descriptor, which needs the long form of header extensions (RFC 8285 section 4.3)."""
    element = bytes([7, len(described)]) + described
    element += bytes(-len(element) % 4)
    header = struct.pack("!BBHII", 0x90, payload_type, 1, 90000, ssrc)
    return header + struct.pack("!HH", 0x1000, len(element) // 4) + element + payload


MEDIA = [
    _rtp(96, VIDEO_IN, KEYFRAME),
    _rtp(96, VIDEO_IN, INTERFRAME, EXTENSIONS),
    _rtp(98, VIDEO_IN, IDR),
    _rtp(97, 1112, b"\x00\x05" + INTERFRAME),
    _rtp(111, AUDIO_IN, bytes(40), [(1, b"a"), (4, b"\x90")]),
    _rtp(96, 5, KEYFRAME, EXTENSIONS),
    _rtp(96, 6, KEYFRAME, [(1, b"v"), (3, b"h")]),
]
LAYERS = [
    _rtp(102, VIDEO_IN, vp9(layer=(0, 0, 0, 0), structure=vp9_structure(2, [(320, 180), (640, 360)])) + b"\x82"),
    _rtp(102, VIDEO_IN, vp9(picture_id=5, layer=(1, 1, 2, 1), tl0picidx=9) + b"\x82"),
    _rtp(102, VIDEO_IN, vp9(picture_id=6, predicted=True, flexible=True, layer=(2, 0, 1, 0), references=[1]) + b"\x86"),
    _described(45, VIDEO_IN, b"\x08\x0a\x01" + bytes(40), descriptor(0, 1000, brings=L1T3)),
    _described(45, VIDEO_IN, bytes(40), descriptor(4, 1001, ends=False)),
    _described(45, VIDEO_IN, b"\x08\x0a\x01" + bytes(40), descriptor(60, 65535, brings=L2T1_KEY, active=0b01)),
    _described(45, VIDEO_IN, bytes(40), descriptor(1, 1004, active=0b011, targets=3)),
]
INFO = {"ssrc": VIDEO_IN, "ntp": 0xE4A1B2C3D4E5F607, "rtp_timestamp": 90000, "packets": 100, "octets": 100000}
BLOCK = {
    "ssrc": VIDEO_OUT,
    "fraction_lost": 25,
    "cumulative_lost": 3,
    "highest_seq": 0x1FFFF,
    "jitter": 9,
    "lsr": 0xB2C3D4E5,
    "dlsr": 65536,
}
FEEDBACK = [
    rtcp.rtcp_sr(INFO, [BLOCK]) + rtcp.rtcp_sdes(VIDEO_IN, b"name"),
    rtcp.rtcp_rr(7, [BLOCK]) + rtcp.rtcp_pli(7, VIDEO_OUT),
    rtcp.rtcp_nack(7, VIDEO_OUT, [(pid, 0xFFFF) for pid in range(0, 1000, 17)]),
    rtcp.rtcp_fir(7, VIDEO_OUT, 3),
    rtcp.rtcp_remb(7, 2_500_000, [VIDEO_OUT]),
    rtcp.rtcp_twcc(7, VIDEO_OUT, 3, 0, [1_000_000 + 700 * n if n % 5 else None for n in range(40)]),
    rtcp.rtcp_twcc(7, VIDEO_OUT, 4, 30, [2_000_000 + 90_000 * n for n in range(6)]),
    rtcp.rtcp_bye(VIDEO_IN),
]
CORPUS = {
    "engine-stranger": [
        *MEDIA,
        *FEEDBACK,
        *(vector.message for vector in VECTORS),
        bytes.fromhex("16fefd0000") + bytes(60),
    ],
    "engine-check": [vector.message[20:] for vector in VECTORS]
    + [bytes.fromhex("00250000"), bytes.fromhex("802a0008") + bytes(8)],
    "engine-media": [*MEDIA, *LAYERS],
    "engine-feedback": FEEDBACK,
    "engine-pipe": [*MEDIA, *LAYERS, *FEEDBACK],
}
