"""Synthetic users of a real worker: they join for real, with ICE, DTLS and SRTP, from a loop on a core of its own."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from support.worker_process import WorkerProcess

from simplestchat._native.io.crowd import Crowd
from simplestchat.media.wire import CloseTransport, ConnectTransport, CreateConsumer, CreateProducer, CreateTransport

VIDEO_PT, RTX_PT = 96, 97


def cores() -> tuple[int, int]:
    """The worker's and the crowd's; the same one on a machine with a single core."""
    mine = sorted(os.sched_getaffinity(0))
    return mine[0], mine[-1]


class Users:
    """Users of one worker; a user's number is that of the transport and of the path."""

    def __init__(self, server: WorkerProcess) -> None:
        self.server = server
        self.crowd = Crowd(b"bench")
        self.swarm = self.crowd.swarm
        self._next = 0
        self._credentials: dict[int, tuple[str, str]] = {}
        # Whoever asks for joins works for them, too, and must not do it on the worker's core.
        self._cores = os.sched_getaffinity(0)
        os.sched_setaffinity(0, {cores()[1]})
        self._thread = threading.Thread(target=self.crowd.run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.crowd.stop()
        self._thread.join()
        os.sched_setaffinity(0, self._cores)

    def _new_id(self) -> int:
        self._next += 1
        return self._next

    def invite(self, count: int) -> list[int]:
        """Transports that wait for their users."""
        users = [self._new_id() for _ in range(count)]
        given = self.server.call_all(CreateTransport(id=user) for user in users)
        self._credentials |= {user: tuple(pair) for user, pair in zip(users, given, strict=True)}
        ours = [self.swarm.fingerprint]
        self.server.call_all(ConnectTransport(id=user, role="client", fingerprints=ours) for user in users)
        return users

    def join(self, users: list[int], per_second: float = 0) -> float:
        """Begins to connect them, all at once or at a pace, and waits until all are connected. Seconds."""
        fingerprint = tuple(self.server.fingerprints[0])
        before = self.swarm.sample()["connected"]
        began = time.monotonic()
        for number, user in enumerate(users):
            if per_second:
                time.sleep(max(0.0, began + number / per_second - time.monotonic()))
            ufrag, password = self._credentials.pop(user)
            self.swarm.add_path(user, user, self.server.address, ufrag, password, fingerprint, user)
        while self.swarm.sample()["connected"] < before + len(users):
            assert time.monotonic() < began + 60, "not all users could join"
            time.sleep(0.002)
        return time.monotonic() - began

    def leave(self, users: list[int]) -> None:
        for user in users:
            self.swarm.remove_path(user)
        self.server.call_all(CloseTransport(id=user) for user in users)

    def announce(self, user: int) -> tuple[int, int]:
        """A camera that the worker expects: its producer and its SSRC."""
        producer = self._new_id()
        ssrc = 1_000_000 + 2 * producer
        codecs = [(VIDEO_PT, RTX_PT, 90_000, "vp8", True, True, True)]
        self.server.call(
            CreateProducer(
                id=producer,
                transport=user,
                kind="video",
                mid=str(producer),
                streams=[(ssrc, ssrc + 1, "")],
                codecs=codecs,
                extensions={"mid": 1},
            )
        )
        return producer, ssrc

    def publish(self, user: int, bitrate_bps: int, fps: int = 30) -> int:
        """A camera; the producer's number."""
        producer, ssrc = self.announce(user)
        layer: Any = {
            "ssrc": ssrc,
            "rtx_ssrc": ssrc + 1,
            "bitrate_bps": bitrate_bps,
            "width": 1280,
            "height": 720,
            "rid": "",
        }
        info: Any = {
            "user": user,
            "track": 1,
            "codec": "vp8",
            "payload_type": VIDEO_PT,
            "rtx_payload_type": RTX_PT,
            "clock_rate": 90_000,
            "fps": fps,
            "max_payload": 1100,
            "ext": {"mid": 1},
            "mid": str(producer),
            "talk": 0,
            "dtx": False,
            "talk_ms": 1000,
            "silence_ms": 1000,
            "seed": producer,
            "layers": [layer],
        }
        self.swarm.add_sender(producer, user, info)
        return producer

    def view(self, users: list[int], producer: int, owner: int = 0, track: int = 1) -> None:
        """One consumer for each. `owner` and `track` are what the packets say of themselves."""
        consumers = [(self._new_id(), user) for user in users]
        self.server.call_all(
            CreateConsumer(
                id=id,
                transport=user,
                producer=producer,
                ssrc=1_000_000 + 2 * id,
                rtx_ssrc=1_000_001 + 2 * id,
                codecs=[(VIDEO_PT, VIDEO_PT, RTX_PT)],
                extensions={},
                mid="",
                paused=False,
                cname="",
            )
            for id, user in consumers
        )
        for id, user in consumers:
            receiver: Any = {
                "user": owner,
                "track": track,
                "codec": "vp8",
                "payload_type": VIDEO_PT,
                "rtx_payload_type": RTX_PT,
                "ssrc": 1_000_000 + 2 * id,
                "rtx_ssrc": 1_000_001 + 2 * id,
                "clock_rate": 90_000,
                "ext": {},
            }
            self.swarm.add_receiver(id, user, receiver)


@contextmanager
def users_of(server: WorkerProcess) -> Iterator[Users]:
    users = Users(server)
    try:
        yield users
    finally:
        users.close()
