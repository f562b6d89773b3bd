"""The engine with real sends, saturated, beside the bare loop that seals and sends trains of the same length.

`python -m pytest bench/test_fanout.py -q` prints CPU time a forwarded packet and its ratio to the floor, case by case.
"""

from __future__ import annotations

import pytest
from measuring import THREAD_TIME, beside
from pytest_benchmark.fixture import BenchmarkFixture

from simplestchat._native.testing.bench_fanout import Fanout
from simplestchat._native.testing.floor import Floor

pytestmark = THREAD_TIME
PAYLOAD_BYTES = 1100
PACKETS_PER_SLICE = 24_000


@pytest.mark.parametrize("receivers", [50, 200, 1000])
@pytest.mark.parametrize("burst", [1, 3, 10, 16])
def test_fanout(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], receivers: int, burst: int) -> None:
    fanout = Fanout(receivers, PAYLOAD_BYTES)
    floor = Floor(fanout.addresses(), PAYLOAD_BYTES)
    rounds = max(1, PACKETS_PER_SLICE // (receivers * burst))

    def engine() -> float:
        cost, forwarded = fanout.engine(burst, rounds)
        assert forwarded == rounds * burst * receivers
        return cost

    name = f"engine and sends 1 -> {receivers}, trains of {burst}"
    beside(benchmark, capsys, name, engine, lambda: floor.saturated(burst, rounds))
    floor.close()
    fanout.close()
