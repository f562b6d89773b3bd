"""What every synthetic user does and when: a pure function of scenario, seed and the user's index.

Rules:
 - Times are seconds since the run's start. Users join one after the other at the ramp's pace; the hold begins when the
   last one joins; media ends with it.
 - Each kind of event draws from random numbers of its own, so that changing one setting moves nothing else.
 - A share of the users is an exact number of them, chosen by the seed.
 - Any process can compute any user's plan; a generator runs those whose index is its part modulo the parts.
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

import msgspec

from simplestchat.load.scenario import Conditions, Scenario, Step

CODECS = ("vp8", "h264", "vp9", "av1")
LEAST_STAY_S = 1.0
LAST_VISIT_S = 2.0  # a visit that would begin so near the end is left out
MUTE_S = (3.0, 5.0)  # how long a microphone or camera is off
MUTE_MARGIN_S = 1.0  # from joining to a mute, and from its end to leaving
CHAT_MARGIN_S = 1.0  # from joining to a message, and from it to leaving
PAGE_MARGIN_S = 1.0  # from joining to turning a page, and from that to leaving
RECONNECT_MARGIN_S = 1.5

_NAME = re.compile(r"u(?P<index>0|[1-9]\d{0,8})(?:\.(?P<visit>[1-9]\d{0,5}))?\Z")


class Frozen(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all parts of a plan."""


class Visit(Frozen, frozen=True, kw_only=True):
    """One stay in the room."""

    number: int
    begin_s: float
    end_s: float
    ending: str
    """``leave``, ``crash``, or ``stay`` to the end of media."""


class Mute(Frozen, frozen=True, kw_only=True):
    """A track is off."""

    video: bool
    begin_s: float
    end_s: float


class Change(Frozen, frozen=True, kw_only=True):
    """Something happens to the user's network."""

    at_s: float
    event: str
    """``conditions``, ``outage`` or ``address-change``."""
    restart: bool = False
    """Whether ICE is restarted with it."""
    up: Conditions | None = None
    """None: a clear path."""
    down: Conditions | None = None


class UserPlan(Frozen, frozen=True, kw_only=True):
    """One user's part in the run."""

    index: int
    room: int
    place: int
    """Position among the users of the room."""
    audio: bool
    video: bool
    codec: str
    """Of the video."""
    visits: tuple[Visit, ...]
    chats: tuple[float, ...]
    mutes: tuple[Mute, ...]
    page_turns: tuple[float, ...]
    """When it turns to the next page of its room."""
    audio_only_at_s: float | None
    reconnect_at_s: float | None
    up: Conditions | None
    """What the user sends passes this; None: a clear path."""
    down: Conditions | None
    changes: tuple[Change, ...]
    seed: int
    """Of its media and its network, 63 bits."""

    def visit_at(self, at_s: float) -> Visit | None:
        """The visit that goes on at a moment."""
        return next((one for one in self.visits if one.begin_s <= at_s < one.end_s), None)


def name_of(index: int, visit: int) -> str:
    """What a user is called in its room; the others read from it who it is."""
    return f"u{index}.{visit}" if visit else f"u{index}"


def who_is(name: str) -> tuple[int, int] | None:
    """The index and the visit's number of a user's name; None for anybody else, such as a browser."""
    found = _NAME.match(name)
    return (int(found["index"]), int(found["visit"] or 0)) if found else None


