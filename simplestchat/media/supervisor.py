"""Spawns the workers, watches them, and starts a new one when one has died.

A worker is lost when its process ends, its channel closes or breaks the rules, or it leaves a question unanswered.
A spare process takes its place at once, a new one where no spare is ready; after a short life there is a pause before,
and after each further one a longer one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import structlog
import trio

from simplestchat.errors import MediaError, MediaUnavailable

from .channel import ControlChannel
from .pauses import Pauses
from .pinning import pin
from .placement import Load
from .reading import Reading
from .recruit import Greeting, Recruit, WorkerStartError
from .spares import Spares
from .wire import ChannelError, Serve, Stats

log = structlog.get_logger()

POLL_INTERVAL_S = 2.0  # how often a worker is asked whether it is alive


class Worker:
    """One living worker process."""

    def __init__(self, index: int, greeting: Greeting, connect: Callable[[Worker], ControlChannel]) -> None:
        self.index = index
        self.port = greeting.port
        self.fingerprints = greeting.fingerprints
        self.channel = connect(self)
        #: What it told of itself last, and when in the event loop's seconds; None before its first answer.
        self.reading: Reading | None = None
        self.read_at_s = float("-inf")
        self._shared: trio.Event | None = None
        self.load = Load()
        #: It has died, and what was on it is forgotten.
        self.lost = False

    async def read(self) -> None:
        """Ask for a new reading; raises MediaError without an answer."""
        answer = await self.channel.request(Stats())
        try:
            self.reading = msgspec.convert(answer, Reading)
        except msgspec.ValidationError as exc:
            raise MediaUnavailable from exc
        self.read_at_s = trio.current_time()
        self.load.measured(self.reading.footprint.cpu_us, self.read_at_s)

    async def share_reading(self) -> None:
        """Like `read`, but who comes while another one waits here waits along, and has what that one gets."""
        if self._shared is not None:
            await self._shared.wait()
            return
        self._shared = trio.Event()
        try:
            await self.read()
        finally:
            self._shared.set()
            self._shared = None


class Supervisor:
    """Keeps `count` workers alive, and `spares` processes ready, until `run` is cancelled."""

    def __init__(
        self,
        count: int,
        rtc_port: int,
        *,
        spares: int,
        pinning: str,
        srtp_backend: str,
        udp_offload: bool,
        on_event: Callable[[Worker, list[Any]], None],
        on_lost: Callable[[Worker], None],
    ) -> None:
        self._rtc_port = rtc_port
        self._pinning = pinning
        self._srtp_backend = srtp_backend
        self._udp_offload = udp_offload
        self._on_event = on_event
        self._on_lost = on_lost
        self._slots: list[Worker | None] = [None] * count
        self._spares = Spares(spares)
        self._changed = trio.Event()
        self.restarts = 0

    @property
    def workers(self) -> list[Worker]:
        """The workers that serve at this moment."""
        return [worker for worker in self._slots if worker is not None]

    @property
    def count(self) -> int:
        """How many there should be."""
        return len(self._slots)

    async def changed(self) -> None:
        """Return when a worker has come or gone."""
        await self._changed.wait()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the workers alive; started when all have come up, WorkerStartError when one cannot."""
        async with trio.open_nursery() as nursery:
            async with trio.open_nursery() as starting:
                for index in range(len(self._slots)):
                    starting.start_soon(nursery.start, self._keep, index)
            task_status.started()
            nursery.start_soon(self._spares.run)

    async def _keep(self, index: int, task_status: trio.TaskStatus[None]) -> None:
        pauses = Pauses()
        first = True
        while True:
            began_s = trio.current_time()
            try:
                await self._serve(index, task_status if first else None)
            except WorkerStartError as exc:
                if first:
                    raise
                log.error("worker did not start", worker=index, problem=str(exc))
            first = False
            await trio.sleep(pauses.after(trio.current_time() - began_s))
            self.restarts += 1

    async def _serve(self, index: int, task_status: trio.TaskStatus[None] | None) -> None:
        """Run one worker process, a spare or a new one, to its death."""
        spare = self._spares.take()
        recruit = spare or Recruit()
        try:
            if spare is None:
                await recruit.until_waiting()
            port = self._rtc_port + index if self._rtc_port else 0
            greeting = await recruit.serve(Serve(index, port, self._srtp_backend, self._udp_offload))
            pin(recruit.pid, index, self.count, self._pinning)
            worker = Worker(index, greeting, self._connector(recruit))
            self._place(index, worker)
            log.info("worker started", worker=index, pid=recruit.pid, spare=spare is not None)
            if task_status is not None:
                task_status.started()
            try:
                await self._watch(worker, recruit)
            finally:
                self._place(index, None)
            worker.lost = True
            self._on_lost(worker)  # not when the node itself is ending
        finally:
            status = await recruit.end()
            log.info("worker ended", worker=index, pid=recruit.pid, status=status)

    def _place(self, index: int, worker: Worker | None) -> None:
        self._slots[index] = worker
        self._changed.set()
        self._changed = trio.Event()

    def _connector(self, recruit: Recruit) -> Callable[[Worker], ControlChannel]:
        return lambda worker: ControlChannel(
            recruit.stream, recruit.reader, lambda event: self._on_event(worker, event)
        )

    async def _watch(self, worker: Worker, recruit: Recruit) -> None:
        """Return when the worker is dead or as good as dead."""
        try:
            async with trio.open_nursery() as nursery:

                async def until_first(watch: Callable[[], Any]) -> None:
                    await watch()
                    nursery.cancel_scope.cancel()

                nursery.start_soon(until_first, worker.channel.run)
                nursery.start_soon(until_first, recruit.ended)
                nursery.start_soon(until_first, lambda: self._poll(worker))
        except* ChannelError as group:
            log.error("worker broke the control channel", worker=worker.index, problem=str(group.exceptions[0]))

    async def _poll(self, worker: Worker) -> None:
        """Ask for a reading at intervals; return when there is no answer."""
        while True:
            try:
                await worker.read()
            except MediaError:
                log.error("worker does not answer", worker=worker.index)
                return
            await trio.sleep(POLL_INTERVAL_S)
