"""A crowd and a server's media loop in this process, on real sockets of loopback and the real clock."""

from __future__ import annotations

import os
import queue
import resource
import select
import socket
import threading
import time
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from simplestchat._native.engine.shard import Shard
from simplestchat._native.io.crowd import Crowd
from simplestchat._native.io.loop import Loop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simplestchat._native.peer.swarm import Event, ReceiverInfo, SenderInfo

PATIENCE_S = 30.0
HOST = "127.0.0.1"
VIDEO_PT, VIDEO_RTX_PT, AUDIO_PT = 96, 97, 111


class LiveServer:
    """A shard under its own loop, in a thread; a transport's number is its path's. With `held` it waits for `start`."""

    def __init__(self, *, offload: bool = True, held: bool = False) -> None:
        self._node, self._worker = socket.socketpair()
        self._requests: queue.Queue[Callable[[], object]] = queue.Queue()
        self._lock = threading.Lock()
        self.events: list[tuple[object, ...]] = []
        self.shard = Shard(1)
        self._loop = Loop(
            self._worker.fileno(),
            0,
            self.shard,
            handle=self._handle,
            encode_events=lambda e: self.events.extend(e) or [],
            offload=offload,
        )
        self.address = (HOST, self._loop.port)
        self._thread = threading.Thread(target=self._loop.run, daemon=True)
        if not held:
            self.start()

    def start(self) -> None:
        self._thread.start()

    def _handle(self, _body: bytes) -> bytes:
        self._requests.get_nowait()()
        return b""

    def call(self, method: str, *arguments: Any) -> Any:
        """Calls the shard between two turns of its loop."""
        outcome: list[Any] = []

        def request() -> None:
            try:
                outcome.append(getattr(self.shard, method)(*arguments))
            except Exception as exc:
                outcome.append(exc)

        with self._lock:
            self._requests.put(request)
            self._node.sendall((1).to_bytes(4) + b"?")
            assert self._node.recv(4) == bytes(4)
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]

    def close(self) -> None:
        self._node.close()
        self._thread.join()
        self._worker.close()


class RunningCrowd:
    """A crowd whose loop has a thread, and its events as they come."""

    def __init__(self, **settings: Any) -> None:
        self.crowd = Crowd(b"live", **settings)
        self.swarm = self.crowd.swarm
        self.events: list[Event] = []
        self.failure: BaseException | None = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.crowd.run()
        except OSError as exc:
            self.failure = exc

    def wait_for(self, kind: int, id: int) -> Event:
        """The event of a kind about a path or receiver."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = [event for event in self.events if event[:2] == (kind, id)]
            if found:
                return found[0]
            assert select.select([self.crowd.event_fd], [], [], deadline - time.monotonic())[0], (
                f"no event {kind} of {id}"
            )
            os.read(self.crowd.event_fd, 8)
            self.events += self.swarm.take_events()

    def close(self) -> None:
        self.crowd.stop()
        self.thread.join()


def until(condition: Callable[[], object], what: str) -> None:
    """Asks again and again, for what nothing tells of."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.01)


class LiveCall:
    """Users of one crowd with one server."""

    def __init__(self, *, offload: bool) -> None:
        self.server = LiveServer(offload=offload)
        self.running = RunningCrowd()
        self.swarm = self.running.swarm
        self._ids = 0

    def new_id(self) -> int:
        self._ids += 1
        return self._ids

    def join(self) -> int:
        """A path that begins to connect."""
        path = self.new_id()
        ufrag, password = self.server.call("create_transport", path)
        self.server.call("connect_transport", path, "client", [self.swarm.fingerprint])
        self.swarm.add_path(path, path, self.server.address, ufrag, password, self.server.shard.fingerprints()[0], path)
        return path

    def publish(self, path: int, *, video: bool) -> int:
        """A track of the user; the number of its sender and producer."""
        id = self.new_id()
        payload_type, rtx, clock_rate = (VIDEO_PT, VIDEO_RTX_PT, 90_000) if video else (AUDIO_PT, -1, 48_000)
        rtx_ssrc = 2000 + id if video else 0
        info: SenderInfo = {
            "user": path,
            "track": int(video),
            "codec": "vp8" if video else "opus",
            "payload_type": payload_type,
            "rtx_payload_type": rtx,
            "clock_rate": clock_rate,
            "fps": 30 if video else 0,
            "max_payload": 1100,
            "ext": {},
            "mid": "",
            "talk": 1,
            "dtx": False,
            "talk_ms": 1000,
            "silence_ms": 1000,
            "seed": id,
            "layers": [
                {
                    "ssrc": 1000 + id,
                    "rtx_ssrc": rtx_ssrc,
                    "bitrate_bps": 600_000 if video else 32_000,
                    "width": 640 if video else 0,
                    "height": 360 if video else 0,
                    "rid": "",
                }
            ],
        }
        codecs = [(payload_type, rtx, clock_rate, info["codec"], video, video, video)]
        kind = "video" if video else "audio"
        self.server.call("create_producer", id, path, kind, "", [(1000 + id, rtx_ssrc, "")], codecs, {})
        self.swarm.add_sender(id, path, info)
        return id

    def subscribe(self, path: int, producer: int, publisher: int, *, video: bool) -> int:
        """A reception of `producer`, a track of the publisher; the number of its receiver and consumer."""
        id = self.new_id()
        payload_type, rtx, clock_rate = (VIDEO_PT, VIDEO_RTX_PT, 90_000) if video else (AUDIO_PT, -1, 48_000)
        info: ReceiverInfo = {
            "user": publisher,
            "track": int(video),
            "codec": "vp8" if video else "opus",
            "payload_type": payload_type,
            "rtx_payload_type": rtx,
            "ssrc": 1000 + id,
            "rtx_ssrc": 2000 + id if video else 0,
            "clock_rate": clock_rate,
            "ext": {},
        }
        self.swarm.add_receiver(id, path, info)
        maps = [(payload_type, payload_type, rtx)]
        self.server.call("create_consumer", id, path, producer, 1000 + id, info["rtx_ssrc"], maps, {}, "", False)
        return id

    def close(self) -> None:
        self.running.close()
        self.server.close()


@contextmanager
def live_call(*, offload: bool = True) -> Iterator[LiveCall]:
    call = LiveCall(offload=offload)
    try:
        yield call
    finally:
        call.close()


@contextmanager
def running_crowd(**settings: Any) -> Iterator[RunningCrowd]:
    running = RunningCrowd(**settings)
    try:
        yield running
    finally:
        running.close()


@contextmanager
def plain_server() -> Iterator[socket.socket]:
    """A UDP socket that answers nothing by itself."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((HOST, 0))
        server.settimeout(PATIENCE_S)
        yield server


@contextmanager
def no_files_left() -> Iterator[None]:
    """Whoever opens a file or socket is told that there are too many.

    The limit lies below every number that can become free, for the collector or another thread may close files within.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
