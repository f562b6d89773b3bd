"""What a process takes of the machine: resident memory, native heap, processor time."""

from __future__ import annotations

import ctypes
import os
import time
from functools import cache
from pathlib import Path

import msgspec

_STATM = Path("/proc/self/statm")
_US_PER_NS = 1000


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


def take() -> Footprint:
    """Return the footprint of this process; the heap is 0 with a C library that does not tell."""
    used, held = _heap()
    return Footprint(
        rss_bytes=int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGESIZE"),
        heap_used_bytes=used,
        heap_held_bytes=held,
        cpu_us=time.process_time_ns() // _US_PER_NS,
    )


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
