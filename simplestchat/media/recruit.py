"""A worker process from its birth until it serves: it comes up without a port, says that it waits, and gets one.

So a process that waits can take the place of any worker (`spares`).
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trio

import simplestchat

from .wire import FAILURE, ChannelError, FrameReader, Serve, encode_call

#: What a worker process runs; its control descriptor follows.
WORKER_COMMAND: tuple[str, ...] = (sys.executable, "-P", "-m", "simplestchat.media.worker")
START_TIMEOUT_S = 20.0  # importing and making certificates on a loaded machine
SERVE_TIMEOUT_S = 5.0  # opening a port
STOP_TIMEOUT_S = 1.0
_READ_BYTES = 65536
_LOOK_INTERVAL_S = 0.1  # at a process whose end cannot be waited for


class WorkerStartError(Exception):
    """A worker could not start; the text says why."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a worker says of itself when it begins to serve."""

    port: int
    fingerprints: list[tuple[str, str]]


class Recruit:
    """A new process with a control channel. Who makes one ends it, or hands it over to whom it is to serve."""

    def __init__(self) -> None:
        """Start it; raises WorkerStartError when the machine has no place for it."""
        try:
            self._process, self.stream = _spawn()
        except OSError as exc:
            raise WorkerStartError(f"no process can be started: {exc}") from exc
        self.reader = FrameReader()

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    async def until_waiting(self) -> None:
        """Return when it may be told to serve; raises WorkerStartError."""
        match await self._first_message("wait", START_TIMEOUT_S):
            case [_, "waiting"]:
                return
            case other:
                raise _refusal(other)

    async def serve(self, order: Serve) -> Greeting:
        """Let it serve; raises WorkerStartError."""
        try:
            await self.stream.send_all(encode_call(1, order))
        except trio.BrokenResourceError:
            raise WorkerStartError("it ended while it waited") from None
        match await self._first_message("greet", SERVE_TIMEOUT_S):
            case [_, "hello", int(own_port), list(fingerprints)]:
                return Greeting(own_port, [(str(algorithm), str(value)) for algorithm, value in fingerprints])
            case other:
                raise _refusal(other)

    async def _first_message(self, verb: str, timeout_s: float) -> list[Any]:
        with trio.move_on_after(timeout_s):
            try:
                while data := await self.stream.receive_some(_READ_BYTES):
                    for message in self.reader.feed(bytes(data)):
                        return message
            except (trio.BrokenResourceError, ChannelError) as exc:
                raise WorkerStartError(str(exc)) from None
            raise WorkerStartError(f"it ended before it could {verb}")
        raise WorkerStartError(f"it did not {verb} within {timeout_s:.0f} s")

    async def ended(self) -> None:
        """Wait until the process has ended, without a thread."""
        if self._process.poll() is not None:
            return
        try:
            descriptor = os.pidfd_open(self._process.pid)
        except OSError:  # this process has no descriptor left for it
            while self._process.poll() is None:  # noqa: ASYNC110
                await trio.sleep(_LOOK_INTERVAL_S)
            return
        try:
            await trio.lowlevel.wait_readable(descriptor)
        finally:
            trio.lowlevel.notify_closing(descriptor)
            os.close(descriptor)

    async def end(self, patience_s: float = STOP_TIMEOUT_S) -> int:
        """Make sure that it is gone: first by hanging up, then by force; return its exit status."""
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(self.stream)
            with trio.move_on_after(patience_s):
                await self.ended()
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGKILL)
                await self.ended()
        return self._process.wait()


def _refusal(message: list[Any]) -> WorkerStartError:
    match message:
        case [kind, 0, {"message": str(text)}] if kind == FAILURE:
            return WorkerStartError(text)
        case _:
            return WorkerStartError("it said something else than it should")


def _spawn() -> tuple[subprocess.Popen[bytes], trio.SocketStream]:
    """Start a worker process with one end of a new control channel; raises OSError."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with theirs:
        try:
            process = _start(theirs)
        except OSError:
            ours.close()
            raise
    return process, trio.SocketStream(trio.socket.from_stdlib_socket(ours))


def _start(control: socket.socket) -> subprocess.Popen[bytes]:
    control.set_inheritable(True)
    # The package that runs here is the one that the worker shall import, wherever it was started from.
    root = str(Path(simplestchat.__file__).parent.parent)
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    # Not in a thread: the worker's parent-death signal follows the thread that has forked it.
    return subprocess.Popen(
        [*WORKER_COMMAND, str(control.fileno())],
        pass_fds=(control.fileno(),),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": path},
    )
