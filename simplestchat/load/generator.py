"""One generator process: a part of a run's users, from ``Assign`` to ``Finished``.

``python -m simplestchat.load.generator`` speaks to its coordinator over standard input and output; what it has to
say to people goes to standard error.
"""

from __future__ import annotations

import gc
import os
import platform
import resource
import signal
import sys
import time
from collections.abc import Iterator
from typing import Any

import trio

from simplestchat.load.counts import now_us
from simplestchat.load.departing import fall_silent, finish, take_down
from simplestchat.load.link import AnyMessage, Link, LinkClosed, StreamLink, messages
from simplestchat.load.messages import Assign, Clock, Epoch, Failed, Finished, Ready, Sample, Start, Stop
from simplestchat.load.user import Stranger, User
from simplestchat.load.world import World

SAMPLE_S = 1.0
LAG_PROBE_S = 0.02
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_GC_THRESHOLDS = (50_000, 50, 1000)  # as the server: whoever lives long is not looked at again and again


class Generator:
    """The run of one assignment over one link."""

    def __init__(self, link: Link, assign: Assign, *, bind: str = "") -> None:
        self._link = link
        self._assign = assign
        self._bind = bind
        self._sending = trio.Lock()
        self._started = trio.Event()
        self._stopped = trio.Event()
        self._users: list[User] = []
        self._phase = "ramp"
        self._start_us = 0
        self._world: World | None = None

    async def run(self) -> None:
        """Raises ``LinkClosed`` when the coordinator is gone."""
        async with trio.open_nursery() as nursery:
            world = World(self._assign, nursery, self._bind)
            mine = world.plan.indices(self._assign.part, self._assign.parts)
            nursery.start_soon(self._listen)
            await self._send(Ready(part=self._assign.part, users=len(mine), machine=machine(self._assign.cores)))
            await self._started.wait()
            world.start_us = self._start_us
            world.media.crowd.set_epoch(self._start_us)
            world.media.start()
            self._world = world
            try:
                await self._go(world, mine)
            finally:
                self._world = None
                world.lines.close()
                world.media.stop()
            nursery.cancel_scope.cancel()

    async def _go(self, world: World, mine: range) -> None:
        nursery = world.nursery
        for task in (world.lines.run, world.agenda.run, world.media.run):
            nursery.start_soon(task)
        nursery.start_soon(_probe_lag, world)
        world.spawn(world.rollcall.run)
        world.spawn(world.watched.run)
        for index in mine:
            world.agenda.at(world.at_us(world.plan.join_at_s(index)), lambda index=index: self._begin(world, index))  # type: ignore[misc]
        for number in world.plan.strangers(self._assign.part, self._assign.parts):
            nursery.start_soon(Stranger(world, number).run)
        settle_compactly()
        async with trio.open_nursery() as sampling:
            sampling.start_soon(self._samples, world)
            await self._until(world, world.plan.media_end_s)
            self._phase = "settle"
            world.silent = True
            for user in self._users:
                if user.stay is not None:
                    fall_silent(user.stay)
            await trio.sleep(world.scenario.ramp.settle_s)
            self._end(world)
            sampling.cancel_scope.cancel()
        self._phase = "done"
        await self._sample(world)
        await self._send(self._finished(world))

    def _begin(self, world: World, index: int) -> None:
        user = User(world, index)
        self._users.append(user)
        world.watched.consider(user)
        world.nursery.start_soon(user.run)

    async def _until(self, world: World, at_s: float) -> None:
        """Wait for a moment of the plan, or to be stopped."""
        with trio.move_on_after(max(0.0, world.plan.ramp_s - world.now_s())):
            await self._stopped.wait()
        self._phase = "hold"
        with trio.move_on_after(max(0.0, at_s - world.now_s())):
            await self._stopped.wait()

    def _end(self, world: World) -> None:
        """Count everything for good."""
        stays = [user.stay for user in self._users if user.stay is not None]
        for stay in stays:
            finish(stay)
        for stay in stays:
            stay.subscribing.finish()
        for stay in stays:
            take_down(stay)
            stay.client.drop()

    def _finished(self, world: World) -> Finished:
        return Finished(
            part=self._assign.part,
            users=tuple(one.result(world.tally.by_user.get(index, set())) for index, one in world.records.items()),
            streams=world.streams.results(),
            quality=world.streams.quality.data(),
            faults=dict(world.tally.faults),
            details=world.tally.details,
            acked=world.acked.told(),
        )

    # The link

    async def _send(self, message: AnyMessage) -> None:
        async with self._sending:
            await self._link.send(message)

    async def _listen(self) -> None:
        async for message in messages(self._link):
            match message:
                case Clock():
                    await self._send(Clock(asked_us=message.asked_us, answered_us=now_us()))
                case Start():
                    self._start_us = message.at_us
                    self._started.set()
                case Epoch() if self._world is not None:
                    self._world.media.crowd.set_epoch(message.at_us)
                case Stop():
                    self._start_us = self._start_us or now_us()
                    self._stopped.set()
                    self._started.set()
                case _:
                    pass
        raise LinkClosed("the coordinator is gone")

    # Samples

    async def _samples(self, world: World) -> None:
        due = trio.current_time()
        while True:
            due += SAMPLE_S
            await trio.sleep_until(due)
            for user in self._users:
                if user.stay is not None:
                    user.stay.client.expire()
            await self._sample(world)

    async def _sample(self, world: World) -> None:
        await self._send(sample(world, self._users, self._assign.part, self._phase))


