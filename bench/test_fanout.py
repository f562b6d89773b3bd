"""The fan-out cost per forwarded packet, beside the floor measured in the same run: the ratio is what counts.

Engine and floor take turns in short slices, so that whatever else the machine does meets both; the median of the
slices' ratios is reported. `python -m pytest bench/test_fanout.py -q` prints one line per case.
"""

from __future__ import annotations

import statistics

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from simplestchat._native.testing.bench_fanout import Fanout

PAYLOAD_BYTES = 1100
PACKETS_PER_SLICE = 24_000
SLICES = 15


@pytest.mark.parametrize("receivers", [50, 200, 1000])
@pytest.mark.parametrize("burst", [1, 3, 10])
def test_fanout(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], receivers: int, burst: int) -> None:
    fanout = Fanout(receivers, PAYLOAD_BYTES)
    rounds = max(1, PACKETS_PER_SLICE // (receivers * burst))
    engine_ns: list[float] = []
    floor_ns: list[float] = []

    def slice_of_both() -> None:
        floor_cost, _ = fanout.floor(burst, rounds)
        engine_cost, forwarded = fanout.engine(burst, rounds)
        assert forwarded == rounds * burst * receivers
        floor_ns.append(floor_cost)
        engine_ns.append(engine_cost)

    benchmark.pedantic(slice_of_both, rounds=SLICES, warmup_rounds=2)
    fanout.close()
    ratio = statistics.median(e / f for e, f in zip(engine_ns, floor_ns, strict=True))
    benchmark.extra_info |= {
        "engine_ns_per_packet": round(statistics.median(engine_ns), 1),
        "floor_ns_per_packet": round(statistics.median(floor_ns), 1),
        "ratio_to_floor": round(ratio, 3),
    }
    with capsys.disabled():
        print(
            f"\n1 -> {receivers}, bursts of {burst}: {statistics.median(engine_ns):.0f} ns a forwarded packet, "
            f"floor {statistics.median(floor_ns):.0f} ns, ratio {ratio:.2f}"
        )
