"""Makes ``tests/support`` and ``bench/rig`` importable, and takes the benchmarks' own options."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
sys.path.insert(0, str(Path(__file__).parent))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--signaling-users", type=int, default=1000, help="connected users of the signaling benchmarks")
    parser.addoption("--pipe-viewers", type=int, default=200, help="viewers of the benchmark of pipes")
