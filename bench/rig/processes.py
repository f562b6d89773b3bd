"""Cores, and the processor time of other processes."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

_CPUCLOCK_SCHED = 2


def two_cores() -> tuple[int, int]:
    """The core of what is measured, and the one of everything else; the same where there is only one."""
    mine = sorted(os.sched_getaffinity(0))
    return mine[0], mine[-1]


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """The calling thread, and what it starts, on one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextlib.contextmanager
def hurried() -> Iterator[None]:
    """The calling thread goes before all others of its core, where that may be asked for."""
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@contextlib.contextmanager
def undisturbed(*pids: int) -> Iterator[None]:
    """These processes go before all others of their core, as if it were theirs alone, where that may be asked for.

    Not for those that fill the core: the kernel takes a twentieth of each second from them.
    """
    with contextlib.suppress(PermissionError):
        for pid in pids:
            os.sched_setscheduler(pid, os.SCHED_FIFO, os.sched_param(1))
    try:
        yield
    finally:
        for pid in pids:
            os.sched_setscheduler(pid, os.SCHED_OTHER, os.sched_param(0))


@contextlib.contextmanager
def awake() -> Iterator[None]:
    """No core of this process halts. A hypervisor takes one that does, and gives it back when it likes: every wake-up
    would measure that. What keeps a core awake runs only while nothing else wants it, and ends with this process.
    """
    spin = "import os\nparent = os.getppid()\nwhile os.getppid() == parent: pass"
    spinning = []
    try:
        for core in os.sched_getaffinity(0):
            with pinned(core):
                spinning.append(subprocess.Popen([sys.executable, "-S", "-c", spin]))
            os.sched_setscheduler(spinning[-1].pid, os.SCHED_IDLE, os.sched_param(0))
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def cpu_ns(pid: int) -> int:
    """What a process has used since its start, all its threads, with the kernel's work for it."""
    return time.clock_gettime_ns((~pid << 3) | _CPUCLOCK_SCHED)


def resident_kib(pid: int) -> float:
    """The memory that a process has now."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024


def wakes(pid: int) -> int:
    """How often the main thread of a process has gone to sleep."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("voluntary_ctxt_switches"):
            return int(line.split()[1])
    raise ValueError(f"the kernel does not say how often {pid} slept")
