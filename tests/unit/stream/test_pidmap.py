"""Picture numbers over switches: without a gap, in the width that each stream has, the same for the same packet."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.testing.probe_codecs import PidMap


def ids(picture_id: int, tl0picidx: int = 0, keyidx: int = 0, bits: int = 15) -> dict[str, int]:
    return {
        "picture_bits": bits,
        "picture_id": picture_id % 2**bits,
        "has_tl0picidx": 1,
        "tl0picidx": tl0picidx % 256,
        "has_keyidx": 1,
        "keyidx": keyidx % 32,
    }


@given(st.integers(0, 2**15 - 1), st.integers(0, 255), st.integers(0, 31), st.sampled_from([7, 15]))
def test_one_stream_keeps_its_numbers(first: int, tl0picidx: int, keyidx: int, bits: int) -> None:
    pictures = PidMap()
    for at in range(300):
        given_ids = ids(first + at, tl0picidx + at // 4, keyidx + at // 100, bits)
        assert pictures.forward(given_ids) == given_ids


@pytest.mark.parametrize("bits", [7, 15])
def test_a_thousand_switches(bits: int) -> None:
    rng, pictures = Random(3), PidMap()
    last: dict[str, int] | None = None
    for _ in range(1000):
        picture, tl0picidx, keyidx = rng.randrange(2**15), rng.randrange(256), rng.randrange(32)
        pictures.switch()
        for at in range(rng.randrange(1, 12)):
            now = pictures.forward(ids(picture + at, tl0picidx + at, keyidx, bits))
            assert now is not None
            if last is not None:
                assert now["picture_id"] == (last["picture_id"] + 1) % 2**bits
                assert now["tl0picidx"] == (last["tl0picidx"] + 1) % 256
                assert now["keyidx"] == (last["keyidx"] + (at == 0)) % 32
            last = now


def test_packets_of_a_picture_and_late_ones_have_one_image() -> None:
    pictures = PidMap()
    pictures.forward(ids(100, 7, 3))
    pictures.switch()
    seen = {at: pictures.forward(ids(at, at, 9)) for at in (30000, 30001, 30003)}
    assert [seen[at]["picture_id"] for at in seen if seen[at]] == [101, 102, 104]  # type: ignore[index]
    assert pictures.forward(ids(30002, 30002, 9)) == ids(103, 10, 4)
    assert {at: pictures.forward(ids(at, at, 9)) for at in seen} == seen
    # What lies before the switch's first picture has no image.
    assert pictures.forward(ids(29999, 29999, 9)) is None


def test_a_late_packet_before_a_switch_takes_nothing_back() -> None:
    pictures = PidMap()
    for at in (10, 12, 11):
        pictures.forward(ids(at, 250 + at, 20 + at))
    pictures.switch()
    assert pictures.forward(ids(500, 77, 5)) == ids(13, 250 + 13, 20 + 13)


def test_dropped_pictures_leave_no_gap() -> None:
    pictures = PidMap()
    given_out = []
    for at in range(32760, 32760 + 40):
        if at % 4 in (1, 3):
            pictures.drop(ids(at))
            pictures.drop(ids(at))  # its second packet
            assert pictures.forward(ids(at)) is None
        else:
            given_out.append(pictures.forward(ids(at)))
    assert [now["picture_id"] for now in given_out if now] == [(32760 + at) % 2**15 for at in range(20)]


def test_a_wide_stream_behind_a_narrow_one() -> None:
    pictures = PidMap()
    assert pictures.forward(ids(127, bits=7)) == ids(127, bits=7)
    pictures.switch()
    assert (pictures.forward(ids(5000)) or {})["picture_id"] == 128
    pictures.switch()
    assert (pictures.forward(ids(3, bits=7)) or {})["picture_id"] == 1


def test_numbers_that_are_not_there_stay_so() -> None:
    pictures = PidMap()
    none = {"picture_bits": 0, "picture_id": 0, "has_tl0picidx": 0, "tl0picidx": 0, "has_keyidx": 0, "keyidx": 0}
    assert pictures.forward(none) == none
    pictures.drop(none)
    pictures.switch()
    assert pictures.forward(none) == none
    pictures.switch()
    assert (pictures.forward(ids(9, 4, 2)) or {})["has_keyidx"] == 1
