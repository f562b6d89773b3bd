"""Where fuzzing of the codecs' descriptors starts: every optional part of each, and what is nearly one."""

from __future__ import annotations

from support.codec_writers import L1T3, L2T1_KEY, S2T2, descriptor, vp9, vp9_structure

VP9 = [
    vp9(picture_id=5, layer=(1, 1, 2, 1), tl0picidx=9) + b"\x82",
    vp9(picture_id=300, predicted=True, flexible=True, layer=(2, 0, 1, 0), references=[1, 7, 127]) + b"\x86",
    vp9(picture_id=5, wide=False, structure=vp9_structure(1, [(640, 360)])) + b"\x82",
    vp9(
        picture_id=32767,
        layer=(0, 0, 1, 1),
        structure=vp9_structure(
            3, [(320, 180), (640, 360), (1280, 720)], [(0, 1, [4]), (2, 0, [1]), (1, 1, [2, 3, 4])]
        ),
    )
    + b"\x82\x49\x83",
    vp9(structure=vp9_structure(8)) + b"\x82",
]

AV1DD = [
    descriptor(0, 1000, brings=L1T3),
    descriptor(4, 1003, ends=False),
    descriptor(1, 1004, active=0b011, targets=3),
    descriptor(2, 1002, dtis=[2, 1, 0], fdiffs=[1, 200, 4000], chains=[2]),
    descriptor(60, 65535, brings=L2T1_KEY, active=0b01),
    descriptor(63, 1, chains=[1, 255]),
    descriptor(62, 0, fdiffs=[]),
    descriptor(7, 40000, brings=S2T2),
    descriptor(12, 40001, dtis=[3, 3, 3, 3]),
    descriptor(9, 40001, begins=False, ends=False),
    b"\x80\x00",
]

OPUS = [
    bytes.fromhex("78 aabbcc"),
    bytes.fromhex("48"),
    bytes.fromhex("08 40"),
    bytes.fromhex("4c c0ffee"),
    bytes.fromhex("19 aabb"),
    bytes.fromhex("f9 aabbccdd"),
    bytes.fromhex("fa 02 aabbcc"),
    bytes.fromhex("fa fc00") + bytes(300),
    bytes.fromhex("fb 03 aabbcc"),
    bytes.fromhex("fb 83 0102 aabbccdd"),
    bytes.fromhex("fb c3 05 0102 aabbccdd 0000000000"),
    bytes.fromhex("fb 41 ff01") + bytes(300),
    bytes.fromhex("1b 02 aabb"),
    bytes.fromhex("e3 30") + bytes(48),
]

RED = [
    b"\x6f" + bytes.fromhex("78aabb"),
    bytes.fromhex("ef 0f0003 6f 78aabb 78cc"),
    bytes.fromhex("ef 1e0002 ef 0f0003 6f 7811 78aabb 78cc"),
    bytes.fromhex("ef 0f0000 6f"),
    bytes.fromhex("efffffff" * 15 + "6f"),
]

AV1 = [
    bytes.fromhex("20 02 3601 36 01aabb"),
    bytes.fromhex("00 8001 " + "00" * 128),
    bytes.fromhex("60 0136 32aa"),
    bytes.fromhex("c0 02aabb 3628"),
    bytes.fromhex("10 3648"),
    bytes.fromhex("30 01 0a 00 32"),
]

#: Steps of four bytes: forward, drop or switch, and what is there; two of a picture number; the other two numbers.
PIDMAP = [
    bytes.fromhex("32000501 32000601 32000702 31000802 32000903"),
    bytes.fromhex("327ffe01 327fff02 32000003 00000000 32004000 32003fff"),
    bytes.fromhex("3a007e1e 3a007f1f 3a000000 00000000 32123400 32123501"),
    bytes.fromhex("12000101 02000201 22000301 31000401"),
]

CORPUS: dict[str, list[bytes]] = {
    "vp9": VP9,
    "av1": AV1,
    "av1dd": AV1DD,
    "opus": OPUS,
    "red": RED,
    "pidmap": PIDMAP,
}
