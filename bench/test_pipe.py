"""What a big room costs over two workers beside the same room on one: their processor time by forwarded packet.

One presenter's camera (720p, 2.5 Mbit/s, 30 frames a second) goes to many viewers, who are synthetic users on real
sockets; workers are real processes. Both rooms have workers of their own and take turns in short slices, so that
whatever else the machine does meets both; the median of the slices' ratios is reported.
`python -m pytest bench/test_pipe.py -q` prints a line for each case; `--pipe-viewers 1000` makes the room larger.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from support.live_call import HOST, RunningCrowd
from support.piped_call import PipedCall, Track
from support.worker_end import WorkerEnd

from simplestchat.media import wire

CAMERA = {"bitrate_bps": 2_500_000, "width": 1280, "height": 720}
SLICES = 12
SLICE_S = 1.5
SETTLE_S = 0.3


@dataclass
class Cost:
    """What a room took of its workers in a slice."""

    cpu_us: int
    forwarded: int
    piped: int

    @property
    def us_per_packet(self) -> float:
        return self.cpu_us / (self.forwarded or 1)


@dataclass
class Room:
    """A presenter whose camera viewers at these workers receive."""

    call: PipedCall
    workers: list[WorkerEnd]
    track: Track

    def taken(self) -> Cost:
        """What its workers took since they began."""
        readings = [worker.ask(wire.Stats()) for worker in self.workers]
        return Cost(
            sum(reading["footprint"]["cpu_us"] for reading in readings),
            sum(reading["counters"]["forwarded"] for reading in readings),
            sum(reading["counters"]["piped_out"] for reading in readings),
        )

    def slice(self) -> Cost:
        """Let the camera run for a while."""
        self.call.swarm.mute(self.track.id, False)
        time.sleep(SETTLE_S)
        before = self.taken()
        time.sleep(SLICE_S)
        after = self.taken()
        self.call.swarm.mute(self.track.id, True)
        time.sleep(SETTLE_S)
        return Cost(after.cpu_us - before.cpu_us, after.forwarded - before.forwarded, after.piped - before.piped)


def fill(call: PipedCall, workers: list[WorkerEnd], viewers: int) -> Room:
    """A room over these workers, the presenter at the first."""
    track = call.publish(call.join(workers[0]), "video", **CAMERA)
    numbers = {workers[0]: track.id}
    for worker in workers[1:]:
        link = call.link(workers[0], worker, ((HOST, worker.port), (HOST, workers[0].port)))
        numbers[worker] = call.pipe(track, link)
    for number in range(viewers):
        worker = workers[number % len(workers)]
        call.watch(call.join(worker), track, numbers[worker])
    call.start(track)
    call.swarm.mute(track.id, True)  # until its first slice
    return Room(call, workers, track)


@contextmanager
def rooms(viewers: int) -> Iterator[tuple[Room, Room]]:
    """The room on one worker, and over two."""
    with ExitStack() as stack:
        workers = [stack.enter_context(WorkerEnd()) for _ in range(3)]
        running = RunningCrowd()
        stack.callback(running.close)
        call = PipedCall(running, dict.fromkeys(workers, HOST))
        yield fill(call, workers[:1], viewers), fill(call, workers[1:], viewers)


@pytest.mark.timeout(600)
def test_one_room_over_two_workers(
    benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], request: pytest.FixtureRequest
) -> None:
    viewers = request.config.getoption("--pipe-viewers")
    one: list[float] = []
    two: list[float] = []
    with rooms(viewers) as (whole, spread):

        def slice_of_both() -> None:
            alone, over_two = whole.slice(), spread.slice()
            assert min(alone.forwarded, over_two.forwarded) > viewers * 100 * SLICE_S
            assert alone.piped == 0
            assert over_two.piped < 2 * over_two.forwarded / viewers, "a camera is piped once"
            one.append(alone.us_per_packet)
            two.append(over_two.us_per_packet)

        benchmark.pedantic(slice_of_both, rounds=SLICES, warmup_rounds=1)
    ratio = statistics.median(b / a for a, b in zip(one[1:], two[1:], strict=True))
    benchmark.extra_info |= {
        "one_worker_us_per_packet": round(statistics.median(one), 3),
        "two_workers_us_per_packet": round(statistics.median(two), 3),
        "ratio": round(ratio, 3),
    }
    with capsys.disabled():
        print(
            f"\n1 -> {viewers}: one worker {statistics.median(one):.2f} us a forwarded packet, "
            f"two workers with a pipe {statistics.median(two):.2f} us together, ratio {ratio:.2f}"
        )
