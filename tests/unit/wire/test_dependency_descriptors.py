"""Dependency descriptors: an example of the specification, a stream's structure, masks written anew, hostile ones."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import reference_dependency
from support.codec_writers import L1T3, L2T1_KEY, S2T2, descriptor, packed, structure, u

from simplestchat._native.core.errors import MisuseError, PeerError
from simplestchat._native.testing.probe_codecs import DependencyReader, dd_with_frame_number

#: L1T3 of appendix A.6.1 as frame 1000, put down bit by bit after the syntax of A.4.1.
L1T3_BITS = (
    *("1", "1", "000000", "0000001111101000"),  # start, end, template 0, frame number
    *("1", "0", "0", "0", "0"),  # a structure alone
    *("000000", "00010"),  # offset 0, three targets
    *("00", "01", "01", "00", "11"),  # T0 again, T1, T2, T2 again, no more
    *("101010", "101010", "100100", "010000", "010000"),  # SSS SSS SD- D-- D--
    *("0", "100110", "100010", "100000", "100000"),  # none, 4, 2, 1, 1 frames back
    "01",  # one chain, which protects all: a number below one has no bits
    *("0000", "0100", "0010", "0001", "0011"),
    "0",  # no sizes
)


def some(found: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(found[name] for name in names)


def begun(what: reference_dependency.Structure, frame_number: int = 0) -> DependencyReader:
    reader = DependencyReader()
    reader.parse(descriptor(what.offset, frame_number, brings=what))
    return reader


def test_the_first_packet_by_hand() -> None:
    data = packed(*L1T3_BITS)
    assert data == descriptor(0, 1000, brings=L1T3)
    reader = DependencyReader()
    found = reader.parse(data)
    assert some(found, "begins_frame", "ends_frame", "template_id", "frame_number") == (1, 1, 0, 1000)
    assert some(found, "known", "has_structure", "has_active", "active") == (1, 1, 0, 0b111)
    assert some(found, "dtis", "fdiffs", "chain_fdiffs", "own_switch") == ([2, 2, 2], [], [0], 1)
    assert found["bits"] == len("".join(L1T3_BITS))
    kept = reader.structure()
    assert kept is not None
    assert kept["templates"] == [vars(template) for template in L1T3.templates]
    assert kept["layers"] == [(0, 2), (0, 1), (0, 0)]
    assert kept["protected_by"] == [0, 0, 0]


def test_a_later_packet_by_hand() -> None:
    reader = begun(L1T3, 1000)
    found = reader.parse(bytes.fromhex("8403ec"))  # start of frame 1004, template 4
    assert some(found, "begins_frame", "ends_frame", "spatial_id", "temporal_id") == (1, 0, 0, 2)
    assert some(found, "dtis", "fdiffs", "chain_fdiffs", "own_switch") == ([1, 0, 0], [1], [3], 0)


def test_custom_fields_by_hand() -> None:
    reader = begun(L1T3, 1000)
    fields = ("1", "0", "000010", u(1002, 16), "0", "1", "1", "1", "1", "011", "110100")
    fdiffs = ("010001", "1011000111", "11111110011111", "00")  # 2, 200 and 4000 frames back
    found = reader.parse(packed(*fields, *fdiffs, "00000010"))
    assert some(found, "has_active", "active", "dtis") == (1, 0b011, [3, 1, 0])
    assert some(found, "fdiffs", "chain_fdiffs", "temporal_id") == ([2, 200, 4000], [2], 1)
    # The mask holds for those who come after; what was custom was of that frame alone.
    later = reader.parse(descriptor(2, 1006))
    assert some(later, "active", "has_active", "dtis", "fdiffs") == (0b011, 0, [2, 1, 0], [2])


def test_template_numbers_wrap() -> None:
    reader = begun(L2T1_KEY)
    for at, template in enumerate(L2T1_KEY.templates):
        found = reader.parse(descriptor((60 + at) % 64, at))
        assert some(found, "known", "spatial_id", "dtis") == (1, template.spatial_id, template.dtis)
    wrapped = begun(structure(["0 0 . . S"] * 5, offset=62))
    assert [wrapped.parse(descriptor(at, 1))["known"] for at in (61, 62, 63, 0, 1, 2, 3)] == [0, 1, 1, 1, 1, 1, 0]


def test_sizes() -> None:
    reader = begun(L2T1_KEY)
    assert some(reader.parse(descriptor(61, 2)), "width", "height") == (640, 360)
    assert some(reader.parse(descriptor(62, 2)), "width", "height") == (1280, 720)
    assert some(begun(L1T3).parse(descriptor(1, 2)), "width", "height") == (0, 0)


def test_before_a_structure_nothing_is_known() -> None:
    reader = DependencyReader()
    for data in (descriptor(0, 5), descriptor(0, 5, active=1, targets=1), descriptor(0, 5, fdiffs=[1])):
        assert some(reader.parse(data), "known", "frame_number", "begins_frame") == (0, 5, 1)
    assert reader.structure() is None


def test_a_new_structure_takes_the_place_of_the_old_one() -> None:
    reader = begun(L1T3, 1000)
    reader.parse(descriptor(7, 1100, brings=S2T2))
    assert some(reader.parse(descriptor(12, 1101)), "known", "spatial_id", "temporal_id") == (1, 1, 1)
    assert reader.parse(descriptor(1, 1099))["known"] == 0  # a late packet of the old one


def test_structures_are_told_apart_by_what_they_say() -> None:
    reader = begun(L1T3, 1000)
    first = reader.parse(descriptor(1, 1001))["structure"]
    assert reader.parse(descriptor(0, 1100, brings=L1T3))["structure"] == first
    other = reader.parse(descriptor(7, 1100, brings=S2T2))["structure"]
    assert other != first
    assert reader.parse(descriptor(7, 1101))["structure"] == other
    assert reader.parse(descriptor(0, 1090, brings=L1T3))["structure"] not in (first, other)  # late, and not taken


def test_a_late_structure_describes_its_own_frame_alone() -> None:
    reader = begun(S2T2, 1100)
    found = reader.parse(descriptor(0, 1000, brings=L1T3, active=0b1))
    assert some(found, "known", "dtis", "active") == (1, [2, 2, 2], 1)
    assert reader.same_as(begun(S2T2, 1100))
    # Far behind is not late: a sender began anew.
    reader.parse(descriptor(0, 800, brings=L1T3))
    assert reader.parse(descriptor(4, 801))["known"] == 1


def test_a_late_mask_holds_for_its_frame_alone() -> None:
    reader = begun(L1T3, 65530)
    reader.parse(descriptor(1, 3, active=0b001, targets=3))
    assert reader.parse(descriptor(1, 65534, active=0b111, targets=3))["active"] == 0b111
    assert reader.parse(descriptor(1, 4))["active"] == 0b001


def row(targets: int) -> str:
    return f"0 0 . . {'S' * targets}"


def test_as_many_as_there_can_be() -> None:
    # 64 templates, each with one bit, one target; then 32 targets, all with chains of their own.
    many = structure([row(1)] * 64)
    assert len((begun(many).structure() or {})["templates"]) == 64
    wide = structure([f"0 0 . {','.join('0' for _ in range(32))} {'S' * 32}"], protected_by=[*range(31), 31])
    kept = begun(wide).structure() or {}
    assert kept["protected_by"] == [*range(31), 31]
    assert kept["active"] == 2**32 - 1


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0\x00",
        descriptor(0, 1, brings=structure([row(1)] * 65)),  # more templates than numbers
        descriptor(0, 1, brings=structure([f"{at} 0 . . S" for at in range(5)])),
        descriptor(0, 1, brings=structure([f"0 {at} . . S" for at in range(9)])),
        descriptor(0, 1, brings=structure(["0 0 1,2,3,4,5,6,7,8,9 . S"])),
        descriptor(1, 1, brings=structure([row(1)])),  # a frame that its own structure does not know
        descriptor(0, 1, brings=L1T3)[:-1],
        descriptor(7, 1, fdiffs=[1] * 9),
        descriptor(7, 1, dtis=[1, 1, 1, 1], fdiffs=[9])[:4],
        descriptor(0, 1) + bytes(253),
    ],
)
def test_impossible_ones_leave_all_as_it_was(data: bytes) -> None:
    reader = begun(S2T2, 5)
    reader.parse(descriptor(7, 6, active=0b0101, targets=4))
    same = begun(S2T2, 5)
    same.parse(descriptor(7, 6, active=0b0101, targets=4))
    with pytest.raises(PeerError):
        reader.parse(data)
    assert reader.same_as(same)


def test_facts() -> None:
    reader = DependencyReader()
    first = reader.facts(descriptor(60, 9, ends=False, brings=L2T1_KEY))
    assert some(first, "keyframe", "begins_frame", "ends_frame", "switch_in", "switch_up") == (1, 1, 0, 1, 1)
    assert some(first, "picture_bits", "picture_id", "width", "present", "switches", "active") == (16, 9, 640, 3, 3, 3)
    rest = reader.facts(descriptor(60, 9, begins=False))
    assert some(rest, "keyframe", "begins_frame", "ends_frame", "ends_picture") == (0, 0, 1, 0)
    # The upper layer of the keyframe's picture: its own target can be switched to.
    upper = reader.facts(descriptor(62, 10), marker=True)
    assert some(upper, "keyframe", "spatial_id", "switch_in", "ends_picture", "predicted") == (0, 1, 1, 1, 0)
    # Between keyframes the lower layer is not of the upper target.
    lower = reader.facts(descriptor(61, 11))
    assert some(lower, "present", "switches", "predicted", "discardable", "stands_alone") == (2, 2, 1, 0, False)
    temporal = begun(L1T3).facts(descriptor(3, 3))
    assert some(temporal, "discardable", "switch_in", "temporal_id") == (1, 0, 2)
    # Of its three targets that of 15 frames a second has it as discardable, that of 30 as a switch.
    assert some(begun(L1T3).facts(descriptor(2, 2)), "discardable", "present", "switches") == (0, 0b011, 0b001)
    assert some(reader.facts(descriptor(5, 12)), "present", "keyframe", "begins_frame", "picture_id") == (0, 0, 1, 12)


MASKS = [
    descriptor(1, 5),  # three bytes become four
    descriptor(1, 5, active=0b111, targets=3),
    descriptor(1, 5, dtis=[3, 1, 0]),
    descriptor(1, 5, fdiffs=[2, 200, 4000], chains=[7]),
    descriptor(1, 5, active=0b001, targets=3, dtis=[3, 1, 0], fdiffs=[1]),
    descriptor(0, 5, brings=L1T3),
    descriptor(0, 5, brings=L1T3, active=0b100, chains=[0]),
]


@pytest.mark.parametrize("data", MASKS)
@pytest.mark.parametrize("active", [0, 0b101, 0xFFFFFFFF])
def test_a_mask_written_anew(data: bytes, active: int) -> None:
    written = begun(L1T3).write_active(data, active)
    assert len(data) <= len(written) <= len(data) + 1
    before, after = begun(L1T3).parse(data), begun(L1T3).parse(written)
    ours = {"active": active & 0b111, "has_active": 1, "bits": after["bits"], "active_pos": after["active_pos"]}
    assert after == before | ours
    for cap in range(len(written)):
        with pytest.raises(MisuseError):
            begun(L1T3).write_active(data, active, cap)
    assert begun(L1T3).write_active(data, active, len(written)) == written
    assert begun(L1T3).write_active(written, active) == written


def test_a_mask_by_hand() -> None:
    assert begun(L1T3).write_active(bytes.fromhex("c10005"), 0b110) == packed("11000001", u(5, 16), "01000", "110")


def test_a_mask_for_an_unknown_template() -> None:
    with pytest.raises(MisuseError):
        DependencyReader().write_active(descriptor(1, 5), 1)


def test_padding_is_not_kept() -> None:
    assert begun(L1T3).write_active(descriptor(1, 5, active=1, targets=3) + bytes(9), 0b011) == descriptor(
        1, 5, active=0b011, targets=3
    )


@given(st.sampled_from(MASKS), st.integers(0, 65535))
def test_a_frame_number_written_anew(data: bytes, frame_number: int) -> None:
    written = dd_with_frame_number(data, frame_number)
    assert written == data[:1] + frame_number.to_bytes(2, "big") + data[3:]
    assert begun(L1T3).parse(written)["frame_number"] == frame_number


@pytest.mark.parametrize("size", range(3))
def test_a_frame_number_needs_its_bytes(size: int) -> None:
    with pytest.raises(PeerError):
        dd_with_frame_number(bytes(size), 1)


LAYERS = st.lists(st.sampled_from([0, 1, 2]), max_size=12)


@st.composite
def structures(draw: st.DrawFn) -> reference_dependency.Structure:
    """Any structure whose layers fit."""
    targets, spatial, temporal, rows = draw(st.integers(1, 32)), 0, 0, []
    for step in [0, *draw(LAYERS)]:
        if step == 1 and temporal < 7:
            temporal += 1
        elif step == 2 and spatial < 3:
            spatial, temporal = spatial + 1, 0
        rows.append((spatial, temporal))
    chains = draw(st.integers(0, min(targets, 4)))
    templates = [
        reference_dependency.Template(
            *row,
            draw(st.lists(st.integers(0, 3), min_size=targets, max_size=targets)),
            draw(st.lists(st.integers(1, 16), max_size=3)),
            draw(st.lists(st.integers(0, 15), min_size=chains, max_size=chains)),
        )
        for row in rows
    ]
    protected = draw(st.lists(st.integers(0, chains - 1), min_size=targets, max_size=targets)) if chains else []
    size = st.tuples(st.integers(1, 65535), st.integers(1, 65535))
    sizes = draw(st.none() | st.lists(size, min_size=spatial + 1, max_size=spatial + 1))
    active = 2**targets - 1
    return reference_dependency.Structure(
        draw(st.integers(0, 63)), targets, 0, templates, chains, protected, sizes, active, 0
    )


@given(structures(), st.data())
def test_every_structure_reads_back(what: reference_dependency.Structure, data: st.DataObject) -> None:
    first = descriptor(what.offset, 0, brings=what)
    if len(first) > 255:
        return
    reader = begun(what)
    reference = reference_dependency.DependencyReader()
    reference.parse(first)
    assert reader.structure() == reference.structure()
    assert (reader.structure() or {})["templates"] == [vars(template) for template in what.templates]
    at = data.draw(st.integers(0, len(what.templates) - 1))
    later = descriptor((what.offset + at) % 64, 1)
    mask = data.draw(st.integers(0, 2**what.targets - 1))
    assert reader.parse(reader.write_active(later, mask))["active"] == mask
    assert reader.parse(later)["dtis"] == what.templates[at].dtis
