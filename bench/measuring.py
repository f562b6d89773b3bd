"""How a benchmark is taken: in short slices of CPU time, in turn with its floor.

So whatever else the machine does meets both.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from workloads import Workload, ns_a_packet

SLICES = 15
#: pytest-benchmark's own figures in CPU time, too, so that comparing runs with it means something on a busy machine.
THREAD_TIME = pytest.mark.benchmark(timer=time.thread_time)


def beside(
    benchmark: BenchmarkFixture,
    capsys: pytest.CaptureFixture[str],
    name: str,
    ours: Callable[[], float],
    floor: Callable[[], float] | None = None,
    before: Callable[[], object] = lambda: None,
    slices: int = SLICES,
) -> None:
    """Take slices of `ours` and of `floor`, which return CPU ns a packet; report the medians, and that of the ratios.

    The benchmark's own time is that of `ours` alone, so that `--benchmark-compare` compares it.
    """
    ours_ns: list[float] = []
    floor_ns: list[float] = []

    def made_ready() -> None:
        if floor:
            floor_ns.append(floor())
        before()

    benchmark.pedantic(lambda: ours_ns.append(ours()), setup=made_ready, rounds=slices, warmup_rounds=2)
    cost = statistics.median(ours_ns)
    line = f"{name}: {cost:.1f} ns a packet"
    benchmark.extra_info["ns_per_packet"] = round(cost, 2)
    if floor_ns:
        least = statistics.median(floor_ns)
        ratio = statistics.median(mine / bare for mine, bare in zip(ours_ns, floor_ns, strict=False))
        benchmark.extra_info |= {"floor_ns_per_packet": round(least, 1), "ratio_to_floor": round(ratio, 3)}
        line += f", floor {least:.1f} ns, ratio {ratio:.2f}"
    with capsys.disabled():
        print(f"\n{line}")


def workload(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], what: Workload) -> None:
    """Take a workload beside its floor, if it has one."""
    job = what.make(what.timed_packets)
    beside(
        benchmark, capsys, what.name, lambda: job.timed() if job.timed else ns_a_packet(job.work), job.floor, job.before
    )
    job.close()
