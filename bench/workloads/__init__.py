"""What the benchmarks and `make bench-compare` have a build do: the same work each time, without chance and clock.

A workload is made by a function that imports what it needs when it is called. So one set of workloads drives builds of
several revisions: where a door is missing or takes other arguments, only that workload is missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Job:
    """A workload that is ready to be done over and over."""

    work: Callable[[], int]
    """Does it once; how many packets (or what else it is counted in) it took."""
    before: Callable[[], object] = lambda: None
    """Makes ready what `work` uses up; not counted."""
    timed: Callable[[], float] | None = None
    """CPU ns a packet by the door's own clock, where `work` also holds what must not count."""
    floor: Callable[[], float] | None = None
    """CPU ns a packet of the least that the same could cost."""
    close: Callable[[], object] = lambda: None
    """Gives back what it holds open."""


@dataclass(frozen=True)
class Workload:
    """A name, and how it is made for a number of packets."""

    name: str
    make: Callable[[int], Job]
    timed_packets: int
    """Packets of one call that is timed: some milliseconds."""
    counted_packets: int
    """Packets of one call whose instructions are counted: enough that Python's own are nothing beside them."""


def ns_a_packet(work: Callable[[], int]) -> float:
    """CPU time of this thread for one of the packets that `work` says it took."""
    begun = time.thread_time_ns()
    packets = work()
    return (time.thread_time_ns() - begun) / packets


def every_workload() -> dict[str, Workload]:
    """All of them, by name."""
    from workloads import ciphers, parsing, rooms, sends, streams

    found: Iterable[Workload] = (
        *parsing.WORKLOADS,
        *streams.WORKLOADS,
        *ciphers.WORKLOADS,
        *rooms.WORKLOADS,
        *sends.WORKLOADS,
    )
    return {workload.name: workload for workload in found}
