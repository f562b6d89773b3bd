"""Debian's Janus beside our worker: the same core in turn, the same receivers, the same pace.

One publisher sends one VP8 stream of 1100-byte payloads (AES-128-GCM) to a room; everybody goes through ICE and DTLS,
and one receiver in 20 opens and checks every byte. Both servers are there at once and are played to in turn, so that
what else the machine does meets both. Janus has one event loop, as our worker, and only its video room; where
`janus_threads` stands, it has a thread for each user, as its default is.

`python -m pytest bench/test_janus.py -q` prints it. Lost or damaged media of ours fails; what Janus loses is a figure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from janus import sdp
from pytest_benchmark.fixture import BenchmarkFixture
from support.namespace import Namespace

BENCH = Path(__file__).parent
TIMEOUT_S = 400.0
TEST_TIMEOUT_S = 430

Figures = dict[str, dict[str, float]]


@pytest.fixture(scope="module")
def network() -> Iterator[Namespace]:
    with Namespace() as namespace:
        yield namespace


def measured(network: Namespace, name: str, *numbers: int) -> Figures:
    """What ``janus.measure`` says, run in this network."""
    done = subprocess.run(
        [*network.enter, sys.executable, "-m", "janus.measure", name, *map(str, numbers)],
        env={**os.environ, "PYTHONPATH": str(BENCH)},
        stdout=subprocess.PIPE,
        text=True,
        timeout=TIMEOUT_S,
        check=True,
    )
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def beside(ours: float, other: float) -> str:
    return f" (x {other / ours:.2f})" if ours and other != ours else ""


def show(
    benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], title: str, figures: Figures, *keys: str
) -> None:
    """Print these, the servers' and their ratios to ours, and keep all."""
    ours = figures["ours"]
    benchmark.extra_info |= {
        f"{name}_{key}": round(value, 4) for name in figures for key, value in figures[name].items()
    }
    with capsys.disabled():
        print(f"\n{title}")
        for key in keys:
            print(
                f"  {key}: "
                + ", ".join(f"{name} {of[key]:.4g}{beside(ours[key], of[key])}" for name, of in figures.items())
            )


@pytest.mark.alone
@pytest.mark.timeout(TEST_TIMEOUT_S)
@pytest.mark.parametrize("burst", [1, 10], ids=["evenly", "bursts"])
def test_janus_hundred(
    network: Namespace, benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], burst: int
) -> None:
    figures = benchmark.pedantic(measured, (network, "forwarding", 100, burst), rounds=1)
    title = "100 receivers x 300/s, " + ("evenly paced" if burst == 1 else f"bursts of {burst}")
    show(benchmark, capsys, title, figures, "cpu_us", "p50_ms", "p99_ms")
    with capsys.disabled():
        print(
            "  missing: " + ", ".join(f"{one} {of['missing']:.0f} of {of['expected']}" for one, of in figures.items())
        )
    assert {of["strange"] for of in figures.values()} == {0}
    assert figures["ours"]["lost"] == 0


@pytest.mark.alone
@pytest.mark.timeout(TEST_TIMEOUT_S)
@pytest.mark.parametrize("burst", [1, 10], ids=["evenly", "bursts"])
def test_janus_highest_rate(
    network: Namespace, benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], burst: int
) -> None:
    figures = benchmark.pedantic(measured, (network, "highest", 200, burst), rounds=1)
    title = "highest rate with < 0.1 % missing, 200 receivers, " + (
        "evenly paced" if burst == 1 else f"bursts of {burst}"
    )
    show(benchmark, capsys, title, figures, "packets_per_s", "cpu_us")


@pytest.mark.alone
@pytest.mark.timeout(TEST_TIMEOUT_S)
def test_janus_joins(network: Namespace, benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    """Transports are made beforehand: what is counted is ICE, DTLS, and the memory that each takes then."""
    figures = benchmark.pedantic(measured, (network, "joins", 100), rounds=1)
    show(benchmark, capsys, "100 joins", figures, "cpu_ms", "connected_kib", "after_media_kib")


def test_media_arrives_whole(network: Namespace) -> None:
    """Janus gives packets an SSRC, sequence and timestamps of its own; what they carry is untouched."""
    receivers = 3
    seen = measured(network, "whole", receivers)["janus"]
    assert seen["lost"] == seen["frames_broken"] == seen["duplicate"] == 0
    assert seen["delivered"] >= seen["expected"] == receivers * seen["sent"]
    assert seen["keyframes"] >= receivers


ENDPOINT = sdp.Endpoint("abcd", "p" * 22, ("sha-256", "AA:BB"))


@pytest.mark.parametrize("stream", [sdp.Stream(96, 7), sdp.Stream(96, 7, 97, 8)], ids=["alone", "with RTX"])
def test_a_description_reads_as_it_was_written(stream: sdp.Stream) -> None:
    assert sdp.Description.parse(sdp.describe(ENDPOINT, stream, "sendonly")) == sdp.Description(ENDPOINT, stream)


def test_a_candidate_is_found_where_one_is_named() -> None:
    text = sdp.describe(ENDPOINT, sdp.Stream(96, 7), "sendonly") + "a=candidate:1 1 udp 9 10.0.0.1 5000 typ host\r\n"
    assert sdp.Description.parse(text).endpoint.address == ("10.0.0.1", 5000)


@pytest.mark.parametrize("missing", ["a=ice-ufrag", "a=ice-pwd", "a=fingerprint", "a=rtpmap"])
def test_a_description_that_lacks_something_is_refused(missing: str) -> None:
    lines = sdp.describe(ENDPOINT, sdp.Stream(96, 7), "sendonly").split("\r\n")
    with pytest.raises(sdp.NotUnderstood):
        sdp.Description.parse("\r\n".join(line for line in lines if not line.startswith(missing)))
