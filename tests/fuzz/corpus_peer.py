"""Where fuzzing of synthetic peers starts: what a server sends to their paths."""

from __future__ import annotations

from support.vectors_stun import VECTORS

from simplestchat._native.testing import probe_peer as peer
from simplestchat._native.testing import probe_rtcp as rtcp
from simplestchat._native.testing import probe_wire as wire

AUDIO, VIDEO, VIDEO_RTX, SENT = 3331, 3333, 3334, 4441
KEYFRAME = bytes.fromhex("10100200 9d012a8002e001".replace(" ", "")) + bytes(80)
INTERFRAME = bytes.fromhex("9080ffff 21000100".replace(" ", "")) + bytes(80)


def _rtp(payload_type: int, ssrc: int, payload: bytes, elements: list[tuple[int, bytes]] | None = None) -> bytes:
    return wire.rtp_write(payload_type, True, 1, 90000, ssrc, elements or []) + payload


def _stamped(codec: int, counter: int, part: int = 0, keyframe: bool = False, user: int = 1) -> bytes:
    """A payload that a synthetic user can have made: one of two packets of a picture, or an audio frame."""
    parts = 2 if codec > 1 else 1
    last = part + 1 == parts
    shape = {"codec": codec, "keyframe": keyframe, "first": part == 0, "last": last, "width": 640, "height": 360}
    stamp = {"user": user, "track": int(codec > 1), "layer": 0, "flags": keyframe + 2 * last, "frame": counter // parts}
    stamp |= {"part": part, "parts": parts, "counter": counter, "sent_us": 1_000_000 + 1000 * counter}
    return peer.payload_write({**shape, "picture_id": counter // parts}) + peer.stamp_write(90, stamp)


STAMPED = [
    _rtp(96, VIDEO, _stamped(2, 0, 0, keyframe=True)),
    _rtp(96, VIDEO, _stamped(2, 1, 1, keyframe=True)),
    _rtp(96, VIDEO, _stamped(2, 2)),
    _rtp(97, VIDEO_RTX, b"\x00\x02" + _stamped(2, 3, 1)),
    _rtp(96, VIDEO, _stamped(2, 60_000, 0, keyframe=True)),
    _rtp(111, AUDIO, _stamped(1, 0)),
    _rtp(111, AUDIO, _stamped(1, 7)),
    _rtp(111, AUDIO, _stamped(1, 9, user=2)),
    _rtp(96, 3335, _stamped(2, 4)),
]
MEDIA = [
    *STAMPED,
    _rtp(96, VIDEO, KEYFRAME),
    _rtp(96, VIDEO, INTERFRAME, [(1, b"v")]),
    _rtp(97, VIDEO_RTX, b"\x00\x05" + INTERFRAME),
    _rtp(111, AUDIO, bytes(90), [(4, b"\x90")]),
    _rtp(111, AUDIO, bytes(20)),
    *(_rtp(96, VIDEO, INTERFRAME, [(5, number.to_bytes(2, "big"))]) for number in (1, 2, 40, 65_535)),
]
INFO = {"ssrc": VIDEO, "ntp": 0xE4A1B2C3D4E5F607, "rtp_timestamp": 90000, "packets": 100, "octets": 100000}
BLOCK = {
    "ssrc": SENT,
    "fraction_lost": 25,
    "cumulative_lost": 3,
    "highest_seq": 0x1FFFF,
    "jitter": 9,
    "lsr": 0xB2C3D4E5,
    "dlsr": 65536,
}
FEEDBACK = [
    rtcp.rtcp_sr(INFO, [BLOCK]) + rtcp.rtcp_sdes(VIDEO, b"name"),
    rtcp.rtcp_rr(7, [BLOCK]) + rtcp.rtcp_pli(7, SENT),
    rtcp.rtcp_nack(7, SENT, [(pid, 0xFFFF) for pid in range(0, 65536, 1100)]),
    rtcp.rtcp_fir(7, SENT, 3),
    rtcp.rtcp_remb(7, 2_500_000, [SENT]),
    rtcp.rtcp_twcc(7, SENT, 3, 65530, [1_000_000 + 1000 * i for i in range(20)]),
    rtcp.rtcp_bye(VIDEO),
]
MESSAGES = [vector.message for vector in VECTORS]
CORPUS = {
    "peer-stranger": [*MEDIA, *FEEDBACK, *MESSAGES, bytes.fromhex("16fefd0000") + bytes(60)],
    "peer-answer": [b"", bytes.fromhex("00200008") + bytes(8), *(message[20:] for message in MESSAGES)],
    "peer-media": MEDIA,
    "peer-feedback": FEEDBACK,
}
