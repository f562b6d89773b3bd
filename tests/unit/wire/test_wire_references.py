"""Each parser against a slow reference: the same verdict and the same values, on good, damaged and senseless input."""

from __future__ import annotations

from collections.abc import Callable
from struct import pack
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import reference_rtcp, reference_rtp, reference_stun
from support.fuzzing import load_corpora
from support.mutations import mutants

from simplestchat._native.core.errors import PeerError
from simplestchat._native.testing import probe_rtcp, probe_wire

CORPORA = load_corpora()
COUNT = 25_000
Parser = Callable[[bytes], Any]

PAIRS: dict[str, tuple[Parser, Parser, str]] = {
    "demux": (probe_wire.demux, reference_rtp.demux, "demux"),
    "stun_parse": (probe_wire.stun_parse, reference_stun.stun_parse, "stun"),
    "stun_fingerprint": (probe_wire.stun_fingerprint, reference_stun.stun_fingerprint, "stun"),
    "rtp_parse": (probe_wire.rtp_parse, reference_rtp.rtp_parse, "rtp"),
    "rtp_payload": (probe_wire.rtp_payload, reference_rtp.rtp_payload, "rtp"),
    "rtp_extensions": (probe_wire.rtp_extensions, reference_rtp.rtp_extensions, "ext"),
    "vp8_parse": (probe_wire.vp8_parse, reference_rtp.vp8_parse, "vp8"),
    "h264_keyframe": (probe_wire.h264_keyframe, reference_rtp.h264_keyframe, "h264"),
    "vp9_keyframe": (probe_wire.vp9_keyframe, reference_rtp.vp9_keyframe, "vp9"),
    "av1_keyframe": (probe_wire.av1_keyframe, reference_rtp.av1_keyframe, "av1"),
    "rtcp_walk": (probe_rtcp.rtcp_walk, reference_rtcp.rtcp_walk, "rtcp"),
    "rtcp_parse": (probe_rtcp.rtcp_parse, reference_rtcp.rtcp_parse, "rtcp"),
    "rtcp_parse of feedback": (probe_rtcp.rtcp_parse, reference_rtcp.rtcp_parse, "twcc"),
}
EVERY_PAIR = pytest.mark.parametrize("name", PAIRS)


def mend(corpus: str, data: bytes) -> bytes:
    """Make right what would hide everything else: the length and checksum of a STUN message."""
    if corpus != "stun" or len(data) < 28:
        return data
    data = data[:2] + pack("!H", len(data) - 20) + data[4 : len(data) // 4 * 4]
    if data[-8:-4] == b"\x80\x28\x00\x04":
        data = data[:-4] + pack("!I", reference_stun.stun_fingerprint(data[:-8]))
    return data


def agree(parser: Parser, reference: Parser, data: bytes) -> bool:
    """Compare both on ``data``; whether it was accepted."""
    try:
        expected = reference(data)
    except ValueError:
        expected = None
    try:
        found = parser(data)
    except PeerError:
        found = None
    assert found == expected, data.hex()
    return found is not None


@EVERY_PAIR
def test_damaged_packets(name: str) -> None:
    parser, reference, corpus = PAIRS[name]
    accepted = 0
    for index, data in enumerate(mutants(11, COUNT, CORPORA[corpus])):
        accepted += agree(parser, reference, mend(corpus, data) if index % 2 else data)
    assert accepted > COUNT // 20


@EVERY_PAIR
@given(data=st.binary(max_size=120))
def test_noise(name: str, data: bytes) -> None:
    parser, reference, _ = PAIRS[name]
    agree(parser, reference, data)


@EVERY_PAIR
def test_every_prefix_of_a_packet(name: str) -> None:
    parser, reference, corpus = PAIRS[name]
    for entry in CORPORA[corpus]:
        for size in range(len(entry) + 1):
            agree(parser, reference, entry[:size])


@pytest.mark.parametrize("size", range(65))
def test_demux_of_every_first_byte_and_payload_type(size: int) -> None:
    edges = (0, 63, 64, 95, 96, 127, 191, 192, 223, 224, 255)
    for first in range(256):
        for second in range(256) if size == 2 else edges:
            data = bytes((first, second))[:size] + bytes(max(size - 2, 0))
            assert probe_wire.demux(data) == reference_rtp.demux(data)


@pytest.mark.parametrize(
    "name", ["stun_parse", "rtp_parse", "rtcp_parse", "vp8_parse", "h264_keyframe", "vp9_keyframe", "av1_keyframe"]
)
def test_every_first_byte_at_every_length(name: str) -> None:
    parser, reference, _ = PAIRS[name]
    for size in range(1, 65):
        for first in range(256):
            agree(parser, reference, bytes([first]) + bytes(size - 1))
            agree(parser, reference, bytes([first]) + b"\xff" * (size - 1))
