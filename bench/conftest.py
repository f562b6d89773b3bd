"""Makes what lies here and in ``tests/support`` importable, and takes the benchmarks' own options."""

import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).parent
sys.path[:0] = [str(BENCH), str(BENCH.parent / "tests")]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--signaling-users", type=int, default=1000, help="connected users of the signaling benchmarks")
    parser.addoption("--signaling-awake", action="store_true", help="their clients never sleep, so nobody wakes them")
