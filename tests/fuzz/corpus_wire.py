"""Where fuzzing of the wire layer starts: valid packets of every shape, and the shapes that broke other servers."""

from __future__ import annotations

from support.vectors_stun import SAMPLE_SHA256_REQUEST, VECTORS

from simplestchat._native.testing import probe_rtcp as rtcp
from simplestchat._native.testing import probe_wire as wire

TXID = bytes(range(12))
MAPPED_V4 = bytes(10) + b"\xff\xff\xc0\x00\x02\x01"
MAPPED_V6 = bytes.fromhex("20010db8000000000000000000000001")

STUN = [
    *(vector.message for vector in VECTORS),
    SAMPLE_SHA256_REQUEST,
    wire.stun_write_request(TXID, b"server:client", 0x6E0001FF, True, 2**63 + 5, True),
    wire.stun_write_request(TXID, b"abcd:efgh", 1, False, 7),
    wire.stun_write_success(TXID, MAPPED_V4, 50000),
    wire.stun_write_success(TXID, MAPPED_V6, 50000),
    wire.stun_write_error(TXID, 487),
    wire.stun_write_error(TXID, 420, [0x0003, 0x0013, 0x001F]),
]

ELEMENTS = [(1, b"0"), (3, b"\x01\x02\x03"), (4, b"q"), (14, bytes(16))]
WIDE_ELEMENTS = [(1, b""), (2, b"hi"), (20, bytes(40)), (255, b"\x07")]


def _packet(*, tail: bytes, two_byte: bool = False, padding: bool = False) -> bytes:
    elements = WIDE_ELEMENTS if two_byte else ELEMENTS
    return wire.rtp_write(96, True, 65535, 2**32 - 1, 0xDEADBEEF, elements, two_byte=two_byte, padding=padding) + tail


RTP = [
    wire.rtp_write(111, False, 1, 960, 1) + bytes(80),
    _packet(tail=bytes(100)),
    _packet(tail=b"\x00\x00\x00\x04", padding=True),
    _packet(tail=bytes(20), two_byte=True),
    bytes.fromhex("8f60000100000001000000010000000200000003") + bytes(60),  # fifteen CSRCs
    bytes.fromhex("9060000100000001000000011000ffff") + bytes(40),  # an extension longer than its packet
    bytes.fromhex("906000010000000100000001bede0003f0aaaaaa10aa00ff00000000") + bytes(10),  # id 15, id 0 with a length
    bytes.fromhex("906000010000000100000001bede00012f010203") + bytes(10),  # a size past the block
    bytes.fromhex("90600001000000010000000100000001aabbccdd") + bytes(10),  # a profile that is not ours
]

INFO = {"ssrc": 1, "ntp": 0xE4A1B2C3D4E5F607, "rtp_timestamp": 90000, "packets": 100, "octets": 100000}
BLOCK = {
    "ssrc": 2,
    "fraction_lost": 25,
    "cumulative_lost": -3,
    "highest_seq": 0x1FFFF,
    "jitter": 9,
    "lsr": 0xB2C3D4E5,
    "dlsr": 65536,
}

TWCC = [
    rtcp.rtcp_twcc(1, 2, 3, 65530, [1_000_000 + 1000 * i for i in range(20)]),
    rtcp.rtcp_twcc(1, 2, 4, 10, [None, 5_000, None, 90_000, 89_000, *[None] * 40, 100_000]),
    rtcp.rtcp_twcc(1, 2, 5, 0, [-64_000 * 3 + 70_000 * i for i in range(9)]),
    # A run of two large deltas, then a two-bit vector with the reserved symbol.
    bytes.fromhex("8fcd00060000000100000002000100090000010040020dff000100020003000400"),
]

