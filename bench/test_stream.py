"""The stream layer, tables and timers: `python -m pytest bench/test_stream.py -q` prints what each costs a packet."""

from __future__ import annotations

import pytest
from measuring import THREAD_TIME, workload
from pytest_benchmark.fixture import BenchmarkFixture
from workloads.streams import WORKLOADS

pytestmark = THREAD_TIME
NAMES = {each.name: each for each in WORKLOADS}


@pytest.mark.parametrize("name", NAMES)
def test_stream(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], name: str) -> None:
    workload(benchmark, capsys, NAMES[name])
