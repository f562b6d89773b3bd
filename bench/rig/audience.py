"""One publisher and many receivers for any server: handshakes are real, a stream is played at an exact pace, and every
receiver's packets are counted.

All of it lives on the cores of the thread that makes it.
"""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

from simplestchat._native.peer import swarm as native
from simplestchat._native.testing import publisher as published
from simplestchat._native.testing.publisher import Publisher
from simplestchat._native.testing.sink import Sink
from simplestchat.load.histogram import Histogram

from .processes import hurried

PAYLOAD_BYTES = 1100
PUBLISHER_PATH = 1_000_000
LATE_S = 0.030  # after the last packet has left
_QUIET_S = 0.5  # without another packet: the rest is lost
_LOOK_S = 0.005
COUNTED = ("packets", "late", "breaks", "strange", "cut", "dropped")
_FAULTS = ("corrupt", "misdelivered", "undecryptable", "replayed")


class UnsoundMedia(Exception):
    """What arrived is not what was sent."""


@dataclass(frozen=True)
class Door:
    """What a server says of one transport: where it is, its ICE credentials, its certificate's fingerprint."""

    address: str
    port: int
    ufrag: str
    password: str
    fingerprint: tuple[str, str]


@dataclass(frozen=True)
class Trial:
    """What one play came to, over all receivers."""

    rate: float
    sent: int
    """Packets of the publisher."""
    expected: int
    """That many for each receiver."""
    in_time: int
    """That arrived until LATE_S after the last one was sent."""
    late: int
    breaks: int
    """Packets that were not the next in the row of their receiver."""
    strange: int
    """Media that the receiver did not ask for."""
    dropped: int
    """Lost because this side did not read in time."""
    late_us: int
    """By how much the publisher's latest burst missed its moment."""
    seconds: float
    load_share: float
    """Of a core, what publisher and receivers used."""
    latency: Histogram

    @property
    def lost(self) -> int:
        """Never came, though this side would have read it."""
        return self.expected - self.in_time - self.late - self.dropped

    @property
    def missing(self) -> int:
        """Not there in time."""
        return self.expected - self.in_time

    @property
    def missing_share(self) -> float:
        """Of all that should have come."""
        return self.missing / self.expected

    def latency_ms(self, share: float) -> float:
        """From before the packet's burst left the publisher until the kernel had it at the receiver."""
        return self.latency.percentile(share) / 1000


