"""RTP headers, padding and header extensions (RFC 3550, RFC 8285)."""

from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.core.errors import MisuseError, PeerError
from simplestchat._native.testing import probe_wire as probe

U7, U16, U32 = (st.integers(0, 2**bits - 1) for bits in (7, 16, 32))
ONE_BYTE = st.lists(st.tuples(st.integers(1, 14), st.binary(min_size=1, max_size=16)), max_size=20)
TWO_BYTE = st.lists(st.tuples(st.integers(1, 255), st.binary(max_size=255)), max_size=8)
FIXED = bytes.fromhex("8060000100000002deadbeef")


def extended(profile: int, body: bytes, payload: bytes = b"") -> bytes:
    return b"\x90" + FIXED[1:] + pack("!HH", profile, len(body) // 4) + body + payload


@given(payload_type=U7, marker=st.booleans(), sequence=U16, timestamp=U32, ssrc=U32, padding=st.booleans())
def test_a_header_comes_back(
    payload_type: int, marker: bool, sequence: int, timestamp: int, ssrc: int, padding: bool
) -> None:
    data = probe.rtp_write(payload_type, marker, sequence, timestamp, ssrc, padding=padding)
    view = probe.rtp_parse(data)
    assert (view["payload_type"], view["marker"], view["sequence"]) == (payload_type, marker, sequence)
    assert (view["timestamp"], view["ssrc"], view["has_padding"]) == (timestamp, ssrc, padding)
    assert (view["header_size"], view["ext_profile"], view["csrc_count"]) == (12, 0, 0)


@given(elements=ONE_BYTE)
def test_one_byte_extensions_come_back(elements: list[tuple[int, bytes]]) -> None:
    data = probe.rtp_write(96, False, 1, 2, 3, elements)
    assert probe.rtp_extensions(data) == elements
    assert probe.rtp_parse(data)["ext_profile"] == 0xBEDE
    assert len(data) % 4 == 0
    for id, _ in elements:
        assert probe.rtp_extension(data, id) == dict(reversed(elements))[id]


@given(elements=TWO_BYTE)
def test_two_byte_extensions_come_back(elements: list[tuple[int, bytes]]) -> None:
    data = probe.rtp_write(96, False, 1, 2, 3, elements, two_byte=True, cap=3000)
    assert probe.rtp_extensions(data) == elements
    assert probe.rtp_parse(data)["ext_profile"] == 0x1000


@given(elements=ONE_BYTE, two_byte=st.booleans())
def test_a_block_fits_exactly_or_not_at_all(elements: list[tuple[int, bytes]], two_byte: bool) -> None:
    data = probe.rtp_write(96, False, 1, 2, 3, elements, two_byte=two_byte)
    assert probe.rtp_write(96, False, 1, 2, 3, elements, two_byte=two_byte, cap=len(data)) == data
    for cap in range(len(data)):
        with pytest.raises(MisuseError):
            probe.rtp_write(96, False, 1, 2, 3, elements, two_byte=two_byte, cap=cap)


@pytest.mark.parametrize("size", range(256))
def test_a_value_of_every_size_is_copied_whole(size: int) -> None:
    value = bytes(range(1, 256))[:size]
    assert probe.rtp_extensions(probe.rtp_write(96, False, 1, 2, 3, [(7, value)], two_byte=True)) == [(7, value)]


@pytest.mark.parametrize("element", [(0, b"x"), (15, b"x"), (1, b""), (1, bytes(17)), (255, b"x")])
def test_what_the_one_byte_form_cannot_say(element: tuple[int, bytes]) -> None:
    with pytest.raises(MisuseError):
        probe.rtp_write(96, False, 1, 2, 3, [element])


def test_id_0_is_padding_in_the_two_byte_form_too() -> None:
    with pytest.raises(MisuseError):
        probe.rtp_write(96, False, 1, 2, 3, [(0, b"x")], two_byte=True)


@pytest.mark.parametrize(
    ("profile", "body", "expected"),
    [
        (0xBEDE, "10aa00002100bb", [(1, b"\xaa"), (2, b"\x00\xbb")]),  # padding between elements
        (0xBEDE, "10aa0300cccc", [(1, b"\xaa")]),  # id 0 with a length ends it
        (0xBEDE, "10aaf0bb20cc", [(1, b"\xaa")]),  # id 15 ends it
        (0xBEDE, "10aa2fbb", [(1, b"\xaa")]),  # a value past the block
        (0xBEDE, "00000000", []),
        (0x1000, "01000200", [(1, b""), (2, b"")]),
        (0x1000, "000101aa0002bbcc", [(1, b"\xaa")]),  # padding, an element, padding, a value past the block
        (0x1000, "0102aabb00000005", [(1, b"\xaa\xbb")]),  # an id without its size
        (0x100F, "0f01aa00", [(15, b"\xaa")]),  # appbits are ignored, 15 is an id like others
        (0x1010, "0101aa00", []),
        (0x0000, "0101aa00", []),
        (0xBEDF, "10aa0000", []),
    ],
)
def test_walk(profile: int, body: str, expected: list[tuple[int, bytes]]) -> None:
    raw = bytes.fromhex(body)
    assert probe.rtp_extensions(extended(profile, raw + bytes(-len(raw) % 4))) == expected


def test_find_takes_the_first() -> None:
    data = extended(0xBEDE, bytes.fromhex("10aa20bb10cc3000"), b"payload")
    assert probe.rtp_extension(data, 1) == b"\xaa"
    assert probe.rtp_extension(data, 3) == b"\x00"
    assert probe.rtp_extension(data, 4) is None
    assert probe.rtp_payload(data) == b"payload"


@pytest.mark.parametrize("version", [0, 1, 3])
def test_only_version_2(version: int) -> None:
    with pytest.raises(PeerError):
        probe.rtp_parse(bytes([version << 6]) + FIXED[1:])


@pytest.mark.parametrize(
    "data",
    [
        FIXED[:-1],
        b"\x81" + FIXED[1:] + bytes(3),  # a CSRC too few
        b"\x8f" + FIXED[1:] + bytes(59),
        b"\x90" + FIXED[1:],  # no extension header
        b"\x90" + FIXED[1:] + bytes(3),
        b"\x90" + FIXED[1:] + bytes.fromhex("bede0001") + bytes(3),
        b"\x90" + FIXED[1:] + bytes.fromhex("bedeffff") + bytes(100),
        FIXED + bytes(65536 - 12),
    ],
    ids=lambda data: f"{data[0]:02x}-{len(data)}",
)
def test_headers_past_their_packet(data: bytes) -> None:
    with pytest.raises(PeerError):
        probe.rtp_parse(data)


def test_the_largest_header() -> None:
    body = bytes(4 * 16000)
    view = probe.rtp_parse(b"\x9f" + FIXED[1:] + bytes(60) + pack("!HH", 0xBEDE, 16000) + body)
    assert (view["csrc_count"], view["header_size"]) == (15, 12 + 60 + 4 + len(body))


@pytest.mark.parametrize(("tail", "left"), [("01", 0), ("aa02", 0), ("aabb01", 2), ("aabb03", 0), ("00000001", 3)])
def test_padding(tail: str, left: int) -> None:
    raw = bytes.fromhex(tail)
    assert probe.rtp_payload(b"\xa0" + FIXED[1:] + raw) == raw[:left]


@pytest.mark.parametrize("tail", ["", "00", "aabb00", "02", "aabb04", "ff"])
def test_impossible_padding(tail: str) -> None:
    with pytest.raises(PeerError):
        probe.rtp_payload(b"\xa0" + FIXED[1:] + bytes.fromhex(tail))
