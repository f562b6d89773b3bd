"""Cost of protecting and unprotecting a packet, beside libcrypto alone over the same bytes in the same run.

Ours and the floor take turns in short slices, so that whatever else the machine does meets both; reported is the
median of the slices' ratios, in CPU time.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from simplestchat._native.testing.bench_srtp import SrtpBench
from simplestchat._native.testing.probe_crypto import AEAD_AES_128_GCM, AEAD_AES_256_GCM, AES128_CM_SHA1_80

PAYLOAD_BYTES = 1100
PACKETS_PER_SLICE = 4096
SLICES = 50

NAMES = {AES128_CM_SHA1_80: "cm-sha1-80", AEAD_AES_128_GCM: "gcm-128", AEAD_AES_256_GCM: "gcm-256"}
EVERY_SUITE = pytest.mark.parametrize("suite", NAMES, ids=NAMES.get)


def timed(loop: Callable[[int], None]) -> float:
    begun = time.thread_time_ns()
    loop(PACKETS_PER_SLICE)
    return (time.thread_time_ns() - begun) / PACKETS_PER_SLICE


def beside_floor(
    benchmark: BenchmarkFixture,
    capsys: pytest.CaptureFixture[str],
    name: str,
    ours: Callable[[int], None],
    floor: Callable[[int], None],
) -> None:
    ours_ns: list[float] = []
    floor_ns: list[float] = []

    def slice_of_both() -> None:
        floor_ns.append(timed(floor))
        ours_ns.append(timed(ours))

    benchmark.pedantic(slice_of_both, rounds=SLICES, warmup_rounds=3)
    ratio = statistics.median(cost / least for cost, least in zip(ours_ns, floor_ns, strict=True))
    benchmark.extra_info |= {
        "ns_per_packet": round(statistics.median(ours_ns), 1),
        "floor_ns_per_packet": round(statistics.median(floor_ns), 1),
        "ratio_to_floor": round(ratio, 3),
    }
    with capsys.disabled():
        print(
            f"\n{name}: {statistics.median(ours_ns):.0f} ns a packet, libcrypto alone "
            f"{statistics.median(floor_ns):.0f} ns, ratio {ratio:.3f}"
        )


@EVERY_SUITE
def test_seal(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], suite: int) -> None:
    bench = SrtpBench(suite, PAYLOAD_BYTES)
    beside_floor(benchmark, capsys, f"seal {NAMES[suite]}", bench.seal, bench.floor)


@EVERY_SUITE
def test_open(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], suite: int) -> None:
    bench = SrtpBench(suite, PAYLOAD_BYTES)
    beside_floor(benchmark, capsys, f"open {NAMES[suite]}", bench.open, bench.floor)
