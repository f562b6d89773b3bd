"""What a process takes of the machine: resident memory, native heap, processor time."""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgspec

_STATM = Path("/proc/self/statm")
_NS_PER_US = 1000
#: glibc visits every free piece of its heap to answer: microseconds, or milliseconds after much coming and going. Media
#: waits meanwhile, so at most this share of the time is spent on it.
MAX_WALK_SHARE = 0.001


class Footprint(msgspec.Struct, frozen=True):
    """Of one process at one moment. The heap is what ``malloc`` has: in use, and held from the system for it."""

    rss_bytes: int
    heap_used_bytes: int
    heap_held_bytes: int
    cpu_us: int
    """User and system time since its start."""


class _Mallinfo(ctypes.Structure):
    """``struct mallinfo2`` of glibc 2.33."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
        )
    ]  # fmt: skip


class Meter:
    """Takes the footprint of this process; the heap is 0 with a C library that does not tell."""

    def __init__(
        self, heap: Callable[[], tuple[int, int]] | None = None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """``heap`` returns the bytes in use and held; ``clock`` gives seconds."""
        self._walk = heap or _heap
        self._clock = clock
        self._heap = (0, 0)
        self._next_walk_s = float("-inf")

    def take(self) -> Footprint:
        """Return the footprint of this moment; the heap may be a little older."""
        used, held = self._recent_heap()
        return Footprint(
            rss_bytes=int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGESIZE"),
            heap_used_bytes=used,
            heap_held_bytes=held,
            cpu_us=time.process_time_ns() // _NS_PER_US,
        )

    def _recent_heap(self) -> tuple[int, int]:
        began_s = self._clock()
        if began_s >= self._next_walk_s:
            self._heap = self._walk()
            ended_s = self._clock()
            self._next_walk_s = ended_s + (ended_s - began_s) / MAX_WALK_SHARE
        return self._heap


@cache
def _mallinfo() -> ctypes._NamedFuncPointer | None:
    function = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if function is not None:
        function.restype = _Mallinfo
    return function


def _heap() -> tuple[int, int]:
    function = _mallinfo()
    if function is None:
        return 0, 0
    info = function()
    return info.uordblks + info.hblkhd, info.arena + info.hblkhd
