"""The generators of a run as their coordinator sees them: assigned, started at one moment, heard to the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
import trio

from simplestchat.errors import Internal
from simplestchat.load.link import AnyMessage, Link, LinkClosed
from simplestchat.load.messages import Assign, Clock, Failed, Finished, Ready, Sample, Start, Stop
from simplestchat.load.record import GeneratorRecord

READY_TIMEOUT_S = 60.0
CLOCK_ROUNDS = 20  # the shortest of so many trips waited in no queue
START_LEAD_US = 500_000
REMOTE_START_LEAD_US = 2_000_000  # `Start` must be there before its moment, over Redis too
TELL_TIMEOUT_S = 5.0  # one that does not read is missed elsewhere
MAX_SAMPLES = 200_000  # two days of seconds
Kind = TypeVar("Kind")


class CrewFailed(Internal):
    """A generator did not come up; nothing was measured."""

    reason = "crew_failed"
    default = "A generator did not come up."


async def _no_words() -> str:
    return ""


@dataclass
class Member:
    """One generator. ``obituary`` says in words why its link closed, where somebody knows."""

    part: int
    link: Link
    agent: str = ""
    cores: tuple[int, ...] = ()
    remote: bool = False
    """Its clock is another machine's."""
    machine: dict[str, Any] = field(default_factory=dict)
    """What is known of that machine beside what the generator says itself."""
    obituary: Callable[[], Awaitable[str]] = _no_words
    ready: Ready | None = None
    offset_us: int = 0
    error_us: int = 0
    samples: list[Sample] = field(default_factory=list)
    finished: Finished | None = None
    gone: str = ""
    """Why nothing more will come although it has not finished."""

    @property
    def name(self) -> str:
        """For people."""
        return f"generator {self.part}" + (f" of agent {self.agent}" if self.agent else "")

    @property
    def done(self) -> bool:
        """Nothing more will come."""
        return self.finished is not None or bool(self.gone)

    def record(self) -> GeneratorRecord:
        """All that is known of it."""
        return GeneratorRecord(
            part=self.part,
            agent=self.agent,
            users=self.ready.users if self.ready else 0,
            machine={**self.machine, **(self.ready.machine if self.ready else {})},
            cores=self.cores or tuple(self.ready.machine.get("pinned", ()) if self.ready else ()),
            clock_offset_us=self.offset_us,
            clock_error_us=self.error_us,
            samples=tuple(self.samples),
            finished=self.finished,
        )


class Crew:
    """All generators of one run. ``clock`` reads microseconds of the coordinator's monotonic clock."""

    def __init__(self, members: Sequence[Member], clock: Callable[[], int]) -> None:
        self.members = list(members)
        self.done = trio.Event()
        """Every member has finished or is gone."""
        self._clock = clock
        self._telling = trio.Lock()

    async def prepare(self, assign: Assign) -> None:
        """Give each its share and wait until all are ready. Raises ``CrewFailed``."""
        failures: list[str] = []
        with trio.move_on_after(READY_TIMEOUT_S):
            async with trio.open_nursery() as nursery:
                for member in self.members:
                    nursery.start_soon(self._prepare, member, assign, failures)
        failures += [f"{member.name} is not ready after {READY_TIMEOUT_S:.0f} s" for member in self._unready()]
        if failures:
            raise CrewFailed("; ".join(sorted(failures)))

    async def _prepare(self, member: Member, assign: Assign, failures: list[str]) -> None:
        own = msgspec.structs.replace(assign, part=member.part, parts=len(self.members), cores=member.cores)
        try:
            await member.link.send(own)
            ready = await self._expect(member, Ready)
            if member.remote:
                await self._compare_clocks(member)
        except (LinkClosed, CrewFailed) as error:
            known = str(error) if isinstance(error, CrewFailed) else await member.obituary() or str(error)
            member.gone = f"{member.name}: {known}"
            failures.append(member.gone)
        else:
            member.ready = ready

    def _unready(self) -> list[Member]:
        return [member for member in self.members if member.ready is None and not member.gone]

    async def _expect(self, member: Member, kind: type[Kind]) -> Kind:
        message = await member.link.receive()
        if isinstance(message, kind):
            return message
        words = message.reason if isinstance(message, Failed) else f"said {type(message).__name__}, out of turn"
        raise CrewFailed(words)

    async def _compare_clocks(self, member: Member) -> None:
        """Ask for the time again and again: the shortest trip waited least, and half of it is the error at most."""
        shortest: int | None = None
        for _ in range(CLOCK_ROUNDS):
            asked = self._clock()
            await member.link.send(Clock(asked_us=asked))
            answer = await self._expect(member, Clock)
            trip = self._clock() - asked
            if shortest is None or trip < shortest:
                shortest = trip
                member.offset_us = answer.answered_us - asked - trip // 2
                member.error_us = (trip + 1) // 2

    async def start(self) -> int:
        """Let all begin at the same moment, soon; return it. Whoever cannot be told is gone."""
        remote = any(member.remote for member in self.members)
        at_us = self._clock() + (REMOTE_START_LEAD_US if remote else START_LEAD_US)
        for member in self.members:
            await self._tell(member, Start(at_us=at_us + member.offset_us))
        return at_us

    async def stop(self) -> None:
        """Ask all that have not finished to end in order."""
        for member in self.members:
            if not member.done:
                await self._tell(member, Stop())

    async def _tell(self, member: Member, message: AnyMessage) -> None:
        try:
            with trio.move_on_after(TELL_TIMEOUT_S):
                async with self._telling:
                    await member.link.send(message)
        except LinkClosed as error:
            await self._lose(member, error)

    async def listen(self, heard: Callable[[Sample], None]) -> None:
        """Take what comes until nobody has more to say; ``heard`` gets every sample, on the coordinator's clock."""
        async with trio.open_nursery() as nursery:
            for member in self.members:
                nursery.start_soon(self._listen, member, heard)
        self.done.set()

    async def _listen(self, member: Member, heard: Callable[[Sample], None]) -> None:
        while not member.done:
            try:
                message = await member.link.receive()
            except LinkClosed as error:
                await self._lose(member, error)
                return
            match message:
                case Sample():
                    sample = msgspec.structs.replace(message, at_us=message.at_us - member.offset_us)
                    if len(member.samples) < MAX_SAMPLES:
                        member.samples.append(sample)
                    heard(sample)
                case Finished():
                    member.finished = message
                case Failed():
                    member.gone = f"{member.name} gave up: {message.reason}"
                case _:
                    member.gone = f"{member.name} said {type(message).__name__}, which is out of turn"

    async def _lose(self, member: Member, error: LinkClosed) -> None:
        if not member.done:
            words = await member.obituary() or str(error)
            member.gone = member.gone or f"{member.name} was lost: {words}"

    def give_up(self, why: str) -> None:
        """Wait no longer for those that have not finished."""
        for member in self.members:
            if not member.done:
                member.gone = f"{member.name} {why}"
