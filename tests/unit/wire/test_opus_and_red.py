"""Opus packets and RED payloads by hand; the references beside them do the rest."""

from __future__ import annotations

import pytest

from simplestchat._native.core.errors import PeerError
from simplestchat._native.testing.probe_codecs import opus_parse, red_parse


def hexed(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


def opus(payload: str) -> tuple[int, int, int, int]:
    found = opus_parse(hexed(payload))
    return found["frame_count"], found["duration"], found["dtx"], found["has_fec"]


@pytest.mark.parametrize(
    ("payload", "frames", "duration", "dtx"),
    [
        ("78 aabbcc", 1, 960, 0),  # hybrid, 20 ms
        ("78", 1, 960, 1),  # nothing behind the first byte: silence
        ("78 aa", 1, 960, 1),
        ("79 aabb", 2, 1920, 1),  # two frames of a byte
        ("79 aabbccdd", 2, 1920, 0),
        ("7a 00 aabb", 2, 1920, 0),
        ("7b 03", 3, 2880, 1),
        ("7b 83 0100 aa", 3, 2880, 1),
        ("7b 42 02 aabb 0000", 2, 1920, 1),  # padding says nothing
        ("e0 aabb", 1, 120, 0),  # CELT, 2.5 ms
        ("18 aabb", 1, 2880, 0),  # SILK, 60 ms
    ],
)
def test_how_much_an_opus_packet_says(payload: str, frames: int, duration: int, dtx: int) -> None:
    assert opus(payload)[:3] == (frames, duration, dtx)


@pytest.mark.parametrize(
    ("payload", "fec"),
    [
        ("08 40 00", 1),  # SILK, 20 ms, mono: a bit of activity, then the bit of redundancy
        ("08 80 00", 0),
        ("78 40 00", 1),  # hybrid
        ("0c 10 00", 1),  # stereo: the side channel's
        ("0c 40 00", 1),
        ("0c a0 00", 0),
        ("10 20 00", 1),  # 40 ms: two frames of SILK
        ("10 c0 00", 0),
        ("18 10 00", 1),  # 60 ms
        ("1c 01 00", 1),
        ("f8 ff ff", 0),  # CELT has none
        ("08 40", 0),  # silence has none
    ],
)
def test_in_band_redundancy(payload: str, fec: int) -> None:
    assert opus(payload)[3] == fec


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "79 aabbcc",  # two frames of one size in three bytes
        "7a",
        "7a fc",  # a length of two bytes
        "7a 04 aabbcc",
        "7b",
        "7b 00",  # of no frame
        "7b 31" + 49 * "00",  # of 49
        "7b 07",  # 140 ms
        "7b 02 aabbcc",
        "7b 82",
        "7b 82 05 aa",
        "7b 42",
        "7b 42 05 aabb",  # more padding than there is
        "7b 42 ff",
        "78" + 1276 * "00",
    ],
)
def test_impossible_opus(payload: str) -> None:
    with pytest.raises(PeerError):
        opus_parse(hexed(payload))


def test_red() -> None:
    # Twice what came before: 1920 and 960 samples ago; F and 111, offset in 14 bits, length in 10.
    payload = hexed("ef 1e0002 ef 0f0003 6f 7811 78aabb 78cc")
    assert red_parse(payload) == [(111, 1920, b"\x78\x11"), (111, 960, b"\x78\xaa\xbb"), (111, 0, b"\x78\xcc")]
    assert red_parse(hexed("6f")) == [(111, 0, b"")]
    assert red_parse(hexed("80 ffff ff 7f") + bytes(1023)) == [(0, 0x3FFF, bytes(1023)), (127, 0, b"")]


def test_as_many_blocks_as_there_can_be() -> None:
    head = hexed("ef 000401")
    assert len(red_parse(head * 15 + b"\x6f" + bytes(15))) == 16
    with pytest.raises(PeerError):
        red_parse(head * 16 + b"\x6f" + bytes(16))


@pytest.mark.parametrize("payload", ["", "ef", "ef 0004", "ef 000401", "ef 000401 6f", "ef 000402 6f 00"])
def test_impossible_red(payload: str) -> None:
    with pytest.raises(PeerError):
        red_parse(hexed(payload))
