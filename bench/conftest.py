"""Makes what lies here and in ``tests/support`` importable, and takes the benchmarks' own options."""

import ssl
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BENCH = Path(__file__).parent
sys.path[:0] = [str(BENCH), str(BENCH.parent / "tests")]

from rig.processes import awake  # noqa: E402


def pytest_benchmark_update_machine_info(config: pytest.Config, machine_info: dict[str, Any]) -> None:
    """What figures depend on, and pytest-benchmark does not tell by itself."""
    memory = Path("/proc/meminfo").read_text().split()[1]
    machine_info |= {"openssl": ssl.OPENSSL_VERSION, "memory": f"{int(memory) / 2**20:.0f} GiB"}


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--signaling-users", type=int, default=1000, help="connected users of the signaling benchmarks")
    parser.addoption("--signaling-awake", action="store_true", help="their clients never sleep, so nobody wakes them")
    parser.addoption("--pipe-viewers", type=int, default=200, help="viewers of the benchmark of pipes")


@pytest.fixture(scope="session", autouse=True)
def cores_awake() -> Iterator[None]:
    """What is measured is no hypervisor's way to start a core again."""
    with awake():
        yield
