"""Stamped payloads and plain RTP of the synthetic peers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.rtp import RtpPacket, extended_sequence
from support.stamp import (
    STAMP_SIZE,
    Stamp,
    Vp8Numbers,
    read_stamp,
    read_vp8_numbers,
    read_vp8_stamp,
    stamped,
    vp8_payload,
)
from support.subscriber import nack_items

from simplestchat._native.testing.probe_wire import rtp_extensions, rtp_payload, vp8_parse

STAMPS = st.builds(Stamp, st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))


@given(STAMPS, st.integers(STAMP_SIZE, 1200), st.data())
def test_a_stamp_tells_any_changed_byte(stamp: Stamp, size: int, data: st.DataObject) -> None:
    payload = stamped(stamp, size)
    assert len(payload) == size
    assert read_stamp(payload) == stamp
    place = data.draw(st.integers(0, size - 1))
    changed = bytearray(payload)
    changed[place] ^= data.draw(st.integers(1, 255))
    assert read_stamp(bytes(changed)) is None
    assert read_stamp(payload[:-1]) is None


NUMBERS = st.builds(
    Vp8Numbers, st.integers(0, 0x7FFF), st.integers(0, 255), st.integers(0, 31), st.integers(0, 3), st.booleans()
)


@given(STAMPS, st.integers(100, 1200), NUMBERS, st.booleans(), st.booleans())
def test_video_is_what_the_engine_reads_as_vp8(
    stamp: Stamp, size: int, numbers: Vp8Numbers, first: bool, keyframe: bool
) -> None:
    payload = vp8_payload(stamp, size, numbers, first, keyframe)
    view = vp8_parse(payload)
    assert len(payload) == size
    assert view["keyframe"] == (first and keyframe)
    counted = (view["picture_id"], view["tl0picidx"], view["keyidx"], view["tid"])
    assert counted == (numbers.picture_id, numbers.tl0picidx, numbers.keyidx, numbers.temporal)
    assert read_vp8_numbers(payload) == numbers
    assert read_vp8_stamp(payload) == (stamp, first and keyframe)


@given(
    st.integers(0, 127),
    st.booleans(),
    st.integers(0, 65535),
    st.binary(max_size=50),
    st.lists(st.tuples(st.integers(1, 14), st.binary(min_size=1, max_size=16)), max_size=4),
)
def test_rtp_agrees_with_the_engines_reader(
    payload_type: int, marker: bool, sequence: int, payload: bytes, extensions: list[tuple[int, bytes]]
) -> None:
    packet = RtpPacket(payload_type, marker, sequence, 7, 9, payload, tuple(extensions))
    assert RtpPacket.parse(bytes(packet)) == packet
    assert rtp_payload(bytes(packet)) == payload
    assert rtp_extensions(bytes(packet)) == extensions


@pytest.mark.parametrize(
    ("sequence", "highest", "index"), [(5, 65534, 65541), (65534, 65541, 65534), (100, 90, 100), (32768, 0, -32768)]
)
def test_extended_sequence(sequence: int, highest: int, index: int) -> None:
    assert extended_sequence(sequence, highest) == index


@given(st.sets(st.integers(0, 3000), max_size=60))
def test_nack_items_name_each_index_once(indices: set[int]) -> None:
    named = [
        pid + offset
        for pid, mask in nack_items(sorted(indices))
        for offset in range(17)
        if offset == 0 or mask >> (offset - 1) & 1
    ]
    assert named == sorted(indices)
