"""What the kernel's times of arrival cost a reader of datagrams: they make the forwarding latency whole.

Both ways take turns in short slices, and the medians count. `python -m pytest bench/test_receive.py -q` prints a line.
"""

from __future__ import annotations

import statistics

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from simplestchat._native.testing.bench_receive import Receive

BATCHES = 60
SLICES = 30


def test_receive(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    receive = Receive()
    ns: dict[bool, list[float]] = {False: [], True: []}

    def slice_of_both() -> None:
        for timed, costs in ns.items():
            costs.append(receive.ns_per_datagram(timed, BATCHES, bytes(1100)))

    benchmark.pedantic(slice_of_both, rounds=SLICES, warmup_rounds=2)
    receive.close()
    bare, timed = statistics.median(ns[False]), statistics.median(ns[True])
    benchmark.extra_info |= {"bare_ns_per_datagram": round(bare, 1), "timed_ns_per_datagram": round(timed, 1)}
    with capsys.disabled():
        print(f"\nreading a datagram: {bare:.0f} ns, with its time of arrival {timed:.0f} ns")
