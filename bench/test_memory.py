"""What people cost a worker's memory: transports, producers and consumers, read off a real worker's process.

Users join at a pace, over real sockets, with ICE, DTLS and SRTP. `python -m pytest bench/test_memory.py -q` prints it
all beside the bars.
"""

from __future__ import annotations

import time

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from support.worker_process import worker
from support.worker_users import Users, cores, users_of

RECEIVERS = 400
PUBLISHERS = 40
JOINS_PER_S = 150
BITRATE_BPS = 1_000_000
MEDIA_S = 5
BARS_KIB = {"connected": 40, "after_media": 64}


class Scale:
    """KiB of the worker's process per thing that came since the last look: resident, and native heap in use."""

    def __init__(self, users: Users) -> None:
        self._users = users
        self.read()

    def read(self) -> None:
        footprint = self._users.server.reading().footprint
        # The heap is walked seldom; a second look follows as soon as it may.
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            time.sleep(0.2)
            footprint = self._users.server.reading().footprint
        self.resident, self.heap = footprint.rss_bytes, footprint.heap_used_bytes

    def each(self, count: int, *, since: tuple[int, int]) -> dict[str, float]:
        return {
            "resident": round((self.resident - since[0]) / count / 1024, 1),
            "heap": round((self.heap - since[1]) / count / 1024, 1),
        }

    @property
    def now(self) -> tuple[int, int]:
        return self.resident, self.heap


def measure(users: Users) -> dict[str, dict[str, float]]:
    costs = {}
    users.join(users.invite(20))  # whatever is made once is made
    scale = Scale(users)
    empty = scale.now
    receivers = users.invite(RECEIVERS)
    scale.read()
    costs["waiting"] = scale.each(RECEIVERS, since=empty)
    users.join(receivers, JOINS_PER_S)
    scale.read()
    costs["connected"] = scale.each(RECEIVERS, since=empty)
    camera_owner = users.invite(1)
    users.join(camera_owner)
    producer = users.publish(camera_owner[0], BITRATE_BPS)
    users.view(receivers, producer)
    time.sleep(MEDIA_S)
    scale.read()
    costs["after_media"] = scale.each(RECEIVERS, since=empty)
    before = scale.now
    users.view(receivers, producer)
    time.sleep(MEDIA_S)
    scale.read()
    costs["one_more_consumer"] = scale.each(RECEIVERS, since=before)
    before = scale.now
    publishers = users.invite(PUBLISHERS)
    users.join(publishers, JOINS_PER_S)
    for publisher in publishers:
        users.publish(publisher, BITRATE_BPS)
    time.sleep(MEDIA_S)
    scale.read()
    costs["publisher"] = scale.each(PUBLISHERS, since=before)
    return costs


def test_memory_of_people(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    with worker(cores()[0]) as server, users_of(server) as users:
        readings: list[dict[str, dict[str, float]]] = []
        benchmark.pedantic(lambda: readings.append(measure(users)), rounds=1)
        census = server.reading().counters
    costs = readings[0]
    benchmark.extra_info |= {name: cost["resident"] for name, cost in costs.items()}
    with capsys.disabled():
        print(f"\n{RECEIVERS} receivers, {PUBLISHERS} publishers of {BITRATE_BPS // 1000} kbit/s: KiB each")
        for name, cost in costs.items():
            bar = f" (bar {BARS_KIB[name]})" if name in BARS_KIB else ""
            print(f"  {name:18} resident {cost['resident']:7.1f}, heap {cost['heap']:7.1f}{bar}")
        print(
            f"  in all: packet caches {census['cache_bytes'] // 1024} KiB, sent packets "
            f"{census['sent_bytes'] // 1024} KiB, {census['srtp_contexts']} SRTP contexts"
        )
    assert all(costs[name]["resident"] <= bar for name, bar in BARS_KIB.items())
