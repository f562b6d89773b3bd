"""Stamps come back whole or not at all, and CRC32C is RFC 3720's by instruction and by tables."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.core.errors import MisuseError, PeerError
from simplestchat._native.testing.probe_peer import crc32c, crc32c_portable, stamp_read, stamp_write

FIELDS = {
    "user": 1_000_000,
    "track": 1,
    "layer": 2,
    "flags": 3,
    "frame": 70_000,
    "part": 4,
    "parts": 9,
    "counter": 3_000_000_000,
    "sent_us": 2**45,
}
STAMPS = st.fixed_dictionaries(
    {
        "user": st.integers(0, 2**32 - 1),
        "track": st.integers(0, 255),
        "layer": st.integers(0, 255),
        "flags": st.integers(0, 255),
        "frame": st.integers(0, 2**32 - 1),
        "part": st.integers(0, 2**16 - 1),
        "parts": st.integers(0, 2**16 - 1),
        "counter": st.integers(0, 2**32 - 1),
        "sent_us": st.integers(0, 2**60 - 1),
    }
)
READ_PDU = bytes.fromhex(
    "01c00000000000000000000000000000140000000000040000000014000000182800000000000000" + "0200000000000000"
)


@pytest.mark.parametrize("crc", [crc32c, crc32c_portable])
@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", 0),
        (b"123456789", 0xE3069283),
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (bytes(range(31, -1, -1)), 0x113FDB5C),
        (READ_PDU, 0xD9963A56),
    ],
)
def test_crc32c_vectors(crc, data: bytes, expected: int) -> None:
    assert crc(data) == expected


@given(st.binary(max_size=400), st.integers(0, 400))
def test_instruction_and_tables_agree_and_pieces_add_up(data: bytes, cut: int) -> None:
    whole = crc32c(data)
    assert crc32c_portable(data) == whole
    assert crc32c(data[cut:], crc32c(data[:cut])) == whole
    assert crc32c_portable(data[cut:], crc32c(data[:cut])) == whole


@given(STAMPS, st.integers(48, 1500))
def test_a_stamp_comes_back(fields: dict[str, int], size: int) -> None:
    assert stamp_read(stamp_write(size, fields)) == fields


@pytest.mark.parametrize("size", [0, 47, 1501])
def test_sizes_that_cannot_be(size: int) -> None:
    with pytest.raises(MisuseError):
        stamp_write(size, FIELDS)


@pytest.mark.parametrize("size", [48, 77, 1100])
def test_every_flipped_bit_shows(size: int) -> None:
    stamp = stamp_write(size, FIELDS)
    for bit in range(8 * size):
        broken = bytearray(stamp)
        broken[bit // 8] ^= 1 << bit % 8
        with pytest.raises(PeerError):
            stamp_read(bytes(broken))


def test_a_time_that_no_clock_shows_is_refused() -> None:
    for time in (2**60, 2**63 - 1, -1):
        with pytest.raises(PeerError):
            stamp_read(stamp_write(48, FIELDS | {"sent_us": time}))


def test_bytes_cut_off_or_added_show() -> None:
    stamp = stamp_write(300, FIELDS)
    for other in (stamp[:-1], stamp[:48], stamp[:47], stamp + b"\0", stamp + stamp, b""):
        with pytest.raises(PeerError):
            stamp_read(other)


def test_filler_that_another_stamp_would_have_shows() -> None:
    one, two = stamp_write(300, FIELDS), stamp_write(300, FIELDS | {"counter": 5})
    mixed = one[:40] + two[40:-4]
    with pytest.raises(PeerError):
        stamp_read(mixed + crc32c(mixed).to_bytes(4, "big"))


def test_noise_is_no_stamp() -> None:
    noise = random.Random(1)
    for _ in range(1000):
        with pytest.raises(PeerError):
            stamp_read(noise.randbytes(noise.randrange(1500)))


def test_neighbours_do_not_look_alike() -> None:
    fillers = {stamp_write(120, FIELDS | {"counter": counter})[40:-4] for counter in range(200)}
    assert len(fillers) > 150
