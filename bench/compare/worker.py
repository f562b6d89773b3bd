"""A process that does workloads with one build, and nothing else.

`python -P -m compare.worker time` takes a workload's name a line, and answers a packet's CPU ns or what is missing.
`python -P -m compare.worker count MARKS NAME...` does each once between two marks for callgrind.
The import path decides which build it is.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import json
import os
import sys
from collections.abc import Callable

from workloads import Job, Workload, every_workload, ns_a_packet

#: What a door that is missing, or has other arguments, raises.
ABSENT = (ImportError, AttributeError, TypeError)


def ns_of(job: Job) -> float:
    """CPU time of this thread for one packet."""
    job.before()
    if job.timed:
        return job.timed()
    return ns_a_packet(job.work)


def _answering(work: Callable[[], float]) -> dict[str, float | str]:
    try:
        return {"ns": work()}
    except ABSENT as error:
        return {"missing": f"{type(error).__name__}: {error}"}


def _close(ready: dict[str, Job]) -> None:
    for job in ready.values():
        job.close()
    ready.clear()


def time_on_order(workloads: dict[str, Workload]) -> None:
    """Answer orders until there are no more. The last workload stays ready: slices of it follow without a wait."""
    ready: dict[str, Job] = {}
    for line in sys.stdin:
        name = line.strip()

        def slice_of(name: str = name) -> float:
            if name not in ready:
                _close(ready)
                ready[name] = workloads[name].make(workloads[name].timed_packets)
                ns_of(ready[name])  # warms up
            return ns_of(ready[name])

        print(json.dumps(_answering(slice_of)), flush=True)
    _close(ready)


def count(workloads: dict[str, Workload], marks: str, names: list[str]) -> None:
    """Do each once between marks; a line for each that is there: its name and packets."""
    library = ctypes.CDLL(marks)
    for name in names:

        def counted(name: str = name) -> float:
            job = workloads[name].make(workloads[name].counted_packets)
            job.before()
            job.work()
            job.before()
            library.mark_begin()
            packets = job.work()
            library.mark_end(name.encode())
            job.close()
            return packets

        answer = _answering(counted)
        print(json.dumps({"name": name, **answer}), flush=True)


def have_a_core() -> None:
    """Take the last core, before everybody else on it where that is allowed: then a busy machine matters little."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with contextlib.suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def main(arguments: list[str]) -> int:
    """Run."""
    gc.disable()
    workloads = every_workload()
    if arguments[0] == "time":
        have_a_core()
        time_on_order(workloads)
    else:
        count(workloads, arguments[1], arguments[2:])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
