"""The ledger remembers who was given to anybody, as far back as its ring goes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simplestchat._native.core.errors import MisuseError
from simplestchat._native.testing.probe_peer import LEDGER_BITS, LEDGER_MAX_STREAMS, Ledger

STREAMS = [(1, 0, 0), (1, 0, 1), (1, 1, 0), (65536, 0, 0), (2**32 - 1, 255, 255)]


@settings(max_examples=60)
@given(st.lists(st.tuples(st.sampled_from(STREAMS), st.integers(-200, 70_000)), max_size=60))
def test_it_is_a_set_with_a_window(moves: list[tuple[tuple[int, int, int], int]]) -> None:
    ledger = Ledger()
    sets: dict[tuple[int, int, int], set[int]] = {key: set() for key in STREAMS}
    highest = dict.fromkeys(STREAMS, 0)
    for key, step in moves:
        counter = max(0, highest[key] + step)
        ledger.delivered(*key, counter)
        sets[key].add(counter)
        highest[key] = max(highest[key], counter)
    for key, known in sets.items():
        if not known:
            assert not ledger.anybody(*key, 0)
            continue
        for counter in {*known, *(each + 1 for each in known), *(max(0, each - 1) for each in known)}:
            remembered = max(known) - counter < LEDGER_BITS
            assert ledger.anybody(*key, counter) == (counter in known or not remembered)


def test_a_ring_forgets_what_it_passes() -> None:
    ledger = Ledger()
    for counter in (*range(1000), LEDGER_BITS + 100):
        ledger.delivered(7, 1, 0, counter)
    assert not any(ledger.anybody(7, 1, 0, counter) for counter in range(1000, LEDGER_BITS + 100))
    assert all(ledger.anybody(7, 1, 0, counter) for counter in (*range(101, 1000), LEDGER_BITS + 100))
    ledger.delivered(7, 1, 0, 2**32 - 1)
    assert not ledger.anybody(7, 1, 0, 2**32 - 2)


def test_too_many_encodings_are_told_and_not_blamed_on_the_way_up() -> None:
    ledger = Ledger()
    for user in range(LEDGER_MAX_STREAMS):
        ledger.delivered(user, 0, 0, 0)
    with pytest.raises(MisuseError):
        ledger.delivered(LEDGER_MAX_STREAMS, 0, 0, 0)
    assert ledger.anybody(LEDGER_MAX_STREAMS, 0, 0, 0)
    assert not ledger.anybody(5, 0, 0, 1)


def test_a_later_visit_begins_anew() -> None:
    ledger = Ledger()
    first, second, third = (7 | visit << 32 for visit in range(3))
    for counter in range(100):
        ledger.delivered(first, 1, 0, counter)
    assert not ledger.anybody(second, 1, 0, 50)
    ledger.delivered(second, 1, 0, 60)
    ledger.delivered(first, 1, 0, 70)  # late: changes nothing
    assert [ledger.anybody(second, 1, 0, counter) for counter in (50, 60, 70)] == [False, True, False]
    assert ledger.anybody(first, 1, 0, 150)  # too old to tell
    assert not ledger.anybody(third, 1, 0, 60)
