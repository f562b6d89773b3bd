"""A media worker's process, spoken to over its control channel as a node does it, one request after the other."""

from __future__ import annotations

import itertools
import socket
import subprocess
from collections import deque
from collections.abc import Sequence
from typing import Any, Self

from support.repository import ROOT

from simplestchat.media.recruit import WORKER_COMMAND
from simplestchat.media.wire import REPLY, Call, FrameReader, Serve, encode_call

PATIENCE_S = 60.0


class WorkerEnd:
    """A context that ends the process; ``enter`` is the command that runs it elsewhere, such as in a namespace."""

    def __init__(self, enter: Sequence[str] = ()) -> None:
        self._channel, theirs = socket.socketpair()
        self._channel.settimeout(PATIENCE_S)
        with theirs:
            theirs.set_inheritable(True)
            self._process = subprocess.Popen(
                [*enter, *WORKER_COMMAND, str(theirs.fileno())], pass_fds=(theirs.fileno(),), cwd=ROOT
            )
        self._reader = FrameReader()
        self._messages: deque[list[Any]] = deque()
        self._ids = itertools.count(2)
        assert self._next() == [2, "waiting"]
        self._channel.sendall(encode_call(1, Serve(0, 0)))
        _, hello, self.port, prints = self._next()
        assert hello == "hello"
        self.fingerprint: tuple[str, str] = tuple(prints[0])

    def _next(self) -> list[Any]:
        while not self._messages:
            data = self._channel.recv(65536)
            assert data, "the worker hung up"
            self._messages += self._reader.feed(data)
        return self._messages.popleft()

    def ask(self, call: Call) -> Any:
        """The result of a request; events are passed over."""
        number = next(self._ids)
        self._channel.sendall(encode_call(number, call))
        while True:
            kind, *rest = self._next()
            if rest[0] == number:
                assert kind == REPLY, rest
                return rest[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        self._process.wait(PATIENCE_S)
