"""What one core of load generator carries: synthetic users that receive, open and verify video, or that talk.

The crowd's loop has one core; a stub of a server, which only seals and sends, has the other in a process of its own.
Users are connected without a handshake, with keys that both sides know; from there on everything is as in a run.
`python -m pytest bench/test_generator.py -q` prints it.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from simplestchat._native.io.crowd import Crowd
from simplestchat._native.testing import bench_crowd
from simplestchat.load.histogram import Histogram

PAYLOAD_BYTES = 1100
PACKETS_PER_S = 100
AUDIO_PER_S = 50
SECONDS = 6
PAGE = os.sysconf("SC_PAGE_SIZE")
TICKS = os.sysconf("SC_CLK_TCK")
STUB = """
import os, sys
from simplestchat._native.testing.bench_crowd import Stub
fd, seconds, rate, payload, parts, core = map(int, sys.argv[1:7])
if core >= 0:
    os.sched_setaffinity(0, {core})
stub = Stub(fd, [int(port) for port in sys.stdin.read().split()], payload, parts)
print(stub.run(seconds, rate), stub.sent)
"""

Reading = dict[str, Any]


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def cores() -> tuple[int, int]:
    """One for the crowd, another one for the stub; -1 where there is only one for both."""
    mine = sorted(os.sched_getaffinity(0))
    return (mine[0], mine[1]) if len(mine) > 1 else (mine[0], -1)


def percentile(data: Any, share: float) -> float:
    """In milliseconds."""
    spans = Histogram()
    spans.merge(data)
    return spans.percentile(share) / 1000


def percentiles(data: Any) -> str:
    return "/".join(f"{percentile(data, share):.2f}" for share in (0.5, 0.95, 0.99))


class Generator:
    """A crowd on a core of its own, and what it used since `begin`."""

    def __init__(self) -> None:
        gc.collect()
        self.before = resident()
        self.crowd = Crowd(b"bench")
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        self._started.wait()

    def _run(self) -> None:
        os.sched_setaffinity(0, {cores()[0]})
        self._id = threading.get_native_id()
        self._started.set()
        self.crowd.run()

    def _kernel_ticks(self) -> tuple[int, int]:
        fields = Path(f"/proc/self/task/{self._id}/stat").read_text().rsplit(")", 1)[1].split()
        return int(fields[11]), int(fields[12])

    def connect(self, users: int, server: tuple[str, int]) -> list[int]:
        """Users with paths only; the ports of their sockets."""
        swarm = self.crowd.swarm
        for user in range(users):
            swarm.add_path(user, 1000 + user, server, "stub", "p" * 22, swarm.fingerprint, user)
            bench_crowd.connect_directly(swarm, user)
        deadline = time.monotonic() + 30
        while self.crowd.totals()["sockets"] < users:
            assert time.monotonic() < deadline, "the crowd made no sockets"
            time.sleep(0.01)
        return [bench_crowd.local_port(swarm, user) for user in range(users)]

    def begin(self) -> None:
        self.crowd.swarm.sample()
        self._totals, self._ticks, self._began = self.crowd.totals(), self._kernel_ticks(), time.monotonic()

    def end(self, users: int) -> Reading:
        totals, seconds = self.crowd.totals(), time.monotonic() - self._began
        user, system = (now - then for now, then in zip(self._kernel_ticks(), self._ticks, strict=True))
        memory, sample = resident() - self.before, self.crowd.swarm.sample()
        self.crowd.stop()
        self._thread.join()
        return {
            **{name: totals[name] - self._totals[name] for name in totals},
            "sums": sample["totals"],
            "histograms": sample["histograms"],
            "seconds": seconds,
            "kernel_share": system / max(1, user + system),
            "kib_per_user": memory / users / 1024,
        }


def receive_video(users: int, parts: int) -> Reading:
    generator = Generator()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        ports = generator.connect(users, server.getsockname())
        for user in range(users):
            generator.crowd.swarm.add_receiver(
                user,
                user,
                {
                    "user": bench_crowd.PUBLISHER,
                    "track": bench_crowd.CAMERA,
                    "codec": "vp8",
                    "payload_type": bench_crowd.VIDEO_PT,
                    "rtx_payload_type": -1,
                    "ssrc": bench_crowd.FIRST_SSRC + user,
                    "rtx_ssrc": 0,
                    "clock_rate": 90_000,
                    "ext": {},
                },
            )
        generator.begin()
        numbers = (server.fileno(), SECONDS, PACKETS_PER_S, PAYLOAD_BYTES, parts, cores()[1])
        done = subprocess.run(
            [sys.executable, "-c", STUB, *map(str, numbers)],
            input=" ".join(map(str, ports)),
            pass_fds=[server.fileno()],
            capture_output=True,
            text=True,
            check=True,
        )
        time.sleep(0.1)  # what is in the sockets is read
        reading = generator.end(users)
    reading["late_us"], reading["sent"] = map(int, done.stdout.split())
    return reading


def send_audio(users: int) -> Reading:
    generator = Generator()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        generator.connect(users, server.getsockname())
        generator.begin()
        for user in range(users):
            generator.crowd.swarm.add_sender(
                user,
                user,
                {
                    "user": user,
                    "track": 0,
                    "codec": "opus",
                    "payload_type": 111,
                    "rtx_payload_type": -1,
                    "clock_rate": 48_000,
                    "fps": 0,
                    "max_payload": 1100,
                    "ext": {},
                    "mid": "",
                    "talk": 1,
                    "dtx": False,
                    "talk_ms": 1000,
                    "silence_ms": 1000,
                    "seed": user,
                    "layers": [
                        {"ssrc": 1 + user, "rtx_ssrc": 0, "bitrate_bps": 32_000, "width": 0, "height": 0, "rid": ""}
                    ],
                },
            )
        time.sleep(SECONDS)
        return generator.end(users)


def in_a_fresh_process(measure: Callable[..., Reading], *arguments: int) -> Reading:
    """Memory that another measurement gave back to the allocator would make this one's look small."""
    fork = multiprocessing.get_context("fork")
    ours, theirs = fork.Pipe()
    process = fork.Process(target=lambda: theirs.send(measure(*arguments)))
    process.start()
    assert ours.poll(120), "the measurement ended without a result"
    reading: Reading = ours.recv()
    process.join()
    return reading