RTCP = [
    rtcp.rtcp_sr(INFO, [BLOCK] * 3) + rtcp.rtcp_sdes(1, b"name@host"),
    rtcp.rtcp_rr(1, [BLOCK] * 31),
    rtcp.rtcp_rr(1) + rtcp.rtcp_remb(1, 2_500_000, [2, 3, 4]),
    rtcp.rtcp_remb(1, 2**64 - 1, list(range(64))),
    rtcp.rtcp_nack(1, 2, [(65535, 0xFFFF), (17, 1)]) + rtcp.rtcp_pli(1, 2) + rtcp.rtcp_fir(1, 2, 255),
    rtcp.rtcp_sdes(9, b"") + rtcp.rtcp_bye(9),
    bytes.fromhex("81cb0003000000010677696e646f7773"),  # BYE with a reason
    bytes.fromhex("81cb000300000001ff77696e646f7773"),  # BYE whose reason would be 255 bytes long
    bytes.fromhex("8fce00050000000100000002")
    + b"REMB"
    + bytes.fromhex("ff03ffff00000001"),  # REMB that counts 255 SSRCs
    bytes.fromhex("a1cd00040000000100000002000100020000000000000004"[:40]),  # padding whose count is 0
    bytes.fromhex("81ca00040000000901ff616263000000"),  # SDES item past its packet
    bytes.fromhex("80cf00050000000104000003aabbccdd0000000100000002"),  # XR
    bytes.fromhex("80cc00030000000174657374aabbccdd"),  # APP
    *TWCC,
]

VP8 = [
    bytes.fromhex("100002009d012a8002680100"),
    bytes.fromhex("90e08123 05 a0 d00200 9d012a 8002 6801 00".replace(" ", "")),
    bytes.fromhex("90f0 7f 05 bf 11223344".replace(" ", "")),
    bytes.fromhex("80 80 ff ff 01".replace(" ", "")),
    bytes.fromhex("9080"),
    bytes.fromhex("0001"),
]

H264 = [
    bytes.fromhex("6742c01f8c8d40"),
    bytes.fromhex("6588843a"),
    bytes.fromhex("419a0200"),
    bytes.fromhex("78 0007 6742c01f8c8d40 0004 68ce3c80 0004 6588843a".replace(" ", "")),
    bytes.fromhex("7c 85 88843a".replace(" ", "")),
    bytes.fromhex("7c 05 88843a".replace(" ", "")),
    bytes.fromhex("7c 45 88843a".replace(" ", "")),
    bytes.fromhex("78ffff67"),
]

VP9 = [
    bytes.fromhex("8a 8123 10 0280 0168 82 498342".replace(" ", "")),  # a keyframe with its sizes
    bytes.fromhex("08 82".replace(" ", "")),
    bytes.fromhex("c8 8124 86".replace(" ", "")),
    bytes.fromhex("ac 05 18 82".replace(" ", "")),  # two octets for the layers, and TL0PICIDX
    bytes.fromhex("a8 05 02 07 82".replace(" ", "")),  # a second spatial layer
    bytes.fromhex("f8 05 00 03 05 02 86".replace(" ", "")),  # three references
    bytes.fromhex("8a 05 78 0140 00b4 0280 0168 0500 02d0 02 04 01 68 01 02 82".replace(" ", "")),  # layers and a group
    bytes.fromhex("f8 05 00 03 05 03 86".replace(" ", "")),
]

AV1 = [
    bytes.fromhex("28 0b 0a0b00000004 3ffffb 32 10".replace(" ", "")),
    bytes.fromhex("10 32 10 00".replace(" ", "")),
    bytes.fromhex("90 aabb".replace(" ", "")),
    bytes.fromhex("98 aabb".replace(" ", "")),
    bytes.fromhex("08"),
]

DTLS = bytes.fromhex("16feff0000000000000000000001") + bytes(20)

MASK = b"\x01\xf2\x03\x80"

WEBSOCKET = [
    b"\x81",
    b"\x81\x85" + MASK + b"hello",
    b"\x81\x05hello",
    b"\x88\x80" + MASK,
    b"\x01\xfe\x01\x00" + MASK + bytes(256),
    b"\x81\xfe\x00\x03" + MASK + b"odd",  # longer than it need be
    b"\x81\xff" + bytes(6) + b"\x01\x00" + MASK + bytes(256),
    b"\x81\xff" + b"\xff" * 8 + MASK + b"huge",
]

CORPUS: dict[str, list[bytes]] = {
    "stun": STUN,
    "rtp": RTP,
    "ext": RTP,
    "ext-rewrite": RTP,
    "rtcp": RTCP,
    "twcc": TWCC,
    "vp8": VP8,
    "h264": H264,
    "vp9": VP9,
    "av1": AV1,
    "demux": [*STUN[:1], *RTP[:1], *RTCP[:1], DTLS],
    "websocket": WEBSOCKET,
}
