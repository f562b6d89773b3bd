"""Rooms in memory: the engine alone, beside as many bare EVP seals.

`python -m pytest bench/test_rooms.py -q` prints a line for each. Simulcast has no room of its own yet: one publisher,
three encodings and receivers of each belong here when layers are chosen.
"""

from __future__ import annotations

import pytest
from measuring import THREAD_TIME, workload
from pytest_benchmark.fixture import BenchmarkFixture
from workloads.rooms import WORKLOADS

pytestmark = THREAD_TIME
NAMES = {each.name: each for each in WORKLOADS}


@pytest.mark.parametrize("name", NAMES)
def test_rooms(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], name: str) -> None:
    workload(benchmark, capsys, NAMES[name])
