"""Two builds that differ by a known amount, and real processes that find it: callgrind, and a clock."""

from __future__ import annotations

from pathlib import Path

import pytest
from compare.counting import Counting, CountingError
from compare.timing import measure_once, rounds
from compare.trees import Tree

#: A build's `workloads` hide the real ones: its own import path comes first.
WORKLOADS = """
import os
from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Job:
    work: Callable
    before: Callable = lambda: None
    timed: Callable = None
    floor: Callable = None
    close: Callable = lambda: None


@dataclass(frozen=True)
class Workload:
    name: str
    make: Callable
    timed_packets: int = 20000
    counted_packets: int = 20000


def ns_a_packet(work):
    import time
    begun = time.thread_time_ns()
    packets = work()
    return (time.thread_time_ns() - begun) / packets


def steps(number, call=None):
    def work():
        total = 0
        for step in range(number):
            total = step & 7
            if call and step % 100 == 0:
                call()
        return 1000
    return Job(work)


def missing(packets):
    import a_door_that_is_not_there


def every_workload():
    made = [
        Workload("loop", lambda packets: steps({loop})),
        Workload("asks the kernel", lambda packets: steps({asks}, os.getppid)),
        Workload("{only}", lambda packets: steps(100)),
        Workload("{without}", missing),
    ]
    return {{workload.name: workload for workload in made}}
"""
NAMES = ["loop", "asks the kernel", "since", "until"]


def build(folder: Path, loop: int, asks: int, only: str, without: str) -> Tree:
    package = folder / "workloads"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(WORKLOADS.format(loop=loop, asks=asks, only=only, without=without))
    return Tree(folder.name, folder)


def test_six_per_cent_more_instructions_are_counted_exactly(tmp_path: Path) -> None:
    before = build(tmp_path / "before", 100_000, 1000, only="until", without="since")
    after = build(tmp_path / "after", 106_000, 2000, only="since", without="until")
    counting = [Counting(tree, NAMES, tmp_path / "counts" / tree.name) for tree in (before, after)]
    was, now = (each.result() for each in counting)
    assert now["loop"].instructions / was["loop"].instructions == pytest.approx(1.06, abs=0.002)
    assert was["asks the kernel"].calls_to_kernel == 10 / 1000
    assert now["asks the kernel"].calls_to_kernel == 20 / 1000
    assert was["loop"].calls_to_kernel == 0
    assert set(was) == {"loop", "asks the kernel", "until"}
    assert set(now) == {"loop", "asks the kernel", "since"}


@pytest.mark.alone
def test_twice_the_time_is_measured(tmp_path: Path) -> None:
    before = build(tmp_path / "before", 20_000, 1000, only="until", without="since")
    after = build(tmp_path / "after", 60_000, 1000, only="since", without="until")
    found = rounds(["loop", "since", "until"], measure_once(before, after), until=0)
    assert set(found) == {"loop"}
    assert found["loop"].interval.ratio > 1.5


def test_a_build_that_does_not_start_is_told(tmp_path: Path) -> None:
    package = tmp_path / "broken" / "workloads"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise SystemExit('this build is broken')")
    with pytest.raises(CountingError, match="this build is broken"):
        Counting(Tree("broken", tmp_path / "broken"), NAMES, tmp_path / "counts").result()
