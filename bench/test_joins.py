"""What joins cost a worker, and what a herd of them does to the media of others.

The worker is a process of its own on a core of its own; the users are on the other. A user's side of a handshake costs
about what the worker's does, so on two cores the herd comes about as fast as the worker can take it.
`python -m pytest bench/test_joins.py -q` prints the figures beside the bars.
"""

from __future__ import annotations

import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from rig.processes import hurried
from support.worker_process import worker
from support.worker_users import VIDEO_PT, Users, cores, users_of

from simplestchat._native.testing.publisher import TRACK, USER, Publisher
from simplestchat.media.reading import Reading

WARM_UP = 200
JOINS = 2000
ROUNDS = 3
VIEWERS = 50
FPS, FRAME_PACKETS = 30, 4
QUIET_S = 4
CPU_BAR_MS, RATE_BAR, LATENCY_BAR_MS = 0.8, 700, 2.0


class Spans:
    """How long media stayed in the worker, from its arrival in the kernel to its last copy, over several times."""

    def __init__(self) -> None:
        self._counts: Counter[float] = Counter()

    def add(self, before: Reading, after: Reading) -> None:
        bounds, counts, _ = after.forwarding
        fresh = [now - then for now, then in zip(counts, before.forwarding[1], strict=True)]
        self._counts.update(dict(zip([*bounds, float("inf")], fresh, strict=True)))

    def percentile_ms(self, share: float) -> float:
        """Evenly spread within its bucket."""
        wanted, passed, lower = share * self._counts.total(), 0, 0.0
        for bound, count in sorted(self._counts.items()):
            if count and passed + count >= wanted:
                return (lower + (bound - lower) * (wanted - passed) / count) / 1000
            passed, lower = passed + count, bound
        return float("inf")


def herd(users: Users, count: int) -> tuple[float, float]:
    """CPU milliseconds of the worker per join, and joins a second; everybody leaves again."""
    invited = users.invite(count)
    before = users.server.reading()
    seconds = users.join(invited)
    after = users.server.reading()
    users.leave(invited)
    return (after.footprint.cpu_us - before.footprint.cpu_us) / count / 1000, count / seconds


def herds(users: Users) -> list[tuple[float, float]]:
    herd(users, WARM_UP)
    return [herd(users, JOINS) for _ in range(ROUNDS)]


def test_joins(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    found: list[Sequence[tuple[float, float]]] = []
    with worker(cores()[0]) as server, users_of(server) as users:
        benchmark.pedantic(lambda: found.append(herds(users)), rounds=1)
        counters = server.reading().counters
    cpu_ms = statistics.median(cpu for cpu, _ in found[0])
    rate = statistics.median(rate for _, rate in found[0])
    benchmark.extra_info |= {"cpu_ms_per_join": round(cpu_ms, 3), "joins_per_s": round(rate)}
    with capsys.disabled():
        print(
            f"\n{JOINS} joins at once, {ROUNDS} times: {cpu_ms:.2f} ms of the worker's CPU each (bar {CPU_BAR_MS}), "
            f"so a core carries {1000 / cpu_ms:.0f} a second (bar {RATE_BAR}); {rate:.0f} a second came in; "
            f"dropped for want of place {counters['dropped_handshakes']}"
        )
    assert counters["handshakes"] == WARM_UP + ROUNDS * JOINS


@contextmanager
def playing(users: Users) -> Iterator[None]:
    """A camera with VIEWERS viewers, before everything else on the users' core: what is late is the worker's."""
    owner, *viewers = users.invite(1 + VIEWERS)
    users.join([owner, *viewers])
    producer, ssrc = users.announce(owner)
    users.view(viewers, producer, USER, TRACK)
    publisher = Publisher(users.swarm, owner, ssrc, VIDEO_PT)
    over = threading.Event()

    def play() -> None:
        with hurried():
            while not over.is_set():
                publisher.run(FPS * FRAME_PACKETS, FRAME_PACKETS, 0.5)

    thread = threading.Thread(target=play)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def beside_media(users: Users) -> tuple[Spans, Spans]:
    """Of a quiet time and of several herds, while a stream goes to its viewers."""
    calm, pressed = Spans(), Spans()
    herd(users, WARM_UP)
    with playing(users):
        time.sleep(1)
        before = users.server.reading()
        time.sleep(QUIET_S)
        calm.add(before, users.server.reading())
        for _ in range(ROUNDS):
            invited = users.invite(JOINS)
            before = users.server.reading()
            users.join(invited)
            pressed.add(before, users.server.reading())
            users.leave(invited)
    return calm, pressed


def test_media_beside_a_herd(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    found: list[tuple[Spans, Spans]] = []
    with worker(cores()[0]) as server, users_of(server) as users:
        benchmark.pedantic(lambda: found.append(beside_media(users)), rounds=1)
    calm, pressed = ({share: spans.percentile_ms(share) for share in (0.5, 0.99)} for spans in found[0])
    benchmark.extra_info |= {"calm_p99_ms": round(calm[0.99], 3), "herd_p99_ms": round(pressed[0.99], 3)}
    with capsys.disabled():
        print(
            f"\nfrom a packet's arrival to its last of {VIEWERS} copies, p50/p99: {calm[0.5]:.2f}/{calm[0.99]:.2f} ms "
            f"without, {pressed[0.5]:.2f}/{pressed[0.99]:.2f} ms with {JOINS} joins at once, {ROUNDS} times "
            f"(bar: p99 worse by {LATENCY_BAR_MS})"
        )
