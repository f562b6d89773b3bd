"""Spawns the workers, watches them, and starts a new one when one has died.

A worker is lost when its process ends, its channel closes or breaks the rules, or it leaves a question unanswered.
Its successor starts at once; one that dies soon after its start is restarted with growing pauses.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import structlog
import trio

import simplestchat
from simplestchat.errors import MediaError, MediaUnavailable

from .channel import ControlChannel
from .reading import Reading
from .wire import FAILURE, ChannelError, FrameReader, Stats

log = structlog.get_logger()

START_TIMEOUT_S = 20.0  # importing and making certificates on a loaded machine
STOP_TIMEOUT_S = 1.0
#: What a worker process runs; its control descriptor and port follow.
WORKER_COMMAND: tuple[str, ...] = (sys.executable, "-P", "-m", "simplestchat.media.worker")
POLL_INTERVAL_S = 2.0  # how often a worker is asked whether it is alive
STABLE_S = 30.0  # a worker that lived this long starts the pauses anew
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0


class WorkerStartError(Exception):
    """A worker could not start; the text says why."""


class Worker:
    """One living worker process."""

    def __init__(
        self, index: int, port: int, fingerprints: list[tuple[str, str]], connect: Callable[[Worker], ControlChannel]
    ) -> None:
        self.index = index
        self.port = port
        self.fingerprints = fingerprints
        self.channel = connect(self)
        #: What it told of itself last, and when in the event loop's seconds; None before its first answer.
        self.reading: Reading | None = None
        self.read_at_s = float("-inf")
        self._reading_done: trio.Event | None = None
        #: Transports, producers and consumers on it: what placement balances.
        self.load = 0

    async def read(self) -> None:
        """Ask for a new reading, or wait for the one that is under way; raises MediaError without an answer."""
        if self._reading_done is not None:
            await self._reading_done.wait()
            return
        self._reading_done = trio.Event()
        try:
            answer = await self.channel.request(Stats())
            self.reading = msgspec.convert(answer, Reading)
            self.read_at_s = trio.current_time()
        except msgspec.ValidationError as exc:
            raise MediaUnavailable from exc
        finally:
            self._reading_done.set()
            self._reading_done = None


class Supervisor:
    """Keeps `count` workers alive until `run` is cancelled."""

    def __init__(
        self,
        count: int,
        rtc_port: int,
        *,
        on_event: Callable[[Worker, list[Any]], None],
        on_lost: Callable[[Worker], None],
    ) -> None:
        self._rtc_port = rtc_port
        self._on_event = on_event
        self._on_lost = on_lost
        self._slots: list[Worker | None] = [None] * count
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

    async def _keep(self, index: int, task_status: trio.TaskStatus[None]) -> None:
        pause_s = 0.0
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
            stable = trio.current_time() - began_s >= STABLE_S
            pause_s = 0.0 if stable else min(max(FIRST_PAUSE_S, pause_s * 2), LONGEST_PAUSE_S)
            await trio.sleep(pause_s)
            self.restarts += 1

    async def _serve(self, index: int, task_status: trio.TaskStatus[None] | None) -> None:
        """Run one worker process from birth to death."""
        port = self._rtc_port + index if self._rtc_port else 0
        process, stream = _spawn(port)
        try:
            worker = await self._greet(index, process, stream)
            self._place(index, worker)
            log.info("worker started", worker=index, pid=process.pid)
            if task_status is not None:
                task_status.started()
            try:
                await self._watch(worker, process)
            finally:
                self._place(index, None)
            self._on_lost(worker)  # not when the node itself is ending
        finally:
            code = await _end(process, stream)
            log.info("worker ended", worker=index, pid=process.pid, status=code)

    def _place(self, index: int, worker: Worker | None) -> None:
        self._slots[index] = worker
        self._changed.set()
        self._changed = trio.Event()

    async def _greet(self, index: int, process: subprocess.Popen[bytes], stream: trio.SocketStream) -> Worker:
        """Wait for the first message of a worker."""
        reader = FrameReader()
        with trio.move_on_after(START_TIMEOUT_S):
            while data := await stream.receive_some(65536):
                for message in reader.feed(bytes(data)):
                    match message:
                        case [_, "hello", int(pid), int(port), list(fingerprints)] if pid == process.pid:
                            rows = [(str(algorithm), str(value)) for algorithm, value in fingerprints]
                            return Worker(index, port, rows, self._connector(stream, reader))
                        case [kind, 0, {"message": str(text)}] if kind == FAILURE:
                            raise WorkerStartError(text)
                        case _:
                            raise WorkerStartError("it did not greet")
            raise WorkerStartError("it ended before it greeted")
        raise WorkerStartError(f"it did not greet within {START_TIMEOUT_S:.0f} s")

    def _connector(self, stream: trio.SocketStream, reader: FrameReader) -> Callable[[Worker], ControlChannel]:
        return lambda worker: ControlChannel(stream, reader, lambda event: self._on_event(worker, event))

    async def _watch(self, worker: Worker, process: subprocess.Popen[bytes]) -> None:
        """Return when the worker is dead or as good as dead."""
        try:
            async with trio.open_nursery() as nursery:

                async def until_first(watch: Callable[[], Any]) -> None:
                    await watch()
                    nursery.cancel_scope.cancel()

                nursery.start_soon(until_first, worker.channel.run)
                nursery.start_soon(until_first, lambda: _wait_end(process))
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


def _spawn(port: int) -> tuple[subprocess.Popen[bytes], trio.SocketStream]:
    """Start a worker process with one end of a new control channel."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with theirs:
        theirs.set_inheritable(True)
        # The package that runs here is the one that the worker shall import, wherever it was started from.
        root = str(Path(simplestchat.__file__).parent.parent)
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        # Not in a thread: the worker's parent-death signal follows the thread that has forked it.
        process = subprocess.Popen(
            [*WORKER_COMMAND, str(theirs.fileno()), str(port)],
            pass_fds=(theirs.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )
    return process, trio.SocketStream(trio.socket.from_stdlib_socket(ours))


async def _wait_end(process: subprocess.Popen[bytes]) -> None:
    """Wait until a process has ended, without a thread."""
    if process.poll() is not None:
        return
    descriptor = os.pidfd_open(process.pid)
    try:
        await trio.lowlevel.wait_readable(descriptor)
    finally:
        trio.lowlevel.notify_closing(descriptor)
        os.close(descriptor)


async def _end(process: subprocess.Popen[bytes], stream: trio.SocketStream) -> int:
    """Make sure that a worker is gone: first by hanging up, then by force; return its exit status."""
    with trio.CancelScope(shield=True):
        await trio.aclose_forcefully(stream)
        with trio.move_on_after(STOP_TIMEOUT_S):
            await _wait_end(process)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            await _wait_end(process)
    return process.wait()
