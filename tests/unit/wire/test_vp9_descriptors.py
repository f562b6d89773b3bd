"""VP9 descriptors: flexible and not, layers, references, the scalability structure, numbers written anew, facts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.codec_writers import vp9, vp9_structure

from simplestchat._native.core.errors import MisuseError, PeerError
from simplestchat._native.testing import probe_codecs as probe

FRAME = b"\x86\x00\x40"


def hexed(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


def some(found: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(found[name] for name in names)


def test_non_flexible_by_hand() -> None:
    # I P L . B E . Z, picture id 0x1234, TID 5, U, SID 3, D, TL0PICIDX 0x77.
    found = probe.vp9_parse(hexed("ed 9234 b7 77") + FRAME)
    assert some(found, "predicted", "layered", "flexible", "begins_frame", "ends_frame", "unused_above") == (
        1,
        1,
        0,
        1,
        1,
        1,
    )
    assert some(found, "picture_id", "tid", "switch_up", "sid", "inter_layer") == (0x1234, 5, 1, 3, 1)
    assert some(found, "has_tl0picidx", "tl0picidx", "reference_count", "descriptor_size") == (1, 0x77, 0, 5)


def test_flexible_by_hand() -> None:
    # I P L F ...., picture id 5 in seven bits, no TL0PICIDX, references 1, 64 and 127 back.
    found = probe.vp9_parse(hexed("f0 05 00 03 81 fe") + FRAME)
    assert some(found, "flexible", "picture_id", "wide_picture_id", "has_tl0picidx") == (1, 5, 0, 0)
    assert some(found, "references", "descriptor_size") == ([1, 64, 127], 6)


def test_a_structure_by_hand() -> None:
    # Two layers with sizes, a group of two pictures: TID 0 with U and one reference, TID 1 with two.
    payload = hexed("8a 05 38 0140 00b4 0280 0168 02 14 04 28 01 02") + FRAME
    expected = {"layer_count": 2, "sizes": [(320, 180), (640, 360)], "group": [(0, 1, [4]), (1, 0, [1, 2])]}
    assert probe.vp9_structure(payload) == expected
    assert some(probe.vp9_parse(payload), "structure_off", "width", "height", "keyframe") == (2, 320, 180, 1)


def test_a_size_is_that_of_the_packets_own_layer() -> None:
    sizes = [(320, 180), (640, 360), (1280, 720)]
    for sid in range(4):
        payload = vp9(picture_id=1, layer=(0, 0, sid, 0), structure=vp9_structure(3, sizes)) + FRAME
        assert some(probe.vp9_parse(payload), "width", "height") == ([*sizes, (0, 0)][sid])


def test_a_structure_that_is_not_there() -> None:
    with pytest.raises(MisuseError):
        probe.vp9_structure(vp9(picture_id=1) + FRAME)


def test_a_whole_group() -> None:
    group = [(at % 8, at % 2, list(range(at % 4))) for at in range(255)]
    payload = vp9(structure=vp9_structure(8, None, group)) + FRAME
    assert probe.vp9_structure(payload) == {"layer_count": 8, "sizes": None, "group": group}
    for size in (1, len(payload) // 2, len(payload) - len(FRAME)):
        with pytest.raises(PeerError):
            probe.vp9_parse(payload[:size])


LAYER = st.tuples(st.integers(0, 7), st.integers(0, 1), st.integers(0, 7), st.integers(0, 1))
DESCRIPTOR = st.fixed_dictionaries(
    {
        "picture_id": st.integers(0, 2**15 - 1),
        "wide": st.booleans(),
        "predicted": st.booleans(),
        "begins": st.booleans(),
        "ends": st.booleans(),
        "unused_above": st.booleans(),
        "layer": st.none() | LAYER,
        "tl0picidx": st.integers(0, 255),
    }
)


@given(DESCRIPTOR, st.lists(st.integers(0, 127), max_size=3))
def test_what_is_written_reads_back(fields: dict[str, Any], references: list[int]) -> None:
    flexible = fields["predicted"] and bool(references)
    descriptor = vp9(**fields, flexible=flexible, references=references if flexible else ())
    found = probe.vp9_parse(descriptor + FRAME)
    assert found["descriptor_size"] == len(descriptor)
    assert found["references"] == (references if flexible else [])
    assert found["picture_id"] == (fields["picture_id"] if fields["wide"] else fields["picture_id"] & 127)
    assert some(found, "tid", "switch_up", "sid", "inter_layer") == (fields["layer"] or (0, 0, 0, 0))
    assert found["tl0picidx"] == (fields["tl0picidx"] if fields["layer"] and not flexible else 0)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("88 8123", "88 d234"),
        ("88 05", "88 34"),  # seven bits stay seven
        ("a8 8123 b7 11", "a8 d234 b7 77"),
        ("a8 05 b7 11", "a8 34 b7 77"),
        ("28 b7 11", "28 b7 77"),  # no picture id
        ("f8 05 b7 02", "f8 34 b7 02"),  # flexible: the reference stays, there is no TL0PICIDX
        ("08", "08"),
    ],
)
def test_numbers_written_anew(before: str, after: str) -> None:
    wanted = {"picture_id": 0x5234, "tl0picidx": 0x77, "keyidx": 9}
    assert probe.vp9_rewrite(hexed(before) + FRAME, wanted) == hexed(after) + FRAME


@given(DESCRIPTOR, st.integers(0, 2**15 - 1), st.integers(0, 255))
def test_nothing_but_the_numbers_changes(fields: dict[str, Any], picture_id: int, tl0picidx: int) -> None:
    payload = vp9(**fields) + FRAME
    changed = probe.vp9_rewrite(payload, {"picture_id": picture_id, "tl0picidx": tl0picidx})
    assert changed == vp9(**fields | {"picture_id": picture_id, "tl0picidx": tl0picidx}) + FRAME
    assert probe.vp9_rewrite(changed, probe.vp9_ids(payload)) == payload


def facts(marker: bool = False, **fields: Any) -> dict[str, int]:
    return probe.vp9_facts(vp9(**fields) + FRAME, marker)


def test_facts_of_k_svc() -> None:
    base = facts(picture_id=7, layer=(0, 1, 0, 0))
    assert some(base, "keyframe", "switch_in", "switch_up", "predicted", "inter_layer") == (1, 1, 1, 0, 0)
    # Of the keyframe's picture the upper layer refers to the lower one, and may be begun there.
    upper = facts(True, picture_id=7, layer=(0, 1, 1, 1), ends=True)
    assert some(upper, "keyframe", "switch_in", "inter_layer", "stands_alone", "ends_picture") == (0, 1, 1, False, 1)
    # Later it goes on by itself.
    later = facts(picture_id=8, layer=(0, 1, 1, 0), predicted=True, unused_above=True)
    assert some(later, "keyframe", "switch_in", "inter_layer", "stands_alone", "unused_above") == (0, 0, 0, True, 1)


def test_facts_of_full_svc() -> None:
    later = facts(picture_id=8, layer=(2, 0, 1, 1), predicted=True)
    assert some(later, "spatial_id", "temporal_id", "inter_layer", "stands_alone", "switch_up") == (1, 2, 1, False, 0)
    assert facts(picture_id=8, layer=(2, 1, 1, 1), predicted=True)["switch_up"] == 1
    # The lowest layer has nothing below it, whatever it claims.
    assert facts(picture_id=8, layer=(0, 0, 0, 1), predicted=True)["inter_layer"] == 0


def test_facts_of_a_frame_in_several_packets() -> None:
    middle = facts(picture_id=8, begins=False)
    assert some(middle, "keyframe", "begins_frame", "ends_frame", "ends_picture", "switch_in") == (0, 0, 0, 0, 0)
    assert some(facts(picture_id=130, wide=False), "picture_bits", "picture_id") == (7, 2)
    assert facts()["picture_bits"] == 0
