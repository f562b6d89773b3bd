"""Instructions of a forwarded packet in memory, counted exactly by callgrind.

`python -m pytest bench/test_instructions.py -q` prints them, `python bench/instructions.py` tells them by function. In
pytest-benchmark's columns an instruction is a nanosecond, so that its comparisons compare them.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from compare.counting import Count, Counting
from compare.trees import working_tree
from pytest_benchmark.fixture import BenchmarkFixture
from workloads.rooms import SHAPES


class Clock:
    """Stands still but for what is put on it."""

    def __init__(self) -> None:
        self.now = 0.0

    def read(self) -> float:
        return self.now

    def run(self, count: float) -> None:
        self.now += count * 1e-9


CLOCK = Clock()
pytestmark = [pytest.mark.benchmark(timer=CLOCK.read), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def counts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Count]:
    return Counting(working_tree(), list(SHAPES), Path(tmp_path_factory.mktemp("counts"))).result()


@pytest.mark.parametrize("name", SHAPES)
def test_instructions(
    benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], counts: dict[str, Count], name: str
) -> None:
    instructions = counts[name].instructions
    benchmark.pedantic(lambda: CLOCK.run(instructions))
    benchmark.extra_info["instructions_per_packet"] = round(instructions, 1)
    with capsys.disabled():
        print(f"\n{name}: {instructions:.0f} instructions a packet")
