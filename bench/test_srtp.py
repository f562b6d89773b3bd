"""Cost of protecting and unprotecting a packet, beside the libraries alone over the same bytes in the same run.

The floors are bare calls: libcrypto through EVP, and ipsec-mb where it is installed. What is measured takes turns with
its floor in short slices, so that whatever else the machine does meets both; reported is the median of the slices'
ratios, in CPU time. Beside it stand instructions a packet where valgrind is installed: they are the same in every run,
but valgrind knows fewer of the processor's instructions than the libraries do.
"""

from __future__ import annotations

import platform
import re
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from simplestchat._native.crypto import srtp_backend
from simplestchat._native.testing.bench_srtp import SrtpBench
from simplestchat._native.testing.probe_crypto import AEAD_AES_128_GCM, AEAD_AES_256_GCM, AES128_CM_SHA1_80

PAYLOAD_BYTES = 1100
PACKETS_PER_SLICE = 4096
SLICES = 50
COUNTED_PACKETS = 1024

NAMES = {AES128_CM_SHA1_80: "cm-sha1-80", AEAD_AES_128_GCM: "gcm-128", AEAD_AES_256_GCM: "gcm-256"}
EVERY_SUITE = pytest.mark.parametrize("suite", NAMES, ids=NAMES.get)
BACKENDS = ("openssl", "ipsec-mb") if platform.machine() == "x86_64" else ("openssl",)
#: What the extra of AES-CM over AES-GCM may be, beside that of the floors.
EXTRA_BAR = 1.2

COUNT = f"""
from simplestchat._native.crypto import srtp_backend
from simplestchat._native.testing.bench_srtp import SrtpBench
for backend in {BACKENDS}:
    srtp_backend.choose(backend)
    for suite in {tuple(NAMES)}:
        bench = SrtpBench(suite, {PAYLOAD_BYTES})
        for ours in (bench.seal_batch, bench.open, bench.floor_mb if backend == "ipsec-mb" else bench.floor):
            ours({COUNTED_PACKETS})
"""


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    srtp_backend.choose(request.param)
    yield request.param
    srtp_backend.choose("openssl")


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int, str], float]:
    """Instructions a packet, by backend, suite and what is done; empty without valgrind."""
    if shutil.which("valgrind") is None:
        return {}
    folder = tmp_path_factory.mktemp("callgrind")
    loops = [f"*9SrtpBench_*{name}" for name in ("seal_batch", "open", "floor", "floor_mb")]
    options = [f"--{what}=__pyx_pw_{loop}" for loop in loops for what in ("toggle-collect", "dump-after")]
    command = ["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--callgrind-out-file={folder}/out", *options]
    subprocess.run([*command, sys.executable, "-c", COUNT], check=True, capture_output=True)
    keys = [(backend, suite, what) for backend in BACKENDS for suite in NAMES for what in ("seal", "open", "floor")]
    return {key: _total(folder / f"out.{at}") / COUNTED_PACKETS for at, key in enumerate(keys, start=1)}


def _total(dump: Path) -> int:
    found = re.search(r"^(?:totals|summary): (\d+)", dump.read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1])


def timed(loop: Callable[[int], None]) -> float:
    begun = time.thread_time_ns()
    loop(PACKETS_PER_SLICE)
    return (time.thread_time_ns() - begun) / PACKETS_PER_SLICE


def floor_of(bench: SrtpBench, backend: str) -> Callable[[int], None]:
    return bench.floor_mb if backend == "ipsec-mb" else bench.floor


def beside_floor(
    benchmark: BenchmarkFixture,
    capsys: pytest.CaptureFixture[str],
    name: str,
    ours: Callable[[int], None],
    floor: Callable[[int], None],
    instructions: tuple[float | None, float | None],
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
    counts = ""
    if instructions[0] is not None and instructions[1] is not None:
        benchmark.extra_info |= {"instructions": round(instructions[0]), "floor_instructions": round(instructions[1])}
        counts = f"; {instructions[0]:.0f} instructions, the floor {instructions[1]:.0f}"
    with capsys.disabled():
        print(
            f"\n{name}: {statistics.median(ours_ns):.0f} ns a packet, the library alone "
            f"{statistics.median(floor_ns):.0f} ns, ratio {ratio:.3f}{counts}"
        )


@EVERY_SUITE
def test_seal(
    benchmark: BenchmarkFixture,
    capsys: pytest.CaptureFixture[str],
    counted: dict[tuple[str, int, str], float],
    backend: str,
    suite: int,
) -> None:
    bench = SrtpBench(suite, PAYLOAD_BYTES)
    instructions = counted.get((backend, suite, "seal")), counted.get((backend, suite, "floor"))
    name = f"seal {NAMES[suite]} {backend}"
    beside_floor(benchmark, capsys, name, bench.seal_batch, floor_of(bench, backend), instructions)


@EVERY_SUITE
def test_open(
    benchmark: BenchmarkFixture,
    capsys: pytest.CaptureFixture[str],
    counted: dict[tuple[str, int, str], float],
    backend: str,
    suite: int,
) -> None:
    bench = SrtpBench(suite, PAYLOAD_BYTES)
    instructions = counted.get((backend, suite, "open")), counted.get((backend, suite, "floor"))
    beside_floor(
        benchmark, capsys, f"open {NAMES[suite]} {backend}", bench.open, floor_of(bench, backend), instructions
    )


def test_what_sha1_adds(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], backend: str) -> None:
    """The extra of AES_CM_128_HMAC_SHA1_80 over AES-128-GCM, beside the difference of the two floors through EVP."""
    cm, gcm = SrtpBench(AES128_CM_SHA1_80, PAYLOAD_BYTES), SrtpBench(AEAD_AES_128_GCM, PAYLOAD_BYTES)
    slices: list[tuple[float, float]] = []

    def slice_of_all() -> None:
        floors = timed(cm.floor) - timed(gcm.floor)
        slices.append((timed(cm.seal_batch) - timed(gcm.seal_batch), floors))

    benchmark.pedantic(slice_of_all, rounds=SLICES, warmup_rounds=3)
    ours, floors = (statistics.median(column) for column in zip(*slices, strict=True))
    benchmark.extra_info |= {"extra_ns": round(ours, 1), "floors_extra_ns": round(floors, 1)}
    with capsys.disabled():
        print(
            f"\nAES-CM over AES-GCM, {backend}: {ours:.0f} ns more, the floors {floors:.0f} ns, "
            f"ratio {ours / floors:.2f} (bar {EXTRA_BAR})"
        )
