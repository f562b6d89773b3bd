"""VP8 payload descriptors and H264 keyframes, on payloads as browsers send them and on broken ones."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.core.errors import PeerError
from simplestchat._native.testing import probe_wire as probe

KEYFRAME = bytes.fromhex("d002009d012a8002680100")  # 640 x 360
INTERFRAME = bytes.fromhex("d10200aabbccdd")


def hexed(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


def vp8_descriptor(
    *, start: bool, picture_id: int | None, wide: bool, tl0picidx: int | None, tid: int | None, keyidx: int | None
) -> bytes:
    flags = (picture_id is not None) << 7 | (tl0picidx is not None) << 6
    flags |= (tid is not None) << 5 | (keyidx is not None) << 4
    out = bytes([(0x80 if flags else 0) | start << 4]) + (bytes([flags]) if flags else b"")
    if picture_id is not None:
        out += (picture_id | 0x8000).to_bytes(2, "big") if wide else bytes([picture_id & 0x7F])
    if tl0picidx is not None:
        out += bytes([tl0picidx])
    if tid is not None or keyidx is not None:
        out += bytes([(tid or 0) << 6 | (keyidx or 0)])
    return out


@given(
    start=st.booleans(),
    picture_id=st.none() | st.integers(0, 2**15 - 1),
    wide=st.booleans(),
    tl0picidx=st.none() | st.integers(0, 255),
    tid=st.none() | st.integers(0, 3),
    keyidx=st.none() | st.integers(0, 31),
    keyframe=st.booleans(),
)
def test_every_vp8_descriptor(
    start: bool,
    picture_id: int | None,
    wide: bool,
    tl0picidx: int | None,
    tid: int | None,
    keyidx: int | None,
    keyframe: bool,
) -> None:
    descriptor = vp8_descriptor(
        start=start, picture_id=picture_id, wide=wide, tl0picidx=tl0picidx, tid=tid, keyidx=keyidx
    )
    view = probe.vp8_parse(descriptor + (KEYFRAME if keyframe else INTERFRAME))
    expected_id = None if picture_id is None else picture_id if wide else picture_id & 0x7F
    assert view["descriptor_size"] == len(descriptor)
    assert (view["start"], view["keyframe"]) == (start, start and keyframe)
    assert (view["picture_id"] if view["has_picture_id"] else None) == expected_id
    assert view["wide_picture_id"] == (wide and picture_id is not None)
    assert (view["tl0picidx"] if view["has_tl0picidx"] else None) == tl0picidx
    assert (view["tid"] if view["has_tid"] else None) == tid
    assert (view["keyidx"] if view["has_keyidx"] else None) == keyidx
    assert (view["width"], view["height"]) == ((640, 360) if start and keyframe else (0, 0))
    for size in range(len(descriptor) + 1):  # a descriptor alone, or a part of one, is no payload
        with pytest.raises(PeerError):
            probe.vp8_parse(descriptor[:size])


def test_the_start_of_a_later_partition_is_no_start() -> None:
    assert probe.vp8_parse(b"\x11" + KEYFRAME)["start"] == 0
    assert probe.vp8_parse(b"\x10" + KEYFRAME)["keyframe"] == 1


def test_reserved_and_non_reference_bits_are_ignored() -> None:
    view = probe.vp8_parse(b"\x78" + KEYFRAME)
    assert (view["start"], view["keyframe"], view["descriptor_size"]) == (1, 1, 1)


def test_layer_sync() -> None:
    assert probe.vp8_parse(hexed("90 20 60") + INTERFRAME)["layer_sync"] == 1
    assert probe.vp8_parse(hexed("90 20 40") + INTERFRAME)["layer_sync"] == 0


@pytest.mark.parametrize("size", range(1, 10))
def test_a_keyframe_too_short_for_its_size_is_still_one(size: int) -> None:
    view = probe.vp8_parse(b"\x10" + KEYFRAME[:size])
    assert (view["keyframe"], view["width"], view["height"]) == (1, 0, 0)


def test_a_keyframe_without_start_code_has_no_size() -> None:
    view = probe.vp8_parse(b"\x10" + KEYFRAME[:3] + bytes(8))
    assert (view["keyframe"], view["width"]) == (1, 0)


def test_scaling_bits_are_no_part_of_the_size() -> None:
    view = probe.vp8_parse(b"\x10" + KEYFRAME[:6] + hexed("80c2 6881"))
    assert (view["width"], view["height"]) == (640, 360)


@pytest.mark.parametrize(
    ("payload", "keyframe"),
    [
        ("67 42c01f", True),  # SPS
        ("68 ce3c80", False),  # PPS
        ("65 88843a", True),  # first slice of an IDR picture
        ("65 40", False),  # a later slice: first_mb_in_slice is not 0
        ("41 9a0200", False),
        ("06 05", False),  # SEI
        ("78 0003 67 42c0 0002 68ce 0002 6588", True),  # STAP-A
        ("78 0002 68ce 0002 6588", True),
        ("78 0002 68ce 0002 419a", False),
        ("7c 85 88", True),  # FU-A, start of an IDR slice
        ("7c 05 88", False),
        ("7c 45 88", False),
        ("7c 81 88", False),
        ("7c 87 42", True),
    ],
)
def test_h264(payload: str, keyframe: bool) -> None:
    assert probe.h264_keyframe(hexed(payload)) == keyframe


@pytest.mark.parametrize(
    ("payload", "keyframe"),
    [
        ("08 82", True),
        ("00 82", False),  # goes on with the frame
        ("48 86", False),  # predicted
        ("88 05 82", True),  # a picture id
        ("88 8123 82", True),
        ("8a 05 10 0280 0168 82", True),  # with the size
        ("8a 05 08 01 04 02 82", True),  # with a group of one picture and its reference
        ("a8 05 00 07 82", True),  # the lowest spatial layer
        ("a8 05 02 07 82", False),  # the second one
        ("a8 05 e0 07 82", True),  # a high temporal layer of it
        ("b8 05 00 82", True),  # flexible: no TL0PICIDX
        ("d8 05 02 86", False),
        ("d8 05 03 05 02 86", False),  # three references
    ],
)
def test_vp9(payload: str, keyframe: bool) -> None:
    assert probe.vp9_keyframe(hexed(payload)) == keyframe


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "08",  # a descriptor alone
        "88",
        "88 05",
        "88 81 23",
        "a8 05 00 07",
        "18 82",  # flexible without picture ids
        "d8 05 03 05 03 86",  # a fourth reference
        "d8 05 03",
        "8a 05 10 0280 01",
        "8a 05 f0" + 31 * "00",
        "8a 05 08 02 04 02 00",
        "8a 05 08 ff",
    ],
)
def test_impossible_vp9(payload: str) -> None:
    with pytest.raises(PeerError):
        probe.vp9_keyframe(hexed(payload))


@pytest.mark.parametrize(
    ("payload", "keyframe"), [("28 0a", True), ("18 0a", True), ("10 32", False), ("d0 00", False), ("50 32", False)]
)
def test_av1(payload: str, keyframe: bool) -> None:
    assert probe.av1_keyframe(hexed(payload)) == keyframe


@pytest.mark.parametrize("payload", ["", "08", "98 0a", "f8 0a"])
def test_impossible_av1(payload: str) -> None:
    with pytest.raises(PeerError):
        probe.av1_keyframe(hexed(payload))


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "00",  # undefined types
        "7e 0000",
        "1f 0000",
        "e7 42",  # the forbidden bit
        "65",  # a slice without content
        "78",  # STAP-A of nothing
        "78 00",
        "78 0001",
        "78 0000 67",  # of an empty unit
        "78 0002 67",  # past the packet
        "78 ffff 6742",
        "78 0002 68ce 00",
        "78 0001 65",
        "78 0002 7842",  # within another
        "7c",
        "7c 85",
        "7c c5 88",  # start and end at once
        "7c 9c 88",  # a fragment of a fragment
        "7c 80 88",
        "79 0000 0001 67",  # interleaved mode
        "7d 85 0000 88",
    ],
)
def test_impossible_h264(payload: str) -> None:
    with pytest.raises(PeerError):
        probe.h264_keyframe(hexed(payload))
