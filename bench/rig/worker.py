"""One real media worker without a node: its process, and the requests that a node would send."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import simplestchat
from simplestchat.media import wire
from simplestchat.media.recruit import WORKER_COMMAND

from .audience import Door
from .processes import pinned

_READ_BYTES = 65536
_TIMEOUT_S = 20.0

VIDEO_PAYLOAD_TYPE = 96
FORWARDED_PAYLOAD_TYPE = 101
_VP8 = (VIDEO_PAYLOAD_TYPE, -1, 90_000, "vp8", True, True, False)


class Worker:
    """A worker process on a core; requests are answered before they return."""

    def __init__(self, core: int, command: Sequence[str] = WORKER_COMMAND) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        root = str(Path(simplestchat.__file__).parent.parent)
        path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        with theirs, pinned(core):
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": path},
            )
        self._control = ours
        self._control.settimeout(_TIMEOUT_S)
        self._reader = wire.FrameReader()
        self._requests = 0
        self._messages: list[list[Any]] = []
        assert self._next() == [wire.EVENT, "waiting"]
        self._control.sendall(wire.encode_call(1, wire.Serve(0, 0)))
        _, hello, self.port, fingerprints = self._next()
        assert hello == "hello"
        self.fingerprint: tuple[str, str] = next(
            (algorithm, value) for algorithm, value in fingerprints if algorithm == "sha-256"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._control.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _next(self) -> list[Any]:
        while not self._messages:
            data = self._control.recv(_READ_BYTES)
            if not data:
                raise RuntimeError("the worker has ended")
            self._messages += self._reader.feed(data)
        return self._messages.pop(0)

    def request(self, call: wire.Call) -> Any:
        """The result; raises RuntimeError with the worker's words when it refuses. Events are passed over."""
        self._requests += 1
        self._control.sendall(wire.encode_call(self._requests, call))
        while True:
            kind, number, *rest = self._next()
            if kind == wire.EVENT or number != self._requests:
                continue
            if kind == wire.FAILURE:
                raise RuntimeError(rest[0]["message"])
            return rest[0]

    def open_transport(self, number: int, fingerprint: tuple[str, str]) -> Door:
        """A transport that waits for a client with this certificate."""
        ufrag, password = self.request(wire.CreateTransport(id=number))
        self.request(wire.ConnectTransport(id=number, role="client", fingerprints=[fingerprint]))
        return Door("127.0.0.1", self.port, ufrag, password, self.fingerprint)

    def publish(self, producer: int, transport: int, ssrc: int) -> None:
        """Takes one VP8 stream from a transport."""
        self.request(
            wire.CreateProducer(
                id=producer,
                transport=transport,
                kind="video",
                mid="",
                streams=[(ssrc, 0, "")],
                codecs=[_VP8],
                extensions={},
            )
        )

    def subscribe(self, consumer: int, transport: int, producer: int, ssrc: int) -> None:
        """Forwards it to a transport."""
        self.request(
            wire.CreateConsumer(
                id=consumer,
                transport=transport,
                producer=producer,
                ssrc=ssrc,
                rtx_ssrc=0,
                codecs=[(VIDEO_PAYLOAD_TYPE, FORWARDED_PAYLOAD_TYPE, -1)],
                extensions={},
                mid="0",
                paused=False,
                cname="bench",
            )
        )

    def counters(self) -> dict[str, int]:
        """What it counts since its start."""
        counters: dict[str, int] = self.request(wire.Stats())["counters"]
        return counters
