"""Parsers, checks and writing a header anew: `python -m pytest bench/test_parse.py -q` prints what one packet costs."""

from __future__ import annotations

import pytest
from measuring import THREAD_TIME, workload
from pytest_benchmark.fixture import BenchmarkFixture
from workloads.parsing import WORKLOADS

pytestmark = THREAD_TIME
NAMES = {each.name: each for each in WORKLOADS}


@pytest.mark.parametrize("name", NAMES)
def test_parse(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], name: str) -> None:
    workload(benchmark, capsys, NAMES[name])
