"""Rooms in memory: what forwarding costs the engine alone, beside as many bare EVP seals. Nothing is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workloads import Job, Workload

VIDEO_BYTES = 1100
AUDIO_BYTES = 100  # 20 ms of Opus at 40 kbit/s


@dataclass(frozen=True)
class Shape:
    """Who is in a room, who of them sends, and how much at once."""

    members: int
    publishers: int
    burst: int
    payload: int = VIDEO_BYTES
    video: bool = True
    mutual: bool = False
    """Publishers hear each other."""

    @property
    def copies(self) -> int:
        """Copies of each packet."""
        return self.members - 1 if self.mutual else self.members - self.publishers


SHAPES = {
    **{
        f"fan-out 1 -> {to}, bursts of {burst}": Shape(to + 1, 1, burst)
        for to in (50, 200, 1000)
        for burst in (1, 3, 10)
    },
    **{f"conference of 20, bursts of {burst}": Shape(20, 20, burst, mutual=True) for burst in (1, 10)},
    "audio, 10 of 100 speak": Shape(100, 10, 1, AUDIO_BYTES, video=False, mutual=True),
}


def _floor(shape: Shape, packets: int) -> float:
    """CPU ns of a bare seal, in the rhythm of the room: a burst for each receiver in turn."""
    from simplestchat._native.testing.floor import Floor

    receivers = shape.members if shape.mutual else shape.members - shape.publishers
    floor = Floor([("127.0.0.1", 9)] * receivers, shape.payload)
    try:
        return floor.sealed(shape.burst, max(1, packets // (receivers * shape.burst)))
    finally:
        floor.close()


def _room(shape: Shape) -> Callable[[int], Job]:
    def make(packets: int) -> Job:
        from simplestchat._native.testing.bench_engine import Room

        room = Room(shape.members, shape.publishers, shape.payload, shape.video, shape.mutual)
        rounds = max(1, packets // (shape.publishers * shape.burst * shape.copies))
        forwarded = rounds * shape.publishers * shape.burst * shape.copies
        room.prepare(shape.burst, 2)
        room.run()  # everyone's run has begun

        def work() -> int:
            if (done := room.run()) != forwarded:
                raise RuntimeError(f"{done} packets were forwarded and not {forwarded}")
            return done

        return Job(work, before=lambda: room.prepare(shape.burst, rounds), floor=lambda: _floor(shape, forwarded))

    return make


WORKLOADS = tuple(Workload(name, _room(shape), 20_000, 4_000) for name, shape in SHAPES.items())