class Plan:
    """The whole run's plan, of which parts are computed when they are asked for."""

    def __init__(self, scenario: Scenario, seed: int) -> None:
        self.scenario = scenario
        self.seed = seed
        self.clients = scenario.shape.clients
        self.room_size = scenario.shape.room_size or self.clients
        self.rooms = -(-self.clients // self.room_size)
        self.ramp_s = (self.clients - 1) / scenario.ramp.joins_per_s
        self.media_end_s = self.ramp_s + scenario.ramp.hold_s
        self.end_s = self.media_end_s + scenario.ramp.settle_s

    def indices(self, part: int, parts: int) -> range:
        """The users of one generator."""
        return range(part, self.clients, parts)

    def strangers(self, part: int, parts: int) -> range:
        """The strangers of one generator: people who try to get into locked rooms."""
        return range(part, self.scenario.behaviour.refused, parts)

    def stranger_at_s(self, stranger: int) -> tuple[int, float]:
        """The room that a stranger tries, and when: spread over the first half of the hold."""
        room = stranger % self.rooms
        return room, self.ramp_s + self.scenario.ramp.hold_s * 0.5 * self._random("stranger", stranger).random()

    def phase(self, at_s: float) -> str:
        """What goes on at a moment."""
        if at_s < self.ramp_s:
            return "ramp"
        if at_s < self.media_end_s:
            return "hold"
        return "settle" if at_s < self.end_s else "done"

    def members(self, room: int) -> int:
        """How many users a room has when all are there."""
        return min(self.room_size, self.clients - room * self.room_size)

    def publishers(self, room: int) -> int:
        """How many of a room publish; they are the first ones."""
        members = self.members(room)
        return min(self.scenario.shape.presenters or members, members)

    def join_at_s(self, index: int) -> float:
        """When a user first joins."""
        return index / self.scenario.ramp.joins_per_s

    def user(self, index: int) -> UserPlan:
        """The plan of one user."""
        room, place = divmod(index, self.room_size)
        publishes = place < self.publishers(room)
        visits = tuple(self._visits(index))
        behind = index in self._behind
        network = self.scenario.network
        return UserPlan(
            index=index,
            room=room,
            place=place,
            audio=publishes and self.scenario.publish.audio,
            video=publishes and bool(self.scenario.publish.video),
            codec=self._codec(place),
            visits=visits,
            chats=tuple(self._chats(index, visits)),
            mutes=tuple(self._mutes(index, visits)) if publishes else (),
            page_turns=tuple(self._page_turns(index, visits)),
            audio_only_at_s=self.ramp_s + self.scenario.ramp.hold_s / 2 if index in self._audio_only else None,
            reconnect_at_s=self._reconnect(index, visits),
            up=network.up if behind else None,
            down=network.down if behind else None,
            changes=tuple(self._changes(index)),
            seed=self._random("seed", index).getrandbits(63),
        )

    def _codec(self, place: int) -> str:
        codec = self.scenario.publish.codec
        return CODECS[place % len(CODECS)] if codec == "mixed" else codec

    def turn(self, room: int, place: int, after_s: float) -> tuple[float, float]:
        """The begin and end of a publisher's first turn to talk that ends after a moment (``talk`` is ``turns``)."""
        publishers, length = self.publishers(room), self.scenario.publish.talk_s
        offset = self._random("turns", room).randrange(publishers)
        mine = (place + offset) % publishers
        now = int(after_s / length)
        number = now + (mine - now) % publishers
        if (number + 1) * length <= after_s:
            number += publishers
        return number * length, (number + 1) * length

    def page(self, index: int, turned: int = 0) -> range:
        """The places in its room whose video a user looks at, when it looks at pages and has turned so many times.

        A publisher begins with its own page, everybody else with any; behind the last one comes the first.
        """
        room, place = divmod(index, self.room_size)
        size, publishers = max(self.scenario.subscribe.limit, 1), self.publishers(room)
        pages = -(-publishers // size)
        begun = self._random("page", index).randrange(pages) if place >= publishers else place // size
        first = size * ((begun + turned) % pages)
        return range(first, min(first + size, publishers))

    def visits(self, index: int) -> tuple[Visit, ...]:
        """When a user is there, without the rest of its plan."""
        return tuple(self._visits(index))

    # Random choices

    def _random(self, purpose: str, index: int) -> random.Random:
        digest = hashlib.blake2b(f"{self.seed}/{purpose}/{index}".encode(), digest_size=8).digest()
        return random.Random(int.from_bytes(digest, "big"))

    def _share(self, purpose: str, share: float) -> frozenset[int]:
        return self._among(range(self.clients), purpose, share)

    def _among(self, users: Sequence[int], purpose: str, share: float) -> frozenset[int]:
        return frozenset(self._random(purpose, -1).sample(users, round(share * len(users))))

    @cached_property
    def _behind(self) -> frozenset[int]:
        return self._share("network", self.scenario.network.share)

    @cached_property
    def _churning(self) -> frozenset[int]:
        return self._share("churn", self.scenario.churn.share)

    @cached_property
    def _audio_only(self) -> frozenset[int]:
        return self._share("audio-only", self.scenario.behaviour.audio_only_share)

    @cached_property
    def _reconnecting(self) -> frozenset[int]:
        at_s = self.scenario.behaviour.reconnect_at_s
        return self._share("reconnect", self.scenario.behaviour.reconnect_share if at_s else 0.0)

    @cached_property
    def _steps(self) -> tuple[tuple[Step, frozenset[int], frozenset[int]], ...]:
        """Each with those of the users behind emulated paths whom it happens to, and who of them restart ICE."""
        behind = sorted(self._behind)
        found = []
        for number, step in enumerate(self.scenario.network.steps):
            users = self._among(behind, f"step-{number}", step.share)
            found.append((step, users, self._among(sorted(users), f"restart-{number}", step.restart_share)))
        return tuple(found)

    def _visits(self, index: int) -> Iterator[Visit]:
        churn, begin, number = self.scenario.churn, self.join_at_s(index), 0
        chance = self._random("visits", index)
        while number == 0 or begin < self.media_end_s - LAST_VISIT_S:
            end = self.media_end_s
            if index in self._churning:
                end = begin + max(LEAST_STAY_S, chance.expovariate(1 / churn.stay_s))
            crash = chance.random() < churn.crash_share
            if end > self.media_end_s - LEAST_STAY_S:
                yield Visit(number=number, begin_s=begin, end_s=self.media_end_s, ending="stay")
                return
            yield Visit(number=number, begin_s=begin, end_s=end, ending="crash" if crash else "leave")
            begin = end + churn.away_s
            number += 1

    def _chats(self, index: int, visits: tuple[Visit, ...]) -> Iterator[float]:
        rate_per_s = self.scenario.behaviour.chat_per_minute / 60
        chance = self._random("chat", index)
        at = visits[0].begin_s
        while rate_per_s:
            at += chance.expovariate(rate_per_s)
            if at >= self.media_end_s:
                return
            if _inside(visits, at, at, CHAT_MARGIN_S):
                yield at

    def _mutes(self, index: int, visits: tuple[Visit, ...]) -> Iterator[Mute]:
        rate_per_s = self.scenario.behaviour.mutes_per_minute / 60
        publish = self.scenario.publish
        tracks = [video for video, there in ((False, publish.audio), (True, bool(publish.video))) if there]
        chance = self._random("mutes", index)
        end = visits[0].begin_s
        while rate_per_s and tracks:
            begin = end + chance.expovariate(rate_per_s)
            if begin >= self.media_end_s:
                return
            end = begin + chance.uniform(*MUTE_S)
            video = chance.choice(tracks)
            if _inside(visits, begin, end, MUTE_MARGIN_S):
                yield Mute(video=video, begin_s=begin, end_s=end)

    def _page_turns(self, index: int, visits: tuple[Visit, ...]) -> Iterator[float]:
        rate_per_s = self.scenario.behaviour.pages_per_minute / 60
        if self.scenario.subscribe.mode != "page" or not rate_per_s:
            return
        chance = self._random("page-turns", index)
        at = visits[0].begin_s
        while (at := at + chance.expovariate(rate_per_s)) < self.media_end_s:
            if _inside(visits, at, at, PAGE_MARGIN_S):
                yield at

    def _reconnect(self, index: int, visits: tuple[Visit, ...]) -> float | None:
        at = self.ramp_s + self.scenario.behaviour.reconnect_at_s
        if index in self._reconnecting and _inside(visits, at, at, RECONNECT_MARGIN_S):
            return at
        return None

    def _changes(self, index: int) -> Iterator[Change]:
        network = self.scenario.network
        home = (network.up, network.down) if index in self._behind else (None, None)
        changes = []
        for step, users, restarting in self._steps:
            if index not in users:
                continue
            at = self.ramp_s + step.at_s
            up, down = (step.up, step.down) if step.event == "conditions" else home
            changes.append(Change(at_s=at, event=step.event, restart=index in restarting, up=up, down=down))
            if step.duration_s and step.event != "address-change":
                changes.append(Change(at_s=at + step.duration_s, event="conditions", up=home[0], down=home[1]))
        yield from sorted(changes, key=lambda change: change.at_s)


def _inside(visits: tuple[Visit, ...], begin_s: float, end_s: float, margin_s: float) -> bool:
    """Whether all of a span lies within one visit, with a margin at both ends."""
    return any(one.begin_s + margin_s <= begin_s and end_s + margin_s <= one.end_s for one in visits)
