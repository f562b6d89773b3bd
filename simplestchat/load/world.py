"""What all users of one generator process share."""

from __future__ import annotations

import functools
import hashlib
import traceback
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

import trio

from simplestchat.load.acked import Acked
from simplestchat.load.agenda import Agenda
from simplestchat.load.client import Notices
from simplestchat.load.counts import Tally, now_us
from simplestchat.load.lines import Lines
from simplestchat.load.media import Media
from simplestchat.load.messages import Assign
from simplestchat.load.plan import Plan, UserPlan
from simplestchat.load.results import Record, Streams
from simplestchat.load.rollcall import RollCall
from simplestchat.load.rooms import Room
from simplestchat.load.watched import Watched
from simplestchat.signaling.data import IceCandidateInfo


class World:
    """The run as this process sees it. ``nursery`` runs the users' tasks; ``start_us`` is when the run began."""

    def __init__(self, assign: Assign, nursery: trio.Nursery, bind: str = "") -> None:
        self.assign = assign
        self.plan = Plan(assign.scenario, assign.seed)
        self.scenario = assign.scenario
        parts = urlsplit(assign.url)
        self.ws_url = assign.url.rstrip("/").replace("http", "ws", 1) + "/ws"
        self.host = parts.hostname or "127.0.0.1"
        self.nursery = nursery
        self.tally = Tally()
        self.notices = Notices()
        self.lines = Lines(self.broken, assign.trust)
        self.agenda = Agenda(self.broken)
        seed = hashlib.blake2b(f"{assign.seed}/{assign.part}".encode(), digest_size=32).digest()
        self.media = Media(seed, self.broken, bind=bind or ("127.0.0.1" if is_loopback(self.host) else "0.0.0.0"))
        self.streams = Streams()
        self.rollcall = RollCall(self)
        self.watched = Watched(self)
        self.acked = Acked()
        self.records: dict[int, Record] = {}
        self.start_us = 0
        self.vigils = 0
        """Streams that are due just now."""
        self.silent = False
        """Media has ended: nobody begins anything any more."""
        self._rooms: dict[int, Room] = {}
        self.user_plan: Callable[[int], UserPlan] = functools.lru_cache(4096)(self.plan.user)

    def now_s(self) -> float:
        """Seconds since the run's start."""
        return (now_us() - self.start_us) / 1_000_000

    def at_us(self, at_s: float) -> int:
        """A moment of the plan on the clock."""
        return self.start_us + round(at_s * 1_000_000)

    async def sleep_until(self, at_s: float) -> None:
        """Wait for a moment of the plan."""
        await trio.sleep(max(0.0, at_s - self.now_s()))

    def is_ours(self, index: int) -> bool:
        """Whether a user belongs to this process."""
        return index % self.assign.parts == self.assign.part

    def room(self, number: int) -> Room:
        """A room of the run."""
        room = self._rooms.get(number)
        if room is None:
            name = f"load-{self.assign.run}-{number}"
            token = None
            if self.scenario.behaviour.refused:
                token = hashlib.blake2b(f"{name}/{self.assign.seed}".encode(), digest_size=24).hexdigest()
            room = self._rooms[number] = Room(number, name, token)
        return room

    def parted(self, index: int, visit: int) -> bool:
        """Whether a visit has ended with a goodbye that the server heard; of other processes' users the plan tells it.

        Whoever is to leave while its connection is cut is gone without one.
        """
        if self.is_ours(index):
            return (index, visit) in self.room(index // self.plan.room_size).parted
        visits = self.plan.visits(index)
        return not self.scenario.behaviour.reconnect_at_s and visit < len(visits) and visits[visit].ending == "leave"

    @property
    def rooms(self) -> dict[int, Room]:
        """Those that this process has users in."""
        return self._rooms

    def spawn(self, job: Callable[[], Awaitable[None]]) -> None:
        """Run something beside its user; what it raises is counted."""
        self.nursery.start_soon(self._guarded, job)

    async def _guarded(self, job: Callable[[], Awaitable[None]]) -> None:
        try:
            await job()
        except Exception as error:
            self.broken(error)

    def broken(self, error: Exception, user: int | None = None) -> None:
        """Something here did what it should not; the run goes on and will be judged by it."""
        self.tally.fault("generator-error", user, "".join(traceback.format_exception(error)))

    def choose(self, candidates: list[IceCandidateInfo]) -> tuple[str, int]:
        """The server's address for media: the one that signaling uses, else the first of IPv4.

        Raises ValueError when there is none.
        """
        usable = [one for one in candidates if one.protocol == "udp" and "." in one.address]
        wanted = "127.0.0.1" if is_loopback(self.host) else self.host
        chosen = next((one for one in usable if one.address == wanted), None) or next(iter(usable), None)
        if chosen is None:
            raise ValueError("the server has no IPv4 candidate over UDP")
        return chosen.address, chosen.port


def is_loopback(host: str) -> bool:
    """Whether a host name means this machine."""
    return host in ("localhost", "::1") or host.startswith("127.")
