"""Per-packet cost of the parsers and of rewriting a header: each round is one C loop over ``N`` packets."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from simplestchat._native.testing import bench_wire, probe_rtcp, probe_wire

N = 100_000

# As a browser sends them: mid, transport-wide number, send time and audio level in the one-byte form.
ELEMENTS = [(1, b"0"), (4, b"\x12\x34"), (3, b"\x01\x02\x03"), (10, b"\x85")]
RTP = probe_wire.rtp_write(96, True, 1000, 90_000, 0xDEADBEEF, ELEMENTS) + bytes(1100)
BARE_RTP = probe_wire.rtp_write(111, False, 1000, 48_000, 0xDEADBEEF) + bytes(120)
CHECK = probe_wire.stun_write_request(bytes(12), b"serverfragment:clientfrag", 0x6E0001FF, True, 1, True)
CHECK = bytes([*CHECK[:2], 0, len(CHECK) - 20 + 8, *CHECK[4:]])
CHECK += b"\x80\x28\x00\x04" + probe_wire.stun_fingerprint(CHECK).to_bytes(4, "big")
INFO = {"ssrc": 1, "ntp": 2, "rtp_timestamp": 3, "packets": 4, "octets": 5}
BLOCK = {"ssrc": 2, "fraction_lost": 0, "cumulative_lost": 0, "highest_seq": 1, "jitter": 0, "lsr": 0, "dlsr": 0}
REPORTS = probe_rtcp.rtcp_sr(INFO, [BLOCK, BLOCK]) + probe_rtcp.rtcp_sdes(1, b"0123456789abcdef")
NACK = probe_rtcp.rtcp_nack(1, 2, [(100, 0x8001), (200, 0), (300, 0xFFFF)])
FEEDBACK = probe_rtcp.rtcp_twcc(1, 2, 3, 4, [None if index % 9 == 4 else 1000 * index for index in range(50)])
KEYFRAME = bytes.fromhex("90e081230540d002009d012a800268010047")
SLICES = bytes.fromhex("78000767640028acd100000468ee3c8000046588843a")

CASES: dict[str, tuple[Callable[[bytes, int], int], bytes]] = {
    "demux": (bench_wire.bench_demux, RTP),
    "stun": (bench_wire.bench_stun, CHECK),
    "rtp": (bench_wire.bench_rtp, BARE_RTP),
    "rtp with extensions": (bench_wire.bench_rtp, RTP),
    "rtp, last extension found": (lambda data, rounds: bench_wire.bench_rtp_extension(data, 10, rounds), RTP),
    "rtp rewritten": (bench_wire.bench_rtp_rewrite, RTP),
    "rtcp reports": (bench_wire.bench_rtcp, REPORTS),
    "rtcp nack": (bench_wire.bench_rtcp, NACK),
    "rtcp transport-wide feedback": (bench_wire.bench_rtcp, FEEDBACK),
    "vp8": (bench_wire.bench_vp8, KEYFRAME),
    "h264": (bench_wire.bench_h264, SLICES),
}


@pytest.mark.parametrize("name", CASES)
def test_parse(benchmark: BenchmarkFixture, name: str) -> None:
    function, packet = CASES[name]
    assert benchmark(function, packet, N) == N
    benchmark.extra_info["packets_per_round"] = N
    if benchmark.stats is not None:
        benchmark.extra_info["ns_per_packet"] = round(benchmark.stats.stats.min / N * 1e9, 2)