def sample(world: World, users: list[User], part: int, phase: str) -> Sample:
    """What passed since the last one."""
    media = world.media.swarm.sample()
    crowd = world.media.totals()
    watched_totals, watched_gauges = world.watched.sample()
    present = sum(one.stay is not None and one.stay.joined and not one.stay.gone for one in users)
    return Sample(
        part=part,
        at_us=now_us(),
        totals={**world.tally.totals, **media["totals"], **watched_totals},
        gauges={
            "users": present,
            "publishing": media["senders"],
            "receiving": media["receivers"],
            "connected": media["connected"],
            **watched_gauges,
        },
        histograms={**world.tally.take_histograms(), **media["histograms"]},
        generator={
            "cpu_s": time.process_time(),
            "loop_cpu_s": world.media.cpu_s(),
            "rss_bytes": float(rss_bytes()),
            "sockets": float(crowd["sockets"] + len(world.lines)),
            "receive_drops": float(crowd["receive_drops"]),
            "send_failures": float(crowd["send_failures"]),
            "events_lost": float(media["events_lost"]),
        },
        phase=phase,
    )


async def _probe_lag(world: World) -> None:
    """How late a timer of this loop fires."""
    while True:
        due_us = now_us() + round(LAG_PROBE_S * 1_000_000)
        await trio.sleep(LAG_PROBE_S)
        world.tally.span("loop_lag", now_us() - due_us)


def rss_bytes() -> int:
    """Resident memory of this process."""
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * _PAGE_BYTES


def machine(pinned: tuple[int, ...]) -> dict[str, Any]:
    """Where this runs, pinned to these cores."""
    return {
        "host": platform.node(),
        "system": f"{platform.system()} {platform.release()}",
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PHYS_PAGES") * _PAGE_BYTES,
        "pinned": list(pinned),
        "pid": os.getpid(),
        "python": platform.python_version(),
    }


def settle_compactly() -> None:
    """Let the garbage collector pass over what stays."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLDS)


def take_all_descriptors() -> None:
    """Thousands of users need two sockets each and more."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def generate(link: Link, *, bind: str = "") -> None:
    """Serve one assignment; raises ``LinkClosed`` when the coordinator goes before its end."""
    assign = await link.receive()
    if not isinstance(assign, Assign):
        raise LinkClosed("the first message is no assignment")
    if assign.cores:
        os.sched_setaffinity(0, assign.cores)
    take_all_descriptors()
    try:
        await Generator(link, assign, bind=bind).run()
    except* (OSError, ValueError) as errors:
        await link.send(Failed(part=assign.part, reason="; ".join(str(error) for error in leaves(errors))))


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors in a group of groups."""
    if isinstance(error, BaseExceptionGroup):
        for one in error.exceptions:
            yield from leaves(one)
    else:
        yield error


async def _main() -> None:
    outgoing = os.dup(1)
    os.dup2(2, 1)  # whatever prints must not end up among the messages
    link = StreamLink(trio.lowlevel.FdStream(outgoing), trio.lowlevel.FdStream(os.dup(0)))
    try:
        await generate(link)
    except* LinkClosed as errors:
        print(f"generator: {next(leaves(errors))}", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the coordinator decides; without it the link ends
    trio.run(_main)
