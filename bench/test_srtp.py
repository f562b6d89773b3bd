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

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from simplestchat._native.crypto import srtp_backend
from simplestchat._native.testing.bench_srtp import SrtpBench
from simplestchat._native.testing.probe_crypto import AEAD_AES_128_GCM, AEAD_AES_256_GCM, AES128_CM_SHA1_80

PAYLOAD_BYTES = 1100
PACKETS_PER_SLICE = 4096
SLICES = 50
EXTRA_SLICES = 300
COUNTED_PACKETS = 1024

NAMES = {AES128_CM_SHA1_80: "cm-sha1-80", AEAD_AES_128_GCM: "gcm-128", AEAD_AES_256_GCM: "gcm-256"}
EVERY_SUITE = pytest.mark.parametrize("suite", NAMES, ids=NAMES.get)
BACKENDS = ("openssl", "ipsec-mb") if platform.machine() == "x86_64" else ("openssl",)
#: What the extra of AES-CM over AES-GCM may be, beside that of the floors.
EXTRA_BAR = 1.2

#: Run under valgrind: one loop of one suite with one library.
COUNT = """
import sys
from simplestchat._native.crypto import srtp_backend
from simplestchat._native.testing.bench_srtp import SrtpBench
backend, suite, payload, loop, packets = sys.argv[1:]
srtp_backend.choose(backend)
getattr(SrtpBench(int(suite), int(payload)), loop)(int(packets))
"""


@pytest.fixture(scope="module", params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[str]:
    srtp_backend.choose(request.param)
    yield request.param
    srtp_backend.choose("openssl")


def instructions(backend: str, suite: int, loop: str) -> float | None:
    """Instructions a packet of a loop of SrtpBench; None without valgrind."""
    if shutil.which("valgrind") is None:
        return None
    wrapper = f"__pyx_pw_*9SrtpBench_*{loop}"
    options = ["--tool=callgrind", "--callgrind-out-file=/dev/null", f"--toggle-collect={wrapper}"]
    arguments = [backend, str(suite), str(PAYLOAD_BYTES), loop, str(COUNTED_PACKETS)]
    command = ["valgrind", *options, sys.executable, "-c", COUNT, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found is not None
    return int(found[1]) / COUNTED_PACKETS


def timed(loop: Callable[[int], None]) -> float:
    begun = time.thread_time_ns()
    loop(PACKETS_PER_SLICE)
    return (time.thread_time_ns() - begun) / PACKETS_PER_SLICE


def floor_of(backend: str, suite: int, loop: str) -> str:
    """The library's own loop; what arrives in AES-CM is OpenSSL's work always."""
    always_openssl = suite == AES128_CM_SHA1_80 and loop == "open"
    return "floor_mb" if backend == "ipsec-mb" and not always_openssl else "floor"


def beside_floor(
    benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], backend: str, suite: int, loop: str
) -> None:
    bench = SrtpBench(suite, PAYLOAD_BYTES)
    floor_loop = floor_of(backend, suite, loop)
    ours: Callable[[int], None] = getattr(bench, loop)
    floor: Callable[[int], None] = getattr(bench, floor_loop)
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
        "instructions": instructions(backend, suite, loop),
        "floor_instructions": instructions(backend, suite, floor_loop),
    }
    known = benchmark.extra_info
    with capsys.disabled():
        print(
            f"\n{loop} {NAMES[suite]} {backend}: {known['ns_per_packet']:.0f} ns a packet, the library alone "
            f"{known['floor_ns_per_packet']:.0f} ns, ratio {ratio:.3f}; instructions {_whole(known['instructions'])}, "
            f"the library alone {_whole(known['floor_instructions'])}"
        )


def _whole(count: float | None) -> str:
    return "not counted" if count is None else f"{count:.0f}"


@EVERY_SUITE
def test_seal(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], backend: str, suite: int) -> None:
    beside_floor(benchmark, capsys, backend, suite, "seal_batch")


@EVERY_SUITE
def test_open(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], backend: str, suite: int) -> None:
    beside_floor(benchmark, capsys, backend, suite, "open")


def test_what_sha1_adds(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], backend: str) -> None:
    """The extra of AES_CM_128_HMAC_SHA1_80 over AES-128-GCM, beside the difference of the two floors through EVP."""
    cm, gcm = SrtpBench(AES128_CM_SHA1_80, PAYLOAD_BYTES), SrtpBench(AEAD_AES_128_GCM, PAYLOAD_BYTES)
    slices: list[tuple[float, ...]] = []

    def slice_of_all() -> None:
        slices.append(tuple(timed(loop) for loop in (cm.seal_batch, gcm.seal_batch, cm.floor, gcm.floor)))

    benchmark.pedantic(slice_of_all, rounds=EXTRA_SLICES, warmup_rounds=3)
    # A difference of two has the noise of both, and other machines on the same processor slow ciphers down for seconds:
    # of each loop, its undisturbed slices.
    ours_cm, ours_gcm, floors_cm, floors_gcm = (
        statistics.quantiles(column, n=10)[0] for column in zip(*slices, strict=True)
    )
    ours, floors = ours_cm - ours_gcm, floors_cm - floors_gcm
    benchmark.extra_info |= {"extra_ns": round(ours, 1), "floors_extra_ns": round(floors, 1)}
    with capsys.disabled():
        print(
            f"\nAES-CM over AES-GCM, {backend}: {ours:.0f} ns more, the floors {floors:.0f} ns, "
            f"ratio {ours / floors:.2f} (bar {EXTRA_BAR})"
        )
