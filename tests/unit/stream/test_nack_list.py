"""What is asked for, when, and how often, in virtual time and against a model."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simplestchat._native.testing.probe_stream import (
    NACK_CAPACITY,
    NACK_MAX_AGE_US,
    NACK_MAX_TRIES,
    NACK_MIN_GAP_US,
    NACK_NO_DEADLINE,
    NackList,
)

STARTS = [5, 2**16 - 10, 2**32 - 10, 2**48 - 200]


def sequences(items: list[tuple[int, int]]) -> list[int]:
    return [
        (pid + offset) & 0xFFFF for pid, blp in items for offset in range(17) if offset == 0 or blp >> (offset - 1) & 1
    ]


@pytest.mark.parametrize("start", STARTS)
def test_a_gap_is_asked_for_at_once(start: int) -> None:
    nack = NackList()
    assert not nack.received(start, 0)
    assert nack.deadline == NACK_NO_DEADLINE
    assert not nack.received(start + 4, 1000)
    assert nack.deadline == 1000
    items, given_up = nack.collect(1000)
    assert sequences(items) == [(start + i) & 0xFFFF for i in (1, 2, 3)]
    assert len(items) == 1
    assert given_up == 0
    assert nack.collect(1000)[0] == []


def test_asked_again_after_the_round_trip_and_never_sooner_than_20_ms() -> None:
    for rtt in (0, 5_000, 20_000, 90_000):
        gap = max(NACK_MIN_GAP_US, rtt)
        nack = NackList()
        nack.received(1, 0)
        nack.received(3, 0)
        assert nack.collect(0, rtt)[0] == [(2, 0)]
        assert nack.deadline == gap
        assert nack.collect(gap - 1, rtt)[0] == []
        assert nack.collect(gap, rtt)[0] == [(2, 0)]


def test_given_up_after_ten_tries_or_a_second() -> None:
    for rtt, tries in ((0, NACK_MAX_TRIES), (300_000, 4)):
        nack = NackList()
        nack.received(1, 0)
        nack.received(3, 0)
        asked = lost = 0
        last = 0
        while nack.deadline != NACK_NO_DEADLINE:
            last = nack.deadline
            items, given_up = nack.collect(last, rtt)
            asked += len(items)
            lost += given_up
        assert (asked, lost) == (tries, 1)
        assert last <= NACK_MAX_AGE_US
        assert nack.missing() == []


@pytest.mark.parametrize("start", STARTS)
def test_a_late_packet_is_struck_off(start: int) -> None:
    nack = NackList()
    nack.received(start, 0)
    nack.received(start + 5, 0)
    assert nack.received(start + 2, 10)
    assert not nack.received(start + 2, 11), "only once"
    assert nack.missing() == [start + 1, start + 3, start + 4]
    assert sequences(nack.collect(10)[0]) == [(start + i) & 0xFFFF for i in (1, 3, 4)]
    for late in (1, 3, 4):
        assert nack.received(start + late, 20)
    assert nack.deadline == NACK_NO_DEADLINE


def test_a_gap_that_does_not_fit_forgets_everything_and_says_so() -> None:
    nack = NackList()
    nack.received(0, 0)
    nack.received(NACK_CAPACITY + 1, 0)
    assert not nack.take_overflow()
    assert len(nack.missing()) == NACK_CAPACITY
    nack.received(NACK_CAPACITY + 3, 0)
    assert nack.take_overflow()
    assert not nack.take_overflow()
    assert nack.missing() == []
    assert nack.deadline == NACK_NO_DEADLINE
    nack.received(NACK_CAPACITY + 5, 0)
    assert nack.missing() == [NACK_CAPACITY + 4]


@pytest.mark.parametrize("jump", [NACK_CAPACITY + 2, 2**15, 2**47])
def test_a_huge_jump_costs_nothing(jump: int) -> None:
    nack = NackList()
    nack.received(0, 0)
    nack.received(jump, 0)
    assert nack.take_overflow()
    assert nack.missing() == []


def test_more_gaps_than_items_are_asked_for_in_turns() -> None:
    nack = NackList()
    nack.received(0, 0)
    for index in range(100, 1000, 100):
        nack.received(index - 98, 0)
        nack.received(index, 0)
        if nack.take_overflow():
            pytest.fail("fits")
        for filler in range(index - 97, index):
            nack.received(filler, 0)
    asked = []
    while items := nack.collect(0, 0, cap=2)[0]:
        assert len(items) <= 2
        asked += sequences(items)
    assert asked == nack.missing()


class Model:
    """A dict of missing packets and the rules of the contract, written out."""

    def __init__(self) -> None:
        self.highest: int | None = None
        self.missing: dict[int, list[int]] = {}

    def received(self, index: int, now: int) -> bool:
        if self.highest is None:
            self.highest = index
        elif index > self.highest:
            gap = range(self.highest + 1, index)
            self.highest = index
            if len(self.missing) + len(gap) > NACK_CAPACITY:
                self.missing.clear()
            else:
                self.missing.update({lost: [now, now, 0] for lost in gap})
        else:
            return self.missing.pop(index, None) is not None
        return False

    def collect(self, now: int, rtt: int) -> tuple[list[int], int]:
        asked, dead = [], []
        for index, entry in self.missing.items():
            first, due, tries = entry
            if now - first >= NACK_MAX_AGE_US or (tries >= NACK_MAX_TRIES and due <= now):
                dead.append(index)
            elif due <= now:
                asked.append(index & 0xFFFF)
                entry[1:] = [min(now + max(NACK_MIN_GAP_US, rtt), first + NACK_MAX_AGE_US), tries + 1]
        for index in dead:
            del self.missing[index]
        return asked, len(dead)


STEPS = st.lists(
    st.tuples(st.integers(-30, 40), st.integers(0, 200_000), st.booleans(), st.sampled_from([0, 50_000])), max_size=150
)


@settings(deadline=None)
@given(STEPS, st.sampled_from(STARTS))
def test_agrees_with_the_model(steps: list[tuple[int, int, bool, int]], start: int) -> None:
    nack, model = NackList(), Model()
    now, index = 0, start
    for jump, wait, collect, rtt in steps:
        now += wait
        late = max(0, index + jump)
        assert nack.received(late, now) == model.received(late, now)
        index = max(index, late)
        if collect:
            asked, given_up = model.collect(now, rtt)
            items, native_given_up = nack.collect(now, rtt)
            assert sequences(items) == asked
            assert native_given_up == given_up
        assert nack.missing() == sorted(model.missing)
        assert nack.deadline == min((entry[1] for entry in model.missing.values()), default=NACK_NO_DEADLINE)


def test_a_repair_tells_the_round_trip_once_and_smoothly() -> None:
    nack = NackList()
    nack.received(10, 0)
    nack.received(12, 1_000)
    nack.collect(2_000)
    assert nack.repaired(11, 82_000) == 80_000  # the first sample as it is
    nack.received(11, 82_000)
    assert nack.repaired(11, 500_000) == 80_000  # no longer missing: says nothing
    nack.received(14, 600_000)
    nack.collect(600_000)
    assert nack.repaired(13, 640_000) == 75_000  # an eighth of the way to 40 ms


def asked_twice(nack: NackList, packet: int, at: int) -> None:
    """It is missed, and asked for at once and 50 ms later."""
    nack.received(packet - 1, at)
    nack.received(packet + 1, at)
    nack.collect(at)
    nack.collect(at + 50_000)


def test_a_repair_of_what_was_asked_for_twice_is_only_a_guess() -> None:
    nack = NackList()
    asked_twice(nack, 11, 0)
    assert nack.repaired(11, 60_000) == 60_000  # nothing else is known
    nack.received(11, 60_000)
    asked_twice(nack, 15, 500_000)
    assert nack.repaired(15, 590_000) == 60_000  # which of the two does it answer? (Karn)
    nack.received(15, 590_000)
    nack.received(18, 900_000)
    nack.collect(900_000)
    assert nack.repaired(17, 950_000) == 50_000  # the first that is certain counts as it is


def test_a_round_trip_that_has_grown_past_the_gap_between_questions_is_learned() -> None:
    nack = NackList()
    nack.received(10, 0)
    nack.received(12, 0)
    nack.collect(0)
    assert nack.repaired(11, 30_000) == 30_000
    nack.received(11, 30_000)
    for _ in range(20):
        assert nack.repaired(11, 40_000) == 30_000  # a probe: nothing is missing
    nack.received(14, 50_000)  # now something is, and repairs that nobody needs say that we ask too often
    known = [nack.repaired(11, 60_000) for _ in range(40)]
    assert sorted(set(known)) == [30_000, 60_000, 120_000, 240_000, 400_000]
    nack.collect(100_000)
    assert nack.repaired(13, 390_000) == 290_000  # the first that is certain counts as it is
