"""The media service with real worker processes, on a stage that sees its events and its processes."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import trio
from support.process import spare_pids, worker_pids

from simplestchat.media.service import READING_AGE_S, MediaService
from simplestchat.model.media import MediaEvent


async def until(look: Callable[[], object]) -> None:
    """Wait until something is true of the processes, which nothing tells."""
    while not look():  # noqa: ASYNC110
        await trio.sleep(0.02)


class Stage:
    """A running service and what it has reported."""

    def __init__(
        self, workers: int, spares: int, rtc_port: int, spread_at: float, pinning: str, srtp_backend: str
    ) -> None:
        self.events: list[MediaEvent] = []
        self.reported = trio.Event()
        self.service = MediaService(
            workers=workers,
            spares=spares,
            rtc_port=rtc_port,
            announce=["192.0.2.1"],
            handler=self._report,
            spread_at=spread_at,
            pinning=pinning,
            srtp_backend=srtp_backend,
        )

    def _report(self, event: MediaEvent) -> None:
        self.events.append(event)
        self.reported.set()

    def pids(self) -> list[int]:
        """Its workers."""
        return worker_pids(os.getpid())

    async def spare(self, *, beside: int = 0) -> int:
        """Wait for a process that stands ready, another one than this."""
        await until(lambda: set(spare_pids(os.getpid())) - {beside})
        (pid,) = set(spare_pids(os.getpid())) - {beside}
        return pid

    async def kill_worker(self, pid: int) -> None:
        """Kill a worker and wait until that is reported."""
        self.reported = trio.Event()
        os.kill(pid, signal.SIGKILL)
        await self.reported.wait()

    async def census(self, *names: str) -> dict[str, int]:
        """What the workers themselves count."""
        await trio.sleep(READING_AGE_S)  # a younger reading is shared
        await self.service.refresh_readings()
        totals: dict[str, int] = {}
        for reading in self.service.readings().values():
            for name in names or ("transports", "producers", "consumers"):
                totals[name] = totals.get(name, 0) + reading.counters[name]
        return totals


@asynccontextmanager
async def running(
    workers: int = 1,
    spares: int = 0,
    rtc_port: int = 0,
    spread_at: float = 0.5,
    pinning: str = "off",
    srtp_backend: str = "auto",
) -> AsyncIterator[Stage]:
    """A service from its start to its end."""
    stage = Stage(workers, spares, rtc_port, spread_at, pinning, srtp_backend)
    async with trio.open_nursery() as nursery:
        await nursery.start(stage.service.run)
        yield stage
        nursery.cancel_scope.cancel()


def play(
    scene: Callable[[Stage], Awaitable[None]],
    workers: int = 1,
    spares: int = 0,
    rtc_port: int = 0,
    spread_at: float = 0.5,
    pinning: str = "off",
) -> None:
    """Run a scene with a service."""

    async def main() -> None:
        with trio.fail_after(60):
            async with running(workers, spares, rtc_port, spread_at, pinning) as stage:
                await scene(stage)

    trio.run(main)
