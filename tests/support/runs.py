"""Made-up runs of the load tester: records as real ones leave them behind, of which every figure comes from a seed."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable

from simplestchat.load.histogram import Histogram, HistogramData
from simplestchat.load.messages import Finished, Sample, StreamResult, UserResult
from simplestchat.load.quality import Quality
from simplestchat.load.record import GeneratorRecord, ProcessSample, RunRecord, ServerSample
from simplestchat.load.scenario import Publish, Ramp, Scenario, Shape

US = 1_000_000
START_US = 5_000_000_000
MACHINE = {"cpu": "Example CPU @ 3.00GHz", "cores": 4, "memory_mb": 16000, "kernel": "6.1.0"}
BOUNDS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, math.inf)


def quality_of(streams: Iterable[StreamResult]) -> Quality:
    """What a generator that had these streams would tell of them together."""
    quality = Quality()
    for stream in streams:
        quality.add(stream)
    return quality


class MadeUpRun:
    """A conference of ``clients`` users in rooms of ten, sampled every second."""

    def __init__(
        self,
        seed: int = 1,
        *,
        clients: int = 40,
        ramp_s: int = 4,
        hold_s: int = 30,
        slower: float = 1.0,
        loss: float = 0.002,
    ) -> None:
        self.random = random.Random(seed)
        self.clients = clients
        self.ramp_s, self.hold_s = ramp_s, hold_s
        self.slower, self.loss = slower, loss
        self.seconds = ramp_s + hold_s + 2
        self.room_size = 10
        self.end_us = START_US + self.seconds * US

    def record(self, parts: int = 2) -> RunRecord:
        scenario = Scenario(
            name="conference",
            title="Conference, rooms of ten with video",
            shape=Shape(clients=self.clients, room_size=self.room_size),
            publish=Publish(video="360p30"),
            ramp=Ramp(joins_per_s=self.clients / self.ramp_s, hold_s=self.hold_s, settle_s=2),
        )
        return RunRecord(
            run="garden",
            scenario=scenario,
            seed=1,
            command=f"simplestchat load scenarios/conference.toml --clients {self.clients} --seed 1",
            started="2026-03-01T10:00:00Z",
            start_us=START_US,
            end_us=self.end_us,
            phases=(
                ("ramp", START_US),
                ("hold", START_US + self.ramp_s * US),
                ("settle", START_US + (self.ramp_s + self.hold_s) * US),
                ("done", self.end_us),
            ),
            generators=tuple(self.generator(part, parts) for part in range(parts)),
            server=self.server(),
            server_local=True,
            pinning="server on core 0, generators on cores 1 and 2",
            machine=MACHINE,
            versions={"python": "3.11.9", "openssl": "OpenSSL 3.0.15"},
            version="0.1.0",
            commit="0123456789abcdef",
        )

    def present(self, second: int) -> float:
        """The share of the users who are there by the end of a second."""
        return min(1.0, (second + 1) / self.ramp_s)

    def spans(self, count: int, median_us: float, spread: float = 0.35) -> HistogramData:
        histogram = Histogram()
        for _ in range(count):
            histogram.add(int(median_us * self.slower * math.exp(self.random.gauss(0, spread))))
        return histogram.data()

    def generator(self, part: int, parts: int) -> GeneratorRecord:
        mine = range(part, self.clients, parts)
        samples, totals, cpu = (
            [],
            dict.fromkeys(("delivered", "lost", "missed", "packets", "repaired", "bytes"), 0),
            0.0,
        )
        for second in range(self.seconds):
            users = round(len(mine) * self.present(second))
            flowing = second < self.ramp_s + self.hold_s
            due = round(users * 9 * 82 * self.random.uniform(0.98, 1.02)) if flowing else 0
            lost = round(due * self.loss * self.random.uniform(0.5, 1.5))
            totals["delivered"] += due - lost
            totals["lost"] += lost
            totals["missed"] += 3 * lost
            totals["repaired"] += 2 * lost
            totals["packets"] += due - lost
            totals["bytes"] += 700 * (due - lost)
            cpu += 0.1 + 0.35 * self.slower * self.present(second) * self.random.uniform(0.9, 1.1)
            begun = users - round(len(mine) * self.present(second - 1)) if second else users
            samples.append(self.sample(part, second, users, begun, totals, cpu))
        return GeneratorRecord(
            part=part,
            users=len(mine),
            machine=MACHINE,
            cores=(part + 1,),
            samples=tuple(samples),
            finished=self.finished(part, mine),
        )

    def sample(self, part: int, second: int, users: int, begun: int, totals: dict[str, int], cpu: float) -> Sample:
        """One second; its first users' connecting falls into it."""
        connected = {"joins_tried": users, "joins": users, "transports": 2 * users, "transports_connected": 2 * users}
        return Sample(
            part=part,
            at_us=START_US + (second + 1) * US + self.random.randrange(20_000),
            totals={**totals, **connected, "misdelivered": 0, "corrupt": 0, "requests": 12 * users},
            gauges={"users": users, "publishing": users, "receiving": users, "connected": 2 * users},
            histograms={
                "signaling": self.spans(40 + 12 * begun, 6_000, 0.5),
                "latency_audio": self.spans(150, 1_500),
                "latency_video": self.spans(200, 2_500, 0.5),
                "jitter": self.spans(100, 300),
                "lag": self.spans(100, 400),
                "wake": self.spans(100, 150),
                "loop_lag": self.spans(20, 900),
                **{name: self.spans(begun, us) for name, us in (("ice", 4_000), ("dtls", 9_000), ("ready", 60_000))},
                **{
                    name: self.spans(9 * begun, us) for name, us in (("first_packet", 40_000), ("first_frame", 180_000))
                },
            },
            generator={"cpu_s": cpu, "loop_cpu_s": 0.7 * cpu, "rss_bytes": 60e6 + 0.25e6 * users, "receive_drops": 0},
            phase="ramp" if second < self.ramp_s else "hold",
        )

    def finished(self, part: int, mine: range) -> Finished:
        streams = []
        for user in mine:
            room = user // self.room_size
            for other in range(room * self.room_size, min(self.clients, (room + 1) * self.room_size)):
                for track, per_s in ((0, 50), (1, 32)):
                    if other != user:
                        streams.append(self.stream(user, other, track, room, per_s))
        users = tuple(
            UserResult(
                user=user,
                room=user // self.room_size,
                received_bytes=round(self.hold_s * 400_000 * self.random.uniform(0.95, 1.05)),
                sent_bytes=self.hold_s * 45_000,
                receiving_s=float(self.hold_s),
                joins=1,
                reconnects=0,
            )
            for user in mine
        )
        return Finished(part=part, users=users, streams=tuple(streams), quality=quality_of(streams).data(), faults={})

    def stream(self, user: int, other: int, track: int, room: int, per_s: int) -> StreamResult:
        due = self.hold_s * per_s
        lost = sum(self.random.random() < self.loss for _ in range(due))
        totals = {
            "delivered": due - lost,
            "lost": lost,
            "latency_us": (due - lost) * 2_000,
            "jitter_us": self.random.randrange(200, 2000),
            "freeze_us": lost * 900 * track,
        }
        return StreamResult(
            subscriber=user, publisher=other, track=track, room=room, seconds=float(self.hold_s), totals=totals
        )

    def server(self) -> tuple[ServerSample, ...]:
        samples: list[ServerSample] = []
        node = worker = forwarded = 0.0
        counts = [0.0] * len(BOUNDS_S)
        for second in range(self.seconds + 1):
            share = self.present(second - 1) if second else 0.0
            node += 0.05 + 0.02 * self.random.random()
            worker += 0.45 * self.slower * share * self.random.uniform(0.95, 1.05)
            forwarded += self.clients * 9 * 82 * share
            for place, bound in enumerate(BOUNDS_S):
                counts[place] += 5000 * share * (1 - math.exp(-bound / (0.0004 * self.slower)))
            metrics = {"packets_forwarded": forwarded, "packets_sent": forwarded * 1.03, "bytes_sent": forwarded * 760}
            metrics |= {
                "packets_received": forwarded / 9,
                "bytes_received": forwarded * 84,
                "transports": 2 * self.clients * share,
            }
            metrics |= {
                "consumers": 18 * self.clients * share,
                "producers": 2 * self.clients * share,
                "packets_dropped.receive": 0,
            }
            samples.append(
                ServerSample(
                    at_us=START_US + second * US + 5_000,
                    metrics={"peers": self.clients * share, "websockets": self.clients * share},
                    workers={"0": {**metrics, "heap_used_bytes": 9e6 + 2e5 * share * self.clients}},
                    histograms={"forward_latency_seconds": list(zip(BOUNDS_S, counts, strict=True))},
                    processes=(
                        ProcessSample(name="node", pid=10, cpu_s=node, rss_bytes=round(60e6 + 20e6 * share)),
                        ProcessSample(
                            name="worker 0", pid=11, cpu_s=worker, rss_bytes=round(30e6 + 1e6 * share * self.clients)
                        ),
                    ),
                )
            )
        return tuple(samples)
