"""What joins cost a worker, and what a herd of them does to the media of others.

The worker is a process of its own on a core of its own; the users are on the other. A user's side of a handshake costs
about what the worker's does, so on two cores the herd comes about as fast as the worker can take it.
`python -m pytest bench/test_joins.py -q` prints the figures beside the bars.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from support.worker_process import worker
from support.worker_users import Users, cores, users_of

from simplestchat.media.reading import Reading

WARM_UP = 200
JOINS = 2000
ROUNDS = 3
VIEWERS = 50
BITRATE_BPS = 1_000_000
QUIET_S = 4
CPU_BAR_MS, RATE_BAR, LATENCY_BAR_MS = 0.8, 700, 2.0


def percentile(before: Reading, after: Reading, share: float) -> float:
    """Of the time that media spent in the worker between two readings, in milliseconds; the upper end of its bucket."""
    bounds, counts, _ = after.forwarding
    fresh = [now - then for now, then in zip(counts, before.forwarding[1], strict=True)]
    wanted, passed = share * sum(fresh), 0
    for bound, count in zip([*bounds, float("inf")], fresh, strict=False):
        passed += count
        if passed >= wanted:
            return bound / 1000
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


def beside_media(users: Users) -> list[Reading]:
    """Readings around a quiet time and around a herd, while a stream goes to its viewers."""
    herd(users, WARM_UP)
    owner, *viewers = users.invite(1 + VIEWERS)
    users.join([owner, *viewers])
    users.view(viewers, users.publish(owner, BITRATE_BPS))
    time.sleep(1)
    readings = [users.server.reading()]
    time.sleep(QUIET_S)
    readings.append(users.server.reading())
    invited = users.invite(JOINS)
    readings.append(users.server.reading())
    users.join(invited)
    readings.append(users.server.reading())
    return readings


def test_media_beside_a_herd(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    found: list[list[Reading]] = []
    with worker(cores()[0]) as server, users_of(server) as users:
        benchmark.pedantic(lambda: found.append(beside_media(users)), rounds=1)
    [(quiet, quiet_end, begin, end)] = found
    calm = {share: percentile(quiet, quiet_end, share) for share in (0.5, 0.99)}
    pressed = {share: percentile(begin, end, share) for share in (0.5, 0.99)}
    benchmark.extra_info |= {"calm_p99_ms": calm[0.99], "herd_p99_ms": pressed[0.99]}
    with capsys.disabled():
        print(
            f"\nfrom a packet's arrival to its last of {VIEWERS} copies, p50/p99: {calm[0.5]:.2f}/{calm[0.99]:.2f} ms "
            f"without, {pressed[0.5]:.2f}/{pressed[0.99]:.2f} ms with {JOINS} joins at once "
            f"(bar: p99 worse by {LATENCY_BAR_MS})"
        )
