"""Workers on cores of their own: a loop that stays where its caches are costs less, and nobody else delays it."""

from __future__ import annotations

import os
from collections.abc import Sequence

import structlog

log = structlog.get_logger()


def core_of(worker: int, workers: int, cores: Sequence[int], wish: str) -> int | None:
    """Return the core for a worker; None where it may run on all.

    ``auto`` pins only where a core is left for the node and for what the kernel does; the first one is, for that is
    where most interrupts go.
    """
    if wish == "off" or (wish == "auto" and len(cores) <= workers):
        return None
    return cores[-1 - worker % len(cores)]


def pin(pid: int, worker: int, workers: int, wish: str) -> None:
    """Bind a worker process to its core, if it is to have one; a system that does not let us is no fault of ours."""
    core = core_of(worker, workers, sorted(os.sched_getaffinity(0)), wish)
    if core is None:
        return
    try:
        os.sched_setaffinity(pid, {core})
    except OSError as exc:
        log.warning("worker not pinned", worker=worker, core=core, problem=str(exc))
