"""Last N against its plainest form: a list in the order of speech, of which the first N are shown."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from simplestchat.signaling.lastn import Changes, LastN

PEERS = st.sampled_from("abcdefgh")
LIMITS = st.integers(0, 5)


def test_who_speaks_takes_the_place_of_who_was_silent_for_longest() -> None:
    some = LastN(2)
    assert [some.opened(peer) for peer in "abc"] == [[], [], [("c", True)]]
    # Nobody spoke yet: who came first stays.
    assert some.spoke("c") == [("b", True), ("c", False)]
    assert some.spoke("b") == [("a", True), ("b", False)]
    assert [peer for peer in "abc" if some.holds(peer)] == ["a"]
    # A place that becomes free is for who lost one last.
    assert some.closed("c") == [("a", False)]


def test_without_a_limit_all_are_shown_and_a_limit_keeps_who_spoke_last() -> None:
    some = LastN()
    for peer in "abcd":
        assert some.opened(peer) == []
    for peer in "bd":
        assert some.spoke(peer) == []
    assert some.set_limit(2) == [("c", True), ("a", True)]
    assert some.set_limit(3) == [("a", False)]
    assert some.set_limit(0) == [("c", False)]


def test_speech_without_a_camera_changes_nothing() -> None:
    some = LastN(1)
    some.opened("a")
    assert some.spoke("x") == []
    assert some.closed("x") == []
    assert some.opened("a") == []
    assert not some.holds("x")


class Rooms(RuleBasedStateMachine):
    """Rules: what is told of changes adds up to the first N of the order of speech being shown, and nobody else."""

    def __init__(self) -> None:
        super().__init__()
        self.some = LastN()
        self.order: list[str] = []
        self.held: set[str] = set()

    def take(self, changes: Changes, most: int) -> None:
        assert len(changes) <= most
        for peer, held in changes:
            assert (peer in self.held) != held, "nobody is told the same twice"
            (self.held.add if held else self.held.discard)(peer)

    @rule(peer=PEERS)
    def open(self, peer: str) -> None:
        if peer not in self.order:
            self.order.append(peer)
        self.take(self.some.opened(peer), 1)

    @rule(peer=PEERS)
    def close(self, peer: str) -> None:
        if peer in self.order:
            self.order.remove(peer)
        self.held.discard(peer)
        self.take(self.some.closed(peer), 1)

    @rule(peer=PEERS)
    def speak(self, peer: str) -> None:
        if peer in self.order:
            self.order.remove(peer)
            self.order.insert(0, peer)
        self.take(self.some.spoke(peer), 2)

    @rule(limit=LIMITS)
    def set_limit(self, limit: int) -> None:
        self.take(self.some.set_limit(limit), len(self.order))

    @invariant()
    def the_first_are_shown(self) -> None:
        shown = self.order[: self.some.limit] if self.some.limit else self.order
        assert self.held == set(self.order) - set(shown)
        assert {peer for peer in "abcdefgh" if self.some.holds(peer)} == self.held


Rooms.TestCase.settings = settings(max_examples=200, stateful_step_count=50)
TestRooms = Rooms.TestCase
