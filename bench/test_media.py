"""What a generator pays for verifying every packet: 1000 receivers of one stream, beside CRC32C of the same bytes.

`python -m pytest bench/test_media.py -q` prints a line for each kind of media.
"""

from __future__ import annotations

import statistics

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from simplestchat._native.testing.bench_media import Media

RECEIVERS = 1000
SLICES = 15
SPAN_US = 200_000
#: CPU of a core that verifying may take for 1000 receivers of 100 packets a second each.
SHARE = 0.15


@pytest.mark.parametrize(("kind", "bitrate"), [("audio", 32_000), ("video", 800_000)])
def test_media(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], kind: str, bitrate: int) -> None:
    media = Media(kind == "video", bitrate, RECEIVERS)
    costs: list[tuple[float, float, float]] = []
    benchmark.pedantic(lambda: costs.append(media.slice(SPAN_US)), rounds=SLICES, warmup_rounds=2)
    write, check, crc = (statistics.median(column) for column in zip(*costs, strict=True))
    benchmark.extra_info |= {"write_ns": round(write, 1), "check_ns": round(check, 1), "crc_ns": round(crc, 1)}
    with capsys.disabled():
        print(f"\n{kind}: {write:.0f} ns to write a packet, {check:.0f} ns to check one, {crc:.0f} ns of these CRC32C")
    assert media.delivered() > 0
    assert check * RECEIVERS * 100 / 1e9 < SHARE
