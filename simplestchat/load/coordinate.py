"""One run from its scenario to its record: a server, generators, one clock, one look at everything each second.

Rules:
 - Nothing is waited for without an end: coming up, running and finishing have deadlines of their own.
 - The plan's end is the run's end. Who has not finished some time after it is asked to stop, then given up.
 - An interrupt, a lost generator or a limit passed by a generator makes the record void; a server that ends makes it
   failed. Both are told in words, and what was measured until then is kept.
"""

from __future__ import annotations

import datetime
import os
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import trio

import simplestchat
from simplestchat.errors import Misuse, SimplestChatError
from simplestchat.load import cores, machine, trust
from simplestchat.load.crew import Crew, Member
from simplestchat.load.live import Live
from simplestchat.load.logbook import Logbook, fold_looks
from simplestchat.load.messages import Assign
from simplestchat.load.plan import Plan
from simplestchat.load.record import RunRecord, ServerSample
from simplestchat.load.report import BrowserReport
from simplestchat.load.roomwatch import RoomWatch
from simplestchat.load.scenario import Scenario
from simplestchat.load.server import LocalServer, start_server
from simplestchat.load.summary import SETTLED_US, objects_held
from simplestchat.load.trust import Trust
from simplestchat.load.voiding import void_reasons
from simplestchat.load.watch import ServerWatch

FINISH_SLACK_S = 45.0  # from the plan's end until stragglers are asked to stop
GUESTS_GRACE_S = 20.0  # browsers tell their figures when they have left
LETTING_GO_S = 2.0  # the places of users who crashed are kept for longer
LOOK_AGAIN_S = 0.2
STOP_GRACE_S = 20.0  # from being asked to stop until being given up
TICK_US = 1_000_000


class Interrupted(Misuse):
    """The user ended a run before it began."""

    reason = "interrupted"
    default = "Interrupted before the run began; nothing was measured."


class Observer(Protocol):
    """Somebody who watches a run."""

    def tick(self, live: Live, now_us: int) -> None:
        """Called every second, and once before the start and after the end."""


class Staff(Protocol):
    """Where generators come from."""

    async def hire(self, nursery: trio.Nursery) -> list[Member]:
        """Bring them up. Raises ``CrewFailed``."""

    async def dismiss(self) -> None:
        """Let none of them stay behind, whatever happened."""


class Guests(Protocol):
    """Who else is in the rooms: real browsers."""

    async def visit(self, url: str, run: str, seconds: float) -> tuple[BrowserReport, ...]:
        """Stay so long in the first room, then tell."""


@dataclass(frozen=True, kw_only=True)
class Job:
    """What is to be run."""

    scenario: Scenario
    command: str
    """What reproduces it."""
    url: str = ""
    """Of the server; empty: one of its own."""
    trust: Trust = field(default_factory=Trust)
    """Which certificates of that server are believed; one of our own is believed as it is."""
    remote_generators: bool = False
    """The generators are on other machines: this one's cores are the server's."""
    server_words: Sequence[str] = ()
    """Another command that serves."""


