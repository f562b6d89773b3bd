"""Where fuzzing of the engine starts: media and feedback about the streams that its scene has."""

from __future__ import annotations

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


MEDIA = [
    _rtp(96, VIDEO_IN, KEYFRAME),
    _rtp(96, VIDEO_IN, INTERFRAME, EXTENSIONS),
    _rtp(98, VIDEO_IN, IDR),
    _rtp(97, 1112, b"\x00\x05" + INTERFRAME),
    _rtp(111, AUDIO_IN, bytes(40), [(1, b"a"), (4, b"\x90")]),
    _rtp(96, 5, KEYFRAME, EXTENSIONS),
    _rtp(96, 6, KEYFRAME, [(1, b"v"), (3, b"h")]),
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
    "engine-media": MEDIA,
    "engine-feedback": FEEDBACK,
    "engine-pipe": [*MEDIA, *FEEDBACK],
}
