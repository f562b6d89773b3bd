"""Every workload is there in this build, takes as many packets each time, and beside its floor costs something."""

from __future__ import annotations

import pytest
from workloads import every_workload

WORKLOADS = every_workload()
PACKETS = 4000


@pytest.mark.parametrize("name", WORKLOADS)
def test_does_the_same_each_time(name: str) -> None:
    job = WORKLOADS[name].make(PACKETS)
    done = []
    for _ in range(2):
        job.before()
        done.append(job.work())
    assert done[0] == done[1] > 0
    assert job.floor is None or job.floor() > 0
    assert job.timed is None or job.timed() > 0
    job.close()
