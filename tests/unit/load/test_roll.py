"""What a user was told of its room: who is there with which tracks, in whatever order, and what cannot be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat.load import scenario as s
from simplestchat.load.plan import Plan, name_of
from simplestchat.load.roll import Roll
from simplestchat.load.rooms import Room
from simplestchat.signaling.data import PeerInfo, ProducerInfo

CALM = s.Scenario(name="calm", shape=s.Shape(clients=8, room_size=4), publish=s.Publish(video="360p15"))


def churning(crash_share: float) -> s.Scenario:
    return s.Scenario(
        name="churn",
        shape=s.Shape(clients=4),
        publish=s.Publish(video="360p15"),
        ramp=s.Ramp(joins_per_s=100, hold_s=60),
        churn=s.Churn(share=1.0, stay_s=1, away_s=1, crash_share=crash_share),
    )


class Told:
    """A roll of the first room, and what it blamed. Peers are called as they are named."""

    def __init__(self, scenario: s.Scenario = CALM, room: int = 0) -> None:
        self.words: list[str] = []
        self.room = Room(room, "r", None)
        plan = Plan(scenario, 1)
        self.roll = Roll(
            plan,
            self.room,
            lambda index, visit: plan.visits(index)[visit].ending == "leave",
            lambda word, what: self.words.append(f"{word}: {what}"),
        )

    def joined(self, name: str) -> None:
        self.room.meet(name, name)
        self.roll.joined(name)

    def opened(self, name: str, *, video: bool) -> None:
        self.roll.opened(name, producer_of(name, video=video), video=video)

    def closed(self, name: str, *, video: bool) -> None:
        self.roll.closed(name, producer_of(name, video=video))

    @property
    def known(self) -> tuple[int, int, int]:
        return self.roll.peers, self.roll.tracks[False], self.roll.tracks[True]


def producer_of(name: str, *, video: bool) -> str:
    return f"{name} {'camera' if video else 'microphone'}"


def peer(name: str, *kinds: bool) -> PeerInfo:
    producers = [
        ProducerInfo(
            producer_id=producer_of(name, video=video),
            kind="video" if video else "audio",
            source="camera" if video else "microphone",
            paused=False,
        )
        for video in kinds
    ]
    return PeerInfo(peer_id=name, name=name, role="member", producers=producers)


def test_a_snapshot_and_what_follows_it() -> None:
    told = Told()
    told.roll.snapshot([peer("u1", False, True), peer("u3", False)])
    assert told.known == (0b1010, 0b1010, 0b0010)
    told.opened("u3", video=True)
    told.closed("u1", video=False)
    told.joined("u0")
    assert told.known == (0b1011, 0b1000, 0b1010)
    told.roll.left("u3")
    assert told.known == (0b0011, 0, 0b0010)
    told.roll.snapshot([peer("u2")])
    assert told.known == (0b0100, 0, 0)
    assert told.words == []


def test_people_who_are_not_ours_are_passed_over() -> None:
    told = Told()
    told.roll.snapshot([peer("Chromium", False, True)])
    told.opened("Chromium", video=True)
    told.closed("Chromium", video=True)
    told.roll.left("Chromium")
    assert told.known == (0, 0, 0)
    assert told.words == []


@pytest.mark.parametrize("ghost_first", [True, False])
def test_who_crashed_may_linger_and_is_not_mistaken_for_the_later_visit(ghost_first: bool) -> None:
    told = Told(churning(crash_share=1.0))
    ghost, back = name_of(2, 0), name_of(2, 1)
    both = [peer(ghost, False, True), peer(back, False)]
    told.roll.snapshot(both if ghost_first else both[::-1])
    assert told.known == (0b100, 0b100, 0), "the ghost's camera is not the visit's"
    told.opened(back, video=True)
    told.closed(ghost, video=True)
    told.roll.left(ghost)
    assert told.known == (0b100, 0b100, 0b100)
    told.closed(back, video=True)
    told.roll.left(back)
    assert told.known == (0, 0, 0)
    assert told.words == []


def test_a_later_visit_that_is_not_told_is_stale() -> None:
    told = Told(churning(crash_share=1.0))
    told.joined("u1")
    told.joined("u2")
    assert told.roll.stale({1: 0, 2: 1}) == 0b100
    told.joined("u2.1")
    assert told.roll.stale({1: 0, 2: 1}) == 0
    assert told.roll.stale({1: 0, 2: 2}) == 0b100


@pytest.mark.parametrize("order", [("u2", "u2.1"), ("u2.1", "u2")])
def test_who_left_with_a_goodbye_and_is_still_there_is_a_ghost(order: tuple[str, str]) -> None:
    told = Told(churning(crash_share=0.0))
    for name in order:
        told.joined(name)
    assert told.words == ["ghost: visit 0 of user 2 has ended and is still there"]
    right = Told(churning(crash_share=0.0))
    right.joined("u2")
    right.roll.left("u2")
    right.joined("u2.1")
    assert right.words == []


def test_what_belongs_into_another_room_is_a_ghost() -> None:
    told = Told(room=1)
    told.joined("u4")
    told.joined("u1")
    told.joined("u8")
    assert told.known[0] == 0b0001
    assert told.words == ["ghost: user 1 belongs into another room", "ghost: user 8 belongs into another room"]


def test_tracks_that_nobody_was_to_publish_are_ghosts() -> None:
    told = Told(
        s.Scenario(name="x", shape=s.Shape(clients=4, presenters=1), publish=s.Publish(audio=False, video="720p30"))
    )
    for name in ("u0", "u1"):
        told.joined(name)
    told.opened("u0", video=True)
    assert told.words == []
    told.opened("u0", video=False)
    told.opened("u1", video=True)
    assert told.words == ["ghost: user 0 has no microphone", "ghost: user 1 has no camera"]


def test_a_track_of_somebody_whom_nobody_was_told_of() -> None:
    told = Told()
    told.opened("u2", video=True)
    assert [word.partition(":")[0] for word in told.words] == ["not-announced"]


@given(st.lists(st.tuples(st.sampled_from(("join", "leave", "open", "close")), st.integers(0, 3), st.booleans())))
def test_bits_are_what_a_set_would_hold(events: list[tuple[str, int, bool]]) -> None:
    told = Told()
    peers: set[int] = set()
    tracks: set[tuple[int, bool]] = set()
    for what, place, video in events:
        name = f"u{place}"
        told.room.meet(name, name)
        if what == "join":
            told.joined(name)
            peers.add(place)
        elif what == "leave":
            told.roll.left(name)
            peers.discard(place)
            tracks -= {(place, False), (place, True)}
        elif what == "open" and place in peers:
            told.opened(name, video=video)
            tracks.add((place, video))
        elif what == "close":
            told.roll.closed(name, producer_of(name, video=video))
            tracks.discard((place, video))
    assert told.roll.peers == sum(1 << place for place in peers)
    for video in (False, True):
        assert told.roll.tracks[video] == sum(1 << place for place, other in tracks if other == video)
    assert told.words == []
