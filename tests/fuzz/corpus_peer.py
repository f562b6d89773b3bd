"""Where fuzzing of synthetic peers starts: what a server sends to their paths."""

from __future__ import annotations

from support.vectors_stun import VECTORS

from simplestchat._native.testing import probe_rtcp as rtcp
from simplestchat._native.testing import probe_wire as wire

AUDIO, VIDEO, VIDEO_RTX, SENT = 3331, 3333, 3334, 4441
KEYFRAME = bytes.fromhex("10100200 9d012a8002e001".replace(" ", "")) + bytes(80)
INTERFRAME = bytes.fromhex("9080ffff 21000100".replace(" ", "")) + bytes(80)


def _rtp(payload_type: int, ssrc: int, payload: bytes, elements: list[tuple[int, bytes]] | None = None) -> bytes:
    return wire.rtp_write(payload_type, True, 1, 90000, ssrc, elements or []) + payload


MEDIA = [
    _rtp(96, VIDEO, KEYFRAME),
    _rtp(96, VIDEO, INTERFRAME, [(1, b"v")]),
    _rtp(97, VIDEO_RTX, b"\x00\x05" + INTERFRAME),
    _rtp(111, AUDIO, bytes(90), [(4, b"\x90")]),
    _rtp(111, AUDIO, bytes(20)),
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