@pytest.mark.parametrize("parts", [1, 4])
@pytest.mark.parametrize("users", [1000, 1500])
def test_receiving(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], users: int, parts: int) -> None:
    readings: list[Reading] = []
    benchmark.pedantic(lambda: readings.append(in_a_fresh_process(receive_video, users, parts)), rounds=1)
    reading, sums, spans = readings[0], readings[0]["sums"], readings[0]["histograms"]
    cost = reading["cpu_us"] / sums["packets"]
    benchmark.extra_info |= {
        "us_per_packet": round(cost, 2),
        "users_per_core": round(1e6 / cost / PACKETS_PER_S),
        "wake_p99_ms": round(percentile(spans["wake"], 0.99), 2),
        "kib_per_user": round(reading["kib_per_user"], 1),
    }
    with capsys.disabled():
        print(
            f"\n{users} users, {PACKETS_PER_S} packets/s each in bursts of {parts}: {cost:.2f} us of CPU a packet, "
            f"{reading['kernel_share']:.0%} of it in the kernel; one core carries {1e6 / cost / PACKETS_PER_S:.0f}\n"
            f"  sent {reading['sent']}, delivered {sums['delivered']}, lost {sums['lost']}, corrupt {sums['corrupt']}, "
            f"misdelivered {sums['misdelivered']}, dropped by the kernel {reading['receive_drops']}; "
            f"{reading['receive_calls'] / sums['packets']:.2f} reads a packet, "
            f"{reading['turns'] / reading['seconds']:.0f} turns/s; {reading['kib_per_user']:.1f} KiB a user\n"
            f"  ms p50/p95/p99: read after arrival {percentiles(spans['wake'])}, due to arrival "
            f"{percentiles(spans['latency_video'])}; the stub was late by {reading['late_us'] / 1000:.1f} at most"
        )
    assert sums["delivered"] > 0
    assert sums["corrupt"] == sums["misdelivered"] == sums["undecryptable"] == 0


@pytest.mark.parametrize("users", [1000])
def test_talking(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], users: int) -> None:
    readings: list[Reading] = []
    benchmark.pedantic(lambda: readings.append(in_a_fresh_process(send_audio, users)), rounds=1)
    reading, sums = readings[0], readings[0]["sums"]
    cost = reading["cpu_us"] / sums["sent_packets"]
    benchmark.extra_info |= {"us_per_packet": round(cost, 2)}
    with capsys.disabled():
        print(
            f"\n{users} users talk, {AUDIO_PER_S} packets/s each: {cost:.2f} us of CPU a packet, "
            f"{reading['kernel_share']:.0%} of it in the kernel; {sums['sent_packets']} sent in "
            f"{reading['seconds']:.1f} s, {reading['turns'] / reading['seconds']:.0f} turns/s\n"
            f"  ms p50/p95/p99: due to sent {percentiles(reading['histograms']['lag'])}; "
            f"{reading['kib_per_user']:.1f} KiB a user"
        )
    assert reading["send_failures"] == 0
