"""Facts of codecs that say little of themselves: H264, and AV1 without a dependency descriptor."""

from __future__ import annotations

import pytest

from simplestchat._native.core.errors import PeerError
from simplestchat._native.testing import probe_codecs as probe


def hexed(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


@pytest.mark.parametrize(
    ("payload", "keyframe", "begins", "discardable"),
    [
        ("67 42c01f", 1, 1, 0),  # SPS
        ("68 ce3c80", 0, 1, 0),  # PPS: leads a picture
        ("65 88843a", 1, 1, 0),
        ("65 40", 0, 0, 0),  # a later slice
        ("41 9a0200", 0, 1, 0),
        ("41 6a0200", 0, 0, 0),
        ("01 9a0200", 0, 1, 1),  # nal_ref_idc 0: nobody refers to it
        ("01 6a0200", 0, 0, 1),
        ("06 05", 0, 1, 0),  # SEI is of no picture that could be left out
        ("09 f0", 0, 1, 0),
        ("78 0003 67 42c0 0002 68ce 0002 6588", 1, 1, 0),
        ("78 0002 68ce 0002 419a", 0, 1, 0),
        ("18 0002 019a 0002 016a", 0, 1, 1),
        ("7c 85 88", 1, 1, 0),
        ("7c 05 88", 0, 0, 0),
        ("1c 81 9a", 0, 1, 1),
        ("1c 41 9a", 0, 0, 1),
    ],
)
def test_h264(payload: str, keyframe: int, begins: int, discardable: int) -> None:
    for marker in (0, 1):
        facts = probe.h264_facts(hexed(payload), bool(marker))
        assert (facts["keyframe"], facts["begins_frame"], facts["discardable"]) == (keyframe, begins, discardable)
        assert (facts["ends_frame"], facts["ends_picture"]) == (marker, marker)
        assert (facts["switch_in"], facts["switch_up"], facts["temporal_id"]) == (keyframe, keyframe, 0)


def test_av1() -> None:
    # W 2, N: a temporal unit's sequence header, then a frame that says its layer: temporal 1, spatial 2.
    facts = probe.av1_facts(hexed("28 02 0a0b 36 30"), marker=True)
    assert (facts["keyframe"], facts["begins_frame"], facts["ends_picture"]) == (1, 1, 1)
    assert (facts["temporal_id"], facts["spatial_id"], facts["predicted"]) == (1, 2, 0)
    later = probe.av1_facts(hexed("10 32aa"))
    assert (later["keyframe"], later["begins_frame"], later["predicted"], later["switch_in"]) == (0, 0, 1, 0)


@pytest.mark.parametrize(
    ("payload", "elements", "layer"),
    [
        ("10 36 48aa", 1, (2, 1)),
        ("00 03 3648aa", 1, (2, 1)),
        ("00 02 32aa 03 3648aa", 2, (2, 1)),  # the first that says it
        ("30 01 12 00 3648", 3, (2, 1)),  # an empty element
        ("90 3648", 1, None),  # goes on with an OBU: no header here
        ("50 36", 1, None),  # its header goes on in the next packet
        ("10 32aa", 1, None),
    ],
)
def test_elements_of_av1(payload: str, elements: int, layer: tuple[int, int] | None) -> None:
    found = probe.av1_parse(hexed(payload))
    assert found["element_count"] == elements
    assert ((found["temporal_id"], found["spatial_id"]) if found["layered"] else None) == layer


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "10",
        "98 0a",  # begins a sequence and goes on with what was before
        "10 80",  # the forbidden bit
        "10 36",  # a header that ends within
        "20 01 32",  # two elements, of which one is not there
        "00 02 32",
        "00 80",
        "00 ffffffffffffffff01",
        "00 8080808010",  # 2 to the 32nd
    ],
)
def test_impossible_av1(payload: str) -> None:
    with pytest.raises(PeerError):
        probe.av1_parse(hexed(payload))
