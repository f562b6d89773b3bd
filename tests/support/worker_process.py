"""A real worker process under a benchmark: started, pinned, asked over its control channel."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from simplestchat.media.reading import Reading
from simplestchat.media.wire import EVENT, FAILURE, Call, FrameReader, Serve, Stats, encode_call

LOCALHOST = "127.0.0.1"


class WorkerProcess:
    """One media worker on one core; every call waits for its answer."""

    def __init__(self, core: int | None = None) -> None:
        self._ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "simplestchat.media.worker", str(theirs.fileno())], pass_fds=[theirs.fileno()]
            )
        if core is not None:
            os.sched_setaffinity(self._process.pid, {core})
        self._reader = FrameReader()
        self._arrived: deque[list[Any]] = deque()
        self._ids = 0
        self.states: dict[int, str] = {}
        assert self._next()[1] == "waiting"
        self._send(Serve(index=0, port=0))
        _, _, port, self.fingerprints = self._next()
        self.address = (LOCALHOST, port)

    def _send(self, call: Call) -> None:
        self._ids += 1
        self._ours.sendall(encode_call(self._ids, call))

    def _next(self) -> list[Any]:
        while not self._arrived:
            data = self._ours.recv(1 << 16)
            assert data, "the worker has ended"
            self._arrived.extend(self._reader.feed(data))
        return self._arrived.popleft()

    def call(self, *calls: Call) -> list[Any]:
        """The answers, in order."""
        for call in calls:
            self._send(call)
        answers: list[Any] = []
        while len(answers) < len(calls):
            kind, *rest = self._next()
            if kind == EVENT:
                if rest[0] == "transport.state":
                    self.states[rest[1]] = rest[2]
                continue
            assert kind != FAILURE, rest
            answers.append(rest[1])
        return answers

    def call_all(self, calls: Iterable[Call]) -> list[Any]:
        """As `call`, a hundred at a time, so that no socket buffer fills up."""
        batch: list[Call] = []
        answers: list[Any] = []
        for each in calls:
            batch.append(each)
            if len(batch) == 100:
                answers += self.call(*batch)
                batch.clear()
        return answers + self.call(*batch)

    def reading(self) -> Reading:
        """What it tells of itself now."""
        return msgspec.convert(self.call(Stats())[0], Reading)

    def close(self) -> None:
        self._ours.close()
        self._process.wait(10)


@contextmanager
def worker(core: int | None = None) -> Iterator[WorkerProcess]:
    process = WorkerProcess(core)
    try:
        yield process
    finally:
        process.close()
