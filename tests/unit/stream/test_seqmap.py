"""Outgoing indices: continuous, unique and stable over drops, reordering and source switches."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simplestchat._native.testing.probe_stream import SEQMAP_SPANS, SeqMap


class Reference:
    """The rules with unbounded memory: a list of breaks and a dict of what was given."""

    def __init__(self, first_out: int) -> None:
        self.next_out = first_out
        self.begun = False

    def forward(self, index: int) -> int | None:
        if not self.begun:
            self.begun = True
            self.first = self.highest = index
            self.base = self.next_out
            self.dropped: set[int] = set()
        if index < self.first or index in self.dropped:
            return None
        self.highest = max(self.highest, index)
        out = self.base + (index - self.first) - sum(1 for gone in self.dropped if gone < index)
        self.next_out = max(self.next_out, out + 1)
        return out

    def drop(self, index: int) -> None:
        if self.begun and index > self.highest:
            self.dropped.add(index)
            self.highest = index

    def switch(self) -> None:
        self.begun = False


ACTIONS = st.lists(st.tuples(st.sampled_from("fffffdds"), st.integers(-8, 12)), max_size=200)


@settings(deadline=None)
@given(ACTIONS, st.sampled_from([0, 2**16 - 40, 2**32 - 40, 2**47]), st.integers(0, 2**15 - 1))
def test_agrees_with_the_reference(actions: list[tuple[str, int]], start: int, first_out: int) -> None:
    native, reference = SeqMap(first_out), Reference(first_out)
    index = start + 100
    runs = 0
    for action, jump in actions:
        if action == "s":
            native.switch()
            reference.switch()
            index += 1000 * jump if index > 20_000 else 1000 * abs(jump)
            runs = 0
            continue
        at = max(0, index + jump)
        index = max(index, at)
        if action == "d":
            native.drop(at)
            reference.drop(at)
            runs += 1
        elif runs < SEQMAP_SPANS:
            assert native.forward(at) == reference.forward(at)
        assert runs >= SEQMAP_SPANS or native.next_out == reference.next_out


def test_passes_packets_in_order_through() -> None:
    seqmap = SeqMap(500)
    assert [seqmap.forward(index) for index in range(65_530, 65_550)] == list(range(500, 520))


def test_a_dropped_packet_leaves_no_gap() -> None:
    seqmap = SeqMap(10)
    assert seqmap.forward(100) == 10
    seqmap.drop(101)
    seqmap.drop(102)
    assert seqmap.forward(103) == 11
    assert seqmap.forward(101) is None
    assert seqmap.forward(102) is None


def test_a_lost_packet_leaves_a_gap_that_it_may_fill_late() -> None:
    seqmap = SeqMap(10)
    assert seqmap.forward(100) == 10
    seqmap.drop(102)
    assert seqmap.forward(104) == 13
    assert seqmap.forward(101) == 11
    assert seqmap.forward(103) == 12


def test_a_late_drop_changes_nothing() -> None:
    seqmap = SeqMap(10)
    assert [seqmap.forward(index) for index in (100, 102)] == [10, 12]
    seqmap.drop(101)
    assert seqmap.forward(103) == 13
    assert seqmap.forward(101) == 11


def test_drops_before_the_first_packet_do_not_count() -> None:
    seqmap = SeqMap(10)
    seqmap.drop(99)
    assert seqmap.forward(100) == 10


def test_a_switch_goes_on_behind_the_highest_output() -> None:
    seqmap = SeqMap(10)
    assert [seqmap.forward(index) for index in (100, 105)] == [10, 15]
    seqmap.switch()
    assert seqmap.forward(7) == 16
    assert seqmap.forward(6) is None, "lies before the switch"
    assert seqmap.forward(8) == 17


def test_a_packet_that_fills_a_gap_last_counts_for_the_switch() -> None:
    seqmap = SeqMap(10)
    assert seqmap.forward(100) == 10
    seqmap.drop(103)
    assert seqmap.forward(102) == 12
    seqmap.switch()
    assert seqmap.forward(5000) == 13


def test_runs_older_than_the_memory_have_no_image() -> None:
    seqmap = SeqMap(0)
    assert seqmap.forward(0) == 0
    for run in range(SEQMAP_SPANS + 10):
        seqmap.drop(10 * run + 5)
        assert seqmap.forward(10 * run + 6) is not None
    assert seqmap.forward(1) is None
    assert seqmap.forward(10 * (SEQMAP_SPANS + 9) + 4) is not None


@pytest.mark.parametrize("seed", range(5))
def test_a_thousand_switches_with_reordering_and_drops(seed: int) -> None:
    """What goes out is unique and stable, and contiguous wherever nothing was lost on the way in."""
    rng = random.Random(seed)
    seqmap = SeqMap(rng.randrange(1, 2**15))
    given_out: set[int] = set()
    first_out = seqmap.next_out
    sources = [rng.randrange(2**16) for _ in range(3)]
    for _ in range(1000):
        seqmap.switch()
        before = seqmap.next_out
        which = rng.randrange(3)
        start = sources[which] = sources[which] + rng.randrange(1, 300)
        packets = list(range(start, start + rng.randrange(5, 40)))
        sources[which] = packets[-1] + 1
        gone = {index for index in packets[1:] if rng.random() < 0.3}
        # Drops are decided in order of arrival; what overtakes is only ever forwarded.
        for index in reorder(packets, gone, rng):
            if index in gone:
                seqmap.drop(index)
                continue
            out = seqmap.forward(index)
            assert out is not None
            assert out >= before
            assert out not in given_out
            assert seqmap.forward(index) == out
            given_out.add(out)
        assert seqmap.next_out > before
    assert given_out == set(range(first_out, seqmap.next_out))


def reorder(packets: list[int], gone: set[int], rng: random.Random) -> list[int]:
    """Moves some forwarded packets a few places back, never over a dropped one (whose drop would come too late)."""
    order = list(packets)
    for place in range(len(order) - 2, 0, -1):
        target = min(len(order) - 1, place + rng.randrange(4))
        if rng.random() < 0.3 and order[place] not in gone and not gone.intersection(order[place : target + 1]):
            order.insert(target, order.pop(place))
    return order
