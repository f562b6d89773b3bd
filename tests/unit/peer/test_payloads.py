"""Payload descriptors are what the codecs' RFCs say, by other readers and by hand, and are found again."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from aiortc.codecs.h264 import H264PayloadDescriptor
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st
from support.synthetic import AV1, H264, OPUS, VP8, VP9

from simplestchat._native.core.errors import MisuseError, NativeError
from simplestchat._native.testing.probe_peer import payload_read, payload_write
from simplestchat._native.testing.probe_wire import av1_keyframe, h264_keyframe, vp8_parse, vp9_keyframe

BODY = bytes.fromhex("53c4a7ed") + bytes(44)  # what stands where the stamp would
VIDEO = (VP8, H264, VP9, AV1)
FRAMES = st.fixed_dictionaries(
    {
        "keyframe": st.integers(0, 1),
        "first": st.integers(0, 1),
        "last": st.integers(0, 1),
        "temporal_layer": st.integers(0, 3),
        "width": st.integers(1, 16383),
        "height": st.integers(1, 16383),
        "picture_id": st.integers(0, 2**32 - 1),
    }
)


def written(codec: int, **fields: int) -> bytes:
    return payload_write({"codec": codec, "width": 1280, "height": 720} | fields)


@given(fields=FRAMES)
def test_the_server_sees_where_a_keyframe_of_any_codec_begins(fields: dict[str, int]) -> None:
    begins = bool(fields["keyframe"] and fields["first"])

    def sent(codec: int) -> bytes:
        return payload_write({"codec": codec} | fields) + BODY

    assert vp8_parse(sent(VP8))["keyframe"] == begins
    assert h264_keyframe(sent(H264)) == begins
    assert vp9_keyframe(sent(VP9)) == begins
    assert av1_keyframe(sent(AV1)) == begins


class Bits:
    """Reads bits, first one first."""

    def __init__(self, data: bytes) -> None:
        self.text = "".join(f"{byte:08b}" for byte in data)

    def __call__(self, count: int) -> int:
        value, self.text = int(self.text[:count], 2), self.text[count:]
        return value


@pytest.mark.parametrize("codec", VIDEO)
@given(fields=FRAMES)
def test_what_is_written_is_found_again(codec: int, fields: dict[str, int]) -> None:
    prefix = payload_write({"codec": codec} | fields)
    assert len(prefix) <= 64
    offset, found = payload_read(codec, prefix + BODY)
    assert offset == len(prefix)
    assert found["codec"] == codec
    assert found["first"] == fields["first"]
    if fields["first"] or codec in (VP9, H264):
        assert found["keyframe"] == fields["keyframe"]
    if codec != VP8:
        assert found["last"] == fields["last"]
    if codec in (VP8, VP9):
        assert found["picture_id"] == fields["picture_id"] % 2**15
        assert found["temporal_layer"] == fields["temporal_layer"]
    if fields["first"] and fields["keyframe"] and codec != H264:
        assert (found["width"], found["height"]) == (fields["width"], fields["height"])


@pytest.mark.parametrize("codec", [OPUS, *VIDEO])
def test_every_prefix_too_short_is_refused(codec: int) -> None:
    for keyframe, first, last in itertools.product((0, 1), repeat=3):
        if codec == OPUS and (keyframe or not first or not last):
            continue
        prefix = written(codec, keyframe=keyframe, first=first, last=last, picture_id=77)
        with pytest.raises(MisuseError):
            payload_write(
                {
                    "codec": codec,
                    "width": 1280,
                    "height": 720,
                    "keyframe": keyframe,
                    "first": first,
                    "last": last,
                },
                cap=len(prefix) - 1,
            )
        for size in range(len(prefix)):
            with pytest.raises(NativeError):
                payload_read(codec, prefix[:size])


@pytest.mark.parametrize(
    "fields",
    [
        {"codec": 0},
        {"codec": 6},
        {"codec": VP8, "keyframe": 1, "width": 0, "height": 5},
        {"codec": VP9, "keyframe": 1, "width": 5, "height": 20000},
        {"codec": VP8, "temporal_layer": 4},
        {"codec": VP9, "spatial_layer": 8},
    ],
)
def test_frames_that_cannot_be(fields: dict[str, int]) -> None:
    with pytest.raises(NativeError):
        payload_write(fields)
    with pytest.raises(NativeError):
        payload_read(0, BODY)


def flags(found: dict[str, Any]) -> tuple[int, ...]:
    return found["first"], found["keyframe"], found["last"], found["picture_id"], found["width"], found["height"]


@pytest.mark.parametrize("codec", VIDEO)
def test_a_flipped_bit_is_refused_or_tells_another_story(codec: int) -> None:
    # A receiver compares the story with the stamp's, so only what neither tells may pass: a temporal layer, or the
    # picture's number, which a server may write anew.
    for keyframe, first, last in itertools.product((0, 1), repeat=3):
        prefix = written(codec, keyframe=keyframe, first=first, last=last, picture_id=0x1234)
        story = payload_read(codec, prefix + BODY)
        for bit in range(8 * len(prefix)):
            broken = bytearray(prefix)
            broken[bit // 8] ^= 1 << bit % 8
            try:
                found = payload_read(codec, bytes(broken) + BODY)
            except NativeError:
                continue
            assert found[0] != story[0] or flags(found[1]) != flags(story[1])


@given(FRAMES)
def test_vp8_reads_as_others_do(fields: dict[str, int]) -> None:
    prefix = payload_write({"codec": VP8} | fields)
    ours = vp8_parse(prefix + BODY)
    theirs, rest = VpxPayloadDescriptor.parse(prefix + BODY)
    assert theirs.picture_id == ours["picture_id"] == fields["picture_id"] % 2**15
    assert theirs.partition_start == ours["start"] == fields["first"]
    assert theirs.partition_id == 0
    assert theirs.tid is None if fields["temporal_layer"] == 0 else theirs.tid[0] == fields["temporal_layer"]
    assert ours["keyframe"] == (fields["first"] and fields["keyframe"])
    assert rest.endswith(BODY)
    if ours["keyframe"]:
        assert (ours["width"], ours["height"]) == (fields["width"], fields["height"])


@given(FRAMES)
def test_h264_reads_as_others_do(fields: dict[str, int]) -> None:
    prefix = payload_write({"codec": H264} | fields)
    assert h264_keyframe(prefix + BODY) == bool(fields["first"] and fields["keyframe"])
    descriptor, unit = H264PayloadDescriptor.parse(prefix + BODY)
    assert descriptor.first_fragment == fields["first"]
    if fields["first"]:
        assert unit[:4] == bytes([0, 0, 0, 1])
        assert unit[4] & 0x1F == (5 if fields["keyframe"] else 1)
        assert unit[5] >> 7 == 1  # first_mb_in_slice 0
    assert unit.endswith(BODY)


def test_h264_parts_of_a_frame_are_one_unit() -> None:
    unit = b""
    for part in range(3):
        prefix = written(H264, keyframe=1, first=part == 0, last=part == 2)
        unit += H264PayloadDescriptor.parse(prefix + BODY)[1]
    assert unit == bytes.fromhex("0000000165 88") + 3 * BODY


def test_opus_is_a_toc_byte() -> None:
    toc = written(OPUS, first=1, last=1)
    assert toc == b"\x78"
    bits = Bits(toc)
    assert bits(5) == 15  # hybrid, full band, 20 ms (RFC 6716 table 2)
    assert bits(1) == 0  # mono
    assert bits(2) == 0  # one frame
    for other in range(256):
        if other != 0x78:
            with pytest.raises(NativeError):
                payload_read(OPUS, bytes([other]) + BODY)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # I, B, E, V; 15 bits of picture id; one spatial layer with its size; frame header with the size less one
        ({"keyframe": 1, "first": 1, "last": 1}, "8e 9234 10 0500 02d0 82 498342 204ff02cf0"),
        ({"keyframe": 1, "first": 1}, "8a 9234 10 0500 02d0 82 498342 204ff02cf0"),
        ({"keyframe": 1, "last": 1}, "84 9234"),
        # P: predicted from pictures before
        ({"first": 1, "last": 1}, "cc 9234 86"),
        ({}, "c0 9234"),
        # L: temporal layer 2, TL0PICIDX
        ({"first": 1, "temporal_layer": 2}, "e8 9234 40 1a 86"),
    ],
)
def test_vp9_by_hand(fields: dict[str, int], expected: str) -> None:
    prefix = written(VP9, picture_id=0x1234, **fields)
    assert prefix == bytes.fromhex(expected.replace(" ", ""))


def test_vp9_keyframe_header_by_the_bitstream_specification() -> None:
    bits = Bits(written(VP9, keyframe=1, first=1, width=1920, height=1080)[8:])
    assert bits(2) == 2  # frame_marker
    assert bits(2) == 0  # profile
    assert bits(1) == 0  # show_existing_frame
    assert bits(1) == 0  # frame_type: KEY_FRAME
    assert bits(1) == 1  # show_frame
    assert bits(1) == 0  # error_resilient_mode
    assert bits(24) == 0x498342  # frame_sync_code
    assert bits(3) == 1  # color_space: CS_BT_601
    assert bits(1) == 0  # color_range
    assert bits(16) + 1 == 1920
    assert bits(16) + 1 == 1080
    assert bits(1) == 0  # render_and_frame_size_different


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        # Y, W = 2, N; sequence header of 13 bytes; frame OBU and the first byte of its header
        ({"keyframe": 1, "first": 1}, "68 0d 08 0000002ff827f81679fb6010 30 10"),
        ({"keyframe": 1, "first": 1, "last": 1}, "28 0d 08 0000002ff827f81679fb6010 30 10"),
        # Z, Y, W = 1
        ({"keyframe": 1}, "d0"),
        ({"last": 1}, "90"),
        ({"first": 1, "last": 1}, "10 30 30"),
    ],
)
def test_av1_by_hand(fields: dict[str, int], expected: str) -> None:
    assert written(AV1, **fields) == bytes.fromhex(expected.replace(" ", ""))


def test_av1_sequence_header_by_the_bitstream_specification() -> None:
    prefix = written(AV1, keyframe=1, first=1, width=1920, height=1080)
    assert prefix[1] == 13
    bits = Bits(prefix[2:15])
    assert bits(8) == 1 << 3  # obu_type 1, no extension, no size field
    assert bits(3) == 0  # seq_profile
    assert bits(2) == 0  # still_picture, reduced_still_picture_header
    assert bits(2) == 0  # timing_info, initial_display_delay
    assert bits(5) == 0  # operating_points_cnt_minus_1
    assert bits(12) == 0  # operating_point_idc
    assert bits(5) <= 7  # seq_level_idx: no seq_tier follows
    width_bits, height_bits = bits(4) + 1, bits(4) + 1
    assert bits(width_bits) + 1 == 1920
    assert bits(height_bits) + 1 == 1080
    assert bits(1) == 0  # frame_id_numbers_present_flag
    bits(7)  # 128x128, filter intra, intra edge, interintra, masked, warped, dual filter
    assert bits(1) == 0  # enable_order_hint: nothing more of it follows
    assert bits(1) == 1  # seq_choose_screen_content_tools, so
    assert bits(1) == 1  # seq_choose_integer_mv
    bits(3)  # superres, cdef, restoration
    assert bits(4) == 0  # high_bitdepth, mono_chrome, color_description, color_range
    assert bits(2) == 0  # chroma_sample_position
    assert bits(2) == 0  # separate_uv_delta_q, film_grain_params_present
    assert bits.text == "10000"  # trailing bits