class Audience:
    """Receivers by numbers, and a publisher; a context that ends their thread. `check_every`-th receivers open all."""

    def __init__(
        self, *, check_every: int = 20, trains: bool = False, bind: str = "127.0.0.1", suites: str = ""
    ) -> None:
        _allow_files()
        self.sink = Sink(b"audience", trains=trains, bind=bind, suites=suites)
        self._check_every = check_every
        self._thread = threading.Thread(target=self.sink.run, name="sink")
        self._numbers: list[int] = []
        self._door: Door | None = None
        self._publication = (0, 0)
        self._publisher: Publisher | None = None
        self._connected: set[int] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.sink.stop()
        self._thread.join()

    @property
    def fingerprint(self) -> tuple[str, str]:
        """Of our certificate. We are the DTLS client and control ICE."""
        return self.sink.swarm.fingerprint

    @property
    def receivers(self) -> int:
        """How many there are."""
        return len(self._numbers)

    def credentials(self, path: int) -> tuple[str, str]:
        """Our ICE credentials of a path, for a server that makes checks of its own."""
        return self.sink.swarm.credentials(path)

    def add_publisher(self, door: Door, *, ssrc: int, payload_type: int) -> None:
        """One VP8 stream will be sent there."""
        self._add_path(PUBLISHER_PATH, door)
        self.sink.add(PUBLISHER_PATH, media=False)
        self._publication = ssrc, payload_type

    def add_receiver(self, number: int, door: Door, *, ssrc: int, payload_type: int) -> None:
        """The stream is expected from there, under this SSRC; with 0 whatever comes is counted and nothing checked."""
        # The sample is spread over all, the first of each group left out: where a server goes on stands for no place.
        checked = bool(ssrc) and len(self._numbers) % self._check_every == self._check_every // 2
        self._add_path(number, door)
        self.sink.add(number, ssrc=ssrc, checked=checked)
        self._numbers.append(number)
        self._door = door
        if checked:
            self.sink.swarm.add_receiver(
                number,
                number,
                {
                    "user": published.USER,
                    "track": published.TRACK,
                    "codec": "vp8",
                    "payload_type": payload_type,
                    "rtx_payload_type": -1,
                    "ssrc": ssrc,
                    "rtx_ssrc": 0,
                    "clock_rate": 90_000,
                    "ext": {},
                },
            )

    def _add_path(self, number: int, door: Door) -> None:
        self.sink.swarm.add_path(
            number, number, (door.address, door.port), door.ufrag, door.password, door.fingerprint, number
        )

    def wait_publisher(self, timeout_s: float = 30.0) -> None:
        """Return when the publisher has its keys, for servers that let nobody subscribe before; raises as the next."""
        self._wait({PUBLISHER_PATH}, timeout_s)

    def wait_connected(self, timeout_s: float = 30.0) -> None:
        """Return when all have their keys; raises TimeoutError or ConnectionError."""
        self._wait({PUBLISHER_PATH, *self._numbers}, timeout_s)
        if self._publisher is None:
            self._publisher = Publisher(self.sink.swarm, PUBLISHER_PATH, *self._publication, payload=PAYLOAD_BYTES)

    def _wait(self, paths: set[int], timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while left := paths - self._connected:
            for kind, number, _, _ in self.sink.swarm.take_events():
                if kind == native.EVENT_CONNECTED:
                    self._connected.add(number)
                elif kind == native.EVENT_FAILED:
                    raise ConnectionError(f"path {number} could not connect")
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(left)} of {len(paths)} paths did not connect")
            time.sleep(0.005)

    def addresses(self) -> list[tuple[str, int]]:
        """Of the receivers' sockets."""
        return [_address(descriptor) for descriptor in self.sink.descriptors()]

    @contextlib.contextmanager
    def elsewhere(self, port: int) -> Iterator[Callable[[int], object]]:
        """Receive from this port of 127.0.0.1 instead. What is yielded waits for so many packets to each receiver."""
        assert self._door is not None
        self.sink.begin()
        self.sink.turn_to(port)
        try:
            yield lambda packets: self._until_all(packets * self.receivers, "strange")
        finally:
            self.sink.turn_to(self._door.port)

    def anchor(self, attempts: int = 50) -> None:
        """Send single keyframes until one has come to everybody, and take the sequence numbers from there."""
        assert self._publisher is not None
        for _ in range(attempts):
            trial = self.play(rate=100, burst=1, seconds=0.01)
            if trial.in_time == trial.expected:
                self.sink.anchor(self._publisher)
                return
        raise TimeoutError(f"of {trial.expected} receivers {trial.in_time} got a keyframe")

    def play(self, *, rate: float, burst: float, seconds: float) -> Trial:
        """Send `rate` packets/s for a while, in bursts that are evenly spaced, each a frame, the first a keyframe."""
        assert self._publisher is not None
        self.sink.begin(int(LATE_S * 1e6))
        began_s, used_s = time.monotonic(), time.process_time()
        with hurried():
            sent, late_us = self._publisher.run(rate, burst, seconds)
        load_share = (time.process_time() - used_s) / (time.monotonic() - began_s)
        time.sleep(LATE_S)
        counts = self._until_all(sent * self.receivers, "packets", "late")
        latency = Histogram()
        latency.merge(self.sink.take_latency())
        return Trial(
            rate=rate,
            sent=sent,
            expected=sent * self.receivers,
            in_time=counts["packets"],
            late=counts["late"],
            breaks=counts["breaks"],
            strange=counts["strange"],
            dropped=counts["dropped"],
            late_us=late_us,
            seconds=seconds,
            load_share=load_share,
            latency=latency,
        )

    def _until_all(self, expected: int, *kinds: str) -> Counter[str]:
        """Counts when all packets have been read, or no more come."""
        counts = self._counts()
        changed_s = time.monotonic()
        while sum(counts[kind] for kind in kinds) + counts["dropped"] < expected:
            time.sleep(_LOOK_S)
            last, counts = counts, self._counts()
            if counts != last:
                changed_s = time.monotonic()
            elif time.monotonic() - changed_s > _QUIET_S:
                break
        return counts

    def counts(self) -> Sequence[tuple[int, ...]]:
        """Of each receiver; see Sink.counts."""
        return self.sink.counts()

    def _counts(self) -> Counter[str]:
        sums = [sum(column) for column in zip(*self.sink.counts(), strict=True)]
        return Counter(dict(zip(COUNTED, sums, strict=True)))

    def assert_sound(self) -> None:
        """What the checked receivers opened was whole, theirs, and not seen before; raises UnsoundMedia."""
        sample = self.sink.swarm.sample()
        totals: dict[str, Any] = sample["totals"]
        found = {name: totals[name] for name in _FAULTS if totals[name]}
        if found:
            raise UnsoundMedia(", ".join(f"{count} {name}" for name, count in found.items()))
        if sample["receivers"] and not totals["delivered"]:
            raise UnsoundMedia("nothing was delivered to those that check")


def _address(descriptor: int) -> tuple[str, int]:
    with socket.socket(fileno=os.dup(descriptor)) as alias:
        host, port = alias.getsockname()
    return host, port


def _allow_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
