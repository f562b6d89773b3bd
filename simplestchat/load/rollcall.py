"""Whether everybody is told of everybody: what the server announced against what the plan and our own users know.

Rules:
 - Everybody in a room is told of all others in it and of all their tracks, whether it wants them or not.
 - A user of this process is there from ``room.join``'s answer on, its tracks from ``producer.create``'s, while its
   connection stands and until it begins to leave. What of it is not announced ``PATIENCE_S`` later is missing.
 - Of a user of another process the plan says when it is there, and ``LONG_PATIENCE_S`` are granted.
 - Who left with a goodbye is gone ``LONG_PATIENCE_S`` later, or is a ghost. Who crashed may linger: see ``roll``.
 - Several looks in a row must agree, so that a machine that stood still for a while accuses nobody. Each fault is told
   once in a visit.
 - Looking takes a small share of the time, however many are there: then it looks less often.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import trio

from simplestchat.load.counts import now_us

if TYPE_CHECKING:
    from simplestchat.load.plan import Visit
    from simplestchat.load.stay import Stay
    from simplestchat.load.world import World

PATIENCE_S = 4.0
LONG_PATIENCE_S = 10.0
LOOK_S = 1.0
LEAST_LOOKS = 3
SHARE = 0.05  # of the time, at most
TURN = 100  # users looked at before other tasks run again
_US = 1_000_000
_TOLD: Final = {"peer": "is there", "microphone": "has a microphone", "camera": "has a camera"}


@dataclass
class There:
    """Who is in a room and has which tracks, as bits by place; ``left``: who must be gone."""

    peers: int = 0
    tracks: dict[bool, int] = field(default_factory=lambda: {False: 0, True: 0})
    visits: dict[int, int] = field(default_factory=dict)
    """Of those who came again."""
    left: int = 0


class Called:
    """What was found of one stay: since when, and how often in a row, something is missing or too much."""

    __slots__ = ("found", "stay", "told")

    def __init__(self, stay: Stay) -> None:
        self.stay = stay
        self.found: dict[tuple[str, int], tuple[int, int]] = {}
        self.told: set[tuple[str, int]] = set()


class RollCall:
    """Over all rooms that this process has users in."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rooms: dict[int, dict[int, Called]] = {}
        """By room and place: the latest stays."""
        self._plans: dict[int, tuple[tuple[int, bool, tuple[Visit, ...]], ...]] = {}
        """By room: place, whether it is of this process, and visits, of those of whom the plan is asked."""

    def enter(self, stay: Stay) -> None:
        """A user is in its room."""
        self._rooms.setdefault(stay.plan.room, {})[stay.plan.place] = Called(stay)

    async def run(self) -> None:
        """Look again and again, until media ends."""
        looked = 0
        while not self._world.silent:
            begun_s = trio.current_time()
            busy_s = 0.0
            for room in tuple(self._rooms):
                there = self.there(room)
                for called in tuple(self._rooms[room].values()):
                    self.look(called, there)
                    looked += 1
                    if looked % TURN == 0:
                        busy_s += trio.current_time() - begun_s
                        await trio.lowlevel.checkpoint()
                        begun_s = trio.current_time()
            busy_s += trio.current_time() - begun_s
            await trio.sleep(max(LOOK_S, busy_s / SHARE))

    # What is

    def there(self, room: int) -> There:
        """Who is in a room just now."""
        there = There()
        for place, called in self._rooms.get(room, {}).items():
            _add_own(there, place, called.stay)
        for place, ours, visits in self._planned(room):
            self._add_planned(there, room, place, ours, visits)
        return there

    def _planned(self, room: int) -> tuple[tuple[int, bool, tuple[Visit, ...]], ...]:
        known = self._plans.get(room)
        if known is None:
            plan, first = self._world.plan, room * self._world.plan.room_size
            leaves = bool(plan.scenario.churn.share)
            known = self._plans[room] = tuple(
                (place, ours, plan.visits(first + place))
                for place in range(plan.members(room))
                if not (ours := self._world.is_ours(first + place)) or leaves
            )
        return known

    def _add_planned(self, there: There, room: int, place: int, ours: bool, visits: tuple[Visit, ...]) -> None:
        now_s = self._world.now_s()
        latest = next((one for one in reversed(visits) if one.begin_s <= now_s), None)
        if latest is None:
            return
        if now_s >= latest.end_s:
            user = room * self._world.plan.room_size + place
            if now_s >= latest.end_s + LONG_PATIENCE_S and self._world.parted(user, latest.number):
                there.left |= 1 << place
        elif not ours:
            publish, publishes = self._world.scenario.publish, place < self._world.plan.publishers(room)
            there.peers |= 1 << place
            there.tracks[False] |= (publishes and publish.audio) << place
            there.tracks[True] |= (publishes and bool(publish.video)) << place
            if latest.number:
                there.visits[place] = latest.number

    # What is told of it

    def look(self, called: Called, there: There) -> None:
        """Hold what a user was told against what is."""
        if not _listens(called.stay):
            called.found.clear()
            return
        roll, mine = called.stay.roll, 1 << called.stay.plan.place
        current = ~roll.stale(there.visits)
        lacking = {
            "peer": there.peers & ~mine & ~(roll.peers & current),
            "microphone": there.tracks[False] & ~mine & ~(roll.tracks[False] & current),
            "camera": there.tracks[True] & ~mine & ~(roll.tracks[True] & current),
            "ghost": there.left & roll.peers,
        }
        if not called.found and not any(lacking.values()):
            return
        found = {(what, place) for what, bits in lacking.items() for place in _places(bits)}
        before, called.found = called.found, {}
        for one in found:
            since_us, looks = before.get(one, (now_us(), 0))
            called.found[one] = since_us, looks + 1
            self._judge(called, one, since_us, looks + 1)

    def _judge(self, called: Called, one: tuple[str, int], since_us: int, looks: int) -> None:
        what, place = one
        stay = called.stay
        user = stay.plan.room * self._world.plan.room_size + place
        patience_s = PATIENCE_S if self._world.is_ours(user) or what == "ghost" else LONG_PATIENCE_S
        if one in called.told or looks < LEAST_LOOKS or now_us() - since_us < patience_s * _US:
            return
        called.told.add(one)
        if what == "ghost":
            self._world.tally.fault("ghost", stay.plan.index, f"user {user} left long ago")
        else:
            self._world.tally.fault("not-announced", stay.plan.index, f"that user {user} {_TOLD[what]}")


def _listens(stay: Stay) -> bool:
    return stay.joined and not stay.gone and not stay.leaving and stay.client.is_open


def _add_own(there: There, place: int, stay: Stay) -> None:
    if not _listens(stay):
        return
    there.peers |= 1 << place
    for video in stay.publishing.tracks:
        there.tracks[video] |= 1 << place
    if stay.visit.number:
        there.visits[place] = stay.visit.number


def _places(bits: int) -> Iterator[int]:
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest
