"""The generators of a run as their coordinator sees them: assigned, started at one moment, heard to the end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec
import trio

from simplestchat.errors import Internal
from simplestchat.load import clocks
from simplestchat.load.clocks import Course
from simplestchat.load.link import AnyMessage, Link, LinkClosed
from simplestchat.load.logbook import Logbook, fold_samples, packed
from simplestchat.load.messages import Assign, Clock, Epoch, Failed, Finished, Ready, Sample, Start, Stop
from simplestchat.load.record import ClockRecord, GeneratorRecord
from simplestchat.load.strain import Strain

READY_TIMEOUT_S = 60.0
FIRST_ASKED = 20  # before the run there is time to ask more often,
FIRST_ASKED_MOST = 60  # and more often still while every answer waits somewhere
ASK_PAUSE_S = 0.05
ANSWER_S = 0.5  # an answer that takes longer is no good
START_LEAD_US = 500_000
REMOTE_START_LEAD_US = 2_000_000  # `Start` must be there before its moment, over Redis too
TELL_TIMEOUT_S = 5.0  # one that does not read is missed elsewhere
US = 1_000_000
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
    course: Course | None = None
    """Of its clock, where that is another machine's; all of a machine share one."""
    machine: dict[str, Any] = field(default_factory=dict)
    """What is known of that machine beside what the generator says itself."""
    obituary: Callable[[], Awaitable[str]] = _no_words
    ready: Ready | None = None
    log: Logbook[Sample] = field(default_factory=lambda: Logbook(fold_samples))
    strain: Strain = field(default_factory=Strain)
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
            clock=_told(self.course),
            samples=tuple(self.log.entries),
            strain=self.strain,
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
        self._start_us = 0
        self._marks_us: list[int] = []

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
        for course in self._courses():
            course.compared()

    async def _prepare(self, member: Member, assign: Assign, failures: list[str]) -> None:
        own = msgspec.structs.replace(assign, part=member.part, parts=len(self.members), cores=member.cores)
        try:
            await member.link.send(own)
            ready = await self._expect(member, Ready)
            if member.course is not None:
                await self._ask_first(member, member.course)
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

    async def _ask_first(self, member: Member, course: Course) -> None:
        for number in range(FIRST_ASKED_MOST):
            if number >= FIRST_ASKED and course.known_to_us <= clocks.GOOD_ERROR_US:
                break
            asked_us = self._clock()
            await member.link.send(Clock(asked_us=asked_us))
            answer = await self._expect(member, Clock)
            course.answered(asked_us, answer.answered_us, self._clock())

    def _courses(self) -> list[Course]:
        return list({id(one.course): one.course for one in self.members if one.course is not None}.values())

    async def start(self, moments_s: Sequence[float] = ()) -> int:
        """Let all begin at the same moment, soon; return it. Whoever cannot be told is gone.

        ``moments_s`` are those of the run at which figures will be read off.
        """
        lead_us = REMOTE_START_LEAD_US if self._courses() else START_LEAD_US
        at_us = self._start_us = self._clock() + lead_us
        self._marks_us = [at_us + round(moment_s * US) for moment_s in moments_s]
        for member in self.members:
            member.log.begin(at_us, self._marks_us)
            await self._tell(member, Start(at_us=_theirs(member, at_us)))
        return at_us

    async def stop(self) -> None:
        """Ask all that have not finished to end in order."""
        for member in self.members:
            if not member.done:
                await self._tell(member, Stop())

    async def _tell(self, member: Member, message: AnyMessage | Callable[[], AnyMessage]) -> None:
        try:
            with trio.move_on_after(TELL_TIMEOUT_S):
                async with self._telling:
                    await member.link.send(message() if callable(message) else message)
        except LinkClosed as error:
            await self._lose(member, error)

    async def listen(self, heard: Callable[[Sample], None]) -> None:
        """Take what comes until nobody has more to say; ``heard`` gets every sample, on the coordinator's clock."""
        async with trio.open_nursery() as watching:
            watching.start_soon(self._watch_clocks)
            async with trio.open_nursery() as nursery:
                for member in self.members:
                    nursery.start_soon(self._listen, member, heard)
            watching.cancel_scope.cancel()
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
                    at_us = member.course.ours(message.at_us) if member.course else message.at_us
                    sample = packed(msgspec.structs.replace(message, at_us=at_us))
                    member.strain.take(sample)
                    member.log.add(sample)
                    heard(sample)
                case Clock() if member.course:
                    member.course.answered(message.asked_us, message.answered_us, self._clock())
                case Finished():
                    member.finished = message
                case Failed():
                    member.gone = f"{member.name} gave up: {message.reason}"
                case _:
                    member.gone = f"{member.name} said {type(message).__name__}, which is out of turn"

    async def _watch_clocks(self) -> None:
        """Compare clocks every few seconds and at the moments of the run, and let what is stamped follow."""
        if not self._courses():
            return
        while True:
            now_us = self._clock()
            wait_us = min([clocks.EVERY_S * US, *(mark - now_us for mark in self._marks_us if mark > now_us)])
            await trio.sleep(wait_us / US)
            async with trio.open_nursery() as nursery:
                for course in self._courses():
                    nursery.start_soon(self._compare, course)

    async def _compare(self, course: Course) -> None:
        """One comparison with one machine, by whichever of its generators still runs."""
        theirs = [member for member in self.members if member.course is course and not member.done]
        if not theirs:
            return
        for _ in range(clocks.ASKED):
            await self._tell(theirs[0], lambda: Clock(asked_us=self._clock()))
            await trio.sleep(ASK_PAUSE_S)
        await trio.sleep(ANSWER_S)
        if course.compared():
            for member in theirs:
                if not member.done:
                    await self._tell(member, lambda member=member: Epoch(at_us=self._epoch(member)))  # type: ignore[misc]

    def _epoch(self, member: Member) -> int:
        assert member.course is not None
        return self._start_us + member.course.offset_at(self._clock())

    async def _lose(self, member: Member, error: LinkClosed) -> None:
        if not member.done:
            words = await member.obituary() or str(error)
            member.gone = member.gone or f"{member.name} was lost: {words}"

    def give_up(self, why: str) -> None:
        """Wait no longer for those that have not finished."""
        for member in self.members:
            if not member.done:
                member.gone = f"{member.name} {why}"


def _theirs(member: Member, at_us: int) -> int:
    return at_us + member.course.offset_at(at_us) if member.course else at_us


def _told(course: Course | None) -> ClockRecord | None:
    if course is None or not course.readings:
        return None
    return ClockRecord(
        offset_us=round(course.readings[0].offset_us),
        end_offset_us=round(course.readings[-1].offset_us),
        error_us=course.error_us,
        drift_ppm=course.drift_ppm,
        comparisons=course.comparisons,
        jump_us=round(course.jump.by_us) if course.jump else 0,
        jumped_at_us=course.jump.at_us if course.jump else 0,
    )