@dataclass
class Coordinator:
    """One run of a job. ``staff`` brings the generators, for a pinning that this machine allows."""

    job: Job
    staff: Callable[[cores.Pinning], Staff]
    observers: Sequence[Observer] = ()
    guests: Guests | None = None
    _void: list[str] = field(default_factory=list)
    _failures: list[str] = field(default_factory=list)
    _server_looks: Logbook[ServerSample] = field(default_factory=lambda: Logbook(fold_looks))
    _browsers: tuple[BrowserReport, ...] = ()
    _server: LocalServer | None = None
    _staff: Staff | None = None
    _crew: Crew | None = None
    _beginning: trio.CancelScope = field(default_factory=trio.CancelScope)
    _patience: trio.CancelScope = field(default_factory=trio.CancelScope)
    _guests_left: trio.Event = field(default_factory=trio.Event)
    _started: bool = False
    _stopping: bool = False

    async def run(self) -> RunRecord:
        """Run it. Raises a ``SimplestChatError`` when it could not begin; later troubles go into the record."""
        outcome: RunRecord | SimplestChatError = Interrupted()
        async with trio.open_nursery() as nursery:
            try:
                pinning = self._pinning()
                url, run, live = "", secrets.token_hex(4), Live(Plan(self.job.scenario, self.job.scenario.seed))
                with self._beginning:
                    url = await self._begin(nursery, pinning, run, live)
                if self._started:
                    outcome = await self._measure(url, run, live, pinning.words)
            except SimplestChatError as error:
                outcome = error
            finally:
                with trio.CancelScope(shield=True):
                    if self._staff is not None:
                        await self._staff.dismiss()
                    if self._server is not None:
                        await self._server.stop()
            nursery.cancel_scope.cancel()
        if isinstance(outcome, SimplestChatError):
            raise outcome
        return outcome

    async def interrupt(self, why: str = "the run was interrupted") -> None:
        """End it early and in order; its record is void. A second time, do not wait for anybody."""
        first = not self._stopping
        self._void += [why] if first else []
        self._beginning.cancel()
        await self._stop(STOP_GRACE_S if first else 0.0)

    async def _stop(self, grace_s: float) -> None:
        self._stopping = True
        self._patience.deadline = min(self._patience.deadline, trio.current_time() + grace_s)
        if self._crew is not None and self._started:
            await self._crew.stop()

    def _pinning(self) -> cores.Pinning:
        own = sorted(os.sched_getaffinity(0))
        if self.job.remote_generators:
            return cores.Pinning((), (), "server on all cores of this machine, generators on their agents'")
        workers = self.job.scenario.server.get("workers", "")
        return cores.plan(
            own,
            self.job.scenario.generator.processes,
            int(workers) if workers.isdigit() else 0,
            own_server=not self.job.url,
        )

    async def _begin(self, nursery: trio.Nursery, pinning: cores.Pinning, run: str, live: Live) -> str:
        """Bring everything up and set the moment of the start; return the server's URL."""
        scenario = self.job.scenario
        self._observe(live)
        if not self.job.url:
            self._server = await start_server(nursery, scenario.server, pinning.server, self.job.server_words)
        url = self._server.url if self._server else self.job.url
        await trio.to_thread.run_sync(trust.check, url, self._trust, abandon_on_cancel=True)
        self._staff = self.staff(pinning)
        self._crew = Crew(await self._staff.hire(nursery), now_us)
        await self._crew.prepare(self._assignment(run, url))
        await self._look(ServerWatch(url, self._server, self._trust), live)
        moments_s = moments(live.plan)
        live.start_us = await self._crew.start(moments_s)
        self._server_looks.begin(live.start_us, [live.start_us + round(at_s * TICK_US) for at_s in moments_s])
        self._started = True
        return url

    @property
    def _trust(self) -> Trust:
        return Trust(insecure=True) if self._server else self.job.trust

    def _assignment(self, run: str, url: str) -> Assign:
        scenario = self.job.scenario
        return Assign(run=run, scenario=scenario, seed=scenario.seed, url=url, trust=self._trust, part=0, parts=1)

    async def _measure(self, url: str, run: str, live: Live, pinned: str) -> RunRecord:
        """From the start to the record."""
        scenario, crew, watch = self.job.scenario, self._crew, ServerWatch(url, self._server, self._trust)
        assert crew is not None
        started = datetime.datetime.now(datetime.UTC) + datetime.timedelta(microseconds=live.start_us - now_us())
        rooms = RoomWatch(url, run, live.plan, self._trust)
        async with trio.open_nursery() as work:
            work.start_soon(rooms.run, live.start_us, now_us)
            work.start_soon(crew.listen, live.heard)
            work.start_soon(self._every_second, watch, live)
            if self._server is not None:
                work.start_soon(self._guard, self._server)
            if self.guests is not None:
                work.start_soon(self._entertain, self.guests, url, run, live.plan)
            await self._until_done(crew, live)
            work.cancel_scope.cancel()
        await self._last_look(watch, live)
        self._observe(live)
        end_us = now_us()
        generators = tuple(member.record() for member in crew.members)
        self._void += [member.gone for member in crew.members if member.gone]
        self._void += void_reasons(scenario.generator, generators, live.start_us)
        return RunRecord(
            run=run,
            scenario=scenario,
            seed=scenario.seed,
            command=self.job.command,
            started=started.isoformat(timespec="seconds"),
            start_us=live.start_us,
            end_us=end_us,
            phases=_phases(live.plan, live.start_us, end_us),
            generators=generators,
            server=tuple(self._server_looks.entries),
            server_local=self._server is not None,
            pinning=pinned,
            machine=machine.describe(),
            versions=machine.versions(),
            version=simplestchat.__version__,
            commit=machine.commit(),
            void=tuple(self._void),
            failures=tuple(self._failures),
            browsers=self._browsers,
            rooms=rooms.records(),
        )

    async def _until_done(self, crew: Crew, live: Live) -> None:
        left_s = (live.start_us - now_us()) / TICK_US + live.plan.end_s + FINISH_SLACK_S
        self._patience.deadline = min(self._patience.deadline, trio.current_time() + left_s)
        with self._patience:
            await crew.done.wait()
        if not crew.done.is_set() and not self._stopping:
            self._patience = trio.CancelScope()
            await self._stop(STOP_GRACE_S)
            with self._patience:
                await crew.done.wait()
        crew.give_up("did not finish in time")
        if self.guests is not None and not self._stopping:
            with trio.move_on_after(GUESTS_GRACE_S):
                await self._guests_left.wait()

    async def _every_second(self, watch: ServerWatch, live: Live) -> None:
        """On the run's own seconds; one that was missed is not made up for."""
        while True:
            now = now_us()
            wait_us = TICK_US - (now - live.start_us) % TICK_US
            await trio.sleep(wait_us / 1_000_000)
            await self._look(watch, live)
            self._observe(live)

    async def _look(self, watch: ServerWatch, live: Live) -> ServerSample:
        sample = await watch.sample(now_us())
        self._server_looks.add(sample)
        live.seen(sample)
        return sample

    async def _last_look(self, watch: ServerWatch, live: Live) -> None:
        """A server of our own has let go of all users a moment after they left."""
        sample = await self._look(watch, live)
        with trio.move_on_after(0.0 if self._server is None or self._stopping else LETTING_GO_S):
            while objects_held(sample):
                await trio.sleep(LOOK_AGAIN_S)
                sample = await self._look(watch, live)

    def _observe(self, live: Live) -> None:
        for observer in self.observers:
            observer.tick(live, now_us())

    async def _guard(self, server: LocalServer) -> None:
        self._failures.append(await server.wait())
        await self._stop(STOP_GRACE_S)

    async def _entertain(self, guests: Guests, url: str, run: str, plan: Plan) -> None:
        try:
            self._browsers = await guests.visit(url, run, plan.media_end_s)
        except SimplestChatError as error:
            self._failures.append(str(error))
        self._guests_left.set()


def now_us() -> int:
    """The coordinator's clock."""
    return time.monotonic_ns() // 1000


def moments(plan: Plan) -> tuple[float, ...]:
    """When figures are read off, in seconds into the run: where phases begin, and where memory has settled."""
    settled_s = min(plan.ramp_s + SETTLED_US / TICK_US, plan.media_end_s)
    return 0.0, plan.ramp_s, settled_s, plan.media_end_s, plan.end_s


def _phases(plan: Plan, start_us: int, end_us: int) -> tuple[tuple[str, int], ...]:
    begins = (("ramp", 0.0), ("hold", plan.ramp_s), ("settle", plan.media_end_s), ("done", plan.end_s))
    times = [(name, start_us + round(begin_s * TICK_US)) for name, begin_s in begins]
    return tuple((name, at_us) for name, at_us in times if at_us <= end_us)
