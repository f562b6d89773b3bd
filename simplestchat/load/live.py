"""What a run looks like while it goes on: sums over all generators, for the terminal and for Prometheus.

These are first figures, for watching. The verdict is the judge's, from the whole record.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from simplestchat.load.histogram import Histogram
from simplestchat.load.messages import Sample
from simplestchat.load.plan import Plan
from simplestchat.load.record import ServerSample

_US = 1_000_000
#: Totals that are faults whenever they are not 0.
FAULTS = (
    "misdelivered",
    "corrupt",
    "join_failures",
    "request_errors",
    "connections_lost",
    "transports_failed",
    "chat_lost",
    "chat_disorder",
    "silent_streams",
)


@dataclass(frozen=True, slots=True)
class Standing:
    """An objective as far as it can be told now."""

    name: str
    value: float
    limit: float
    comparison: Literal["<=", ">="]
    unit: str

    @property
    def ok(self) -> bool:
        """The limit is kept so far."""
        return self.value <= self.limit if self.comparison == "<=" else self.value >= self.limit


@dataclass
class Part:
    """The last two samples of one generator."""

    before: Sample | None = None
    last: Sample | None = None

    def rate(self, name: str) -> float:
        """By how much a total grew in a second."""
        if self.before is None or self.last is None or self.last.at_us <= self.before.at_us:
            return 0.0
        grown = self.last.totals.get(name, 0) - self.before.totals.get(name, 0)
        return grown * _US / (self.last.at_us - self.before.at_us)

    def used(self, name: str) -> float:
        """Cores that a clock of the generator's says were used."""
        if self.before is None or self.last is None or self.last.at_us <= self.before.at_us:
            return 0.0
        grown = self.last.generator.get(name, 0.0) - self.before.generator.get(name, 0.0)
        return grown * _US / (self.last.at_us - self.before.at_us)


@dataclass
class Live:
    """The present of a run."""

    plan: Plan
    start_us: int = 0
    parts: dict[int, Part] = field(default_factory=dict)
    histograms: dict[str, Histogram] = field(default_factory=dict)
    server: ServerSample | None = None
    server_before: ServerSample | None = None

    def heard(self, sample: Sample) -> None:
        """One second of one generator."""
        part = self.parts.setdefault(sample.part, Part())
        part.before, part.last = part.last, sample
        for name, data in sample.histograms.items():
            self.histograms.setdefault(name, Histogram()).merge(data)

    def seen(self, sample: ServerSample) -> None:
        """One look at the server."""
        self.server_before, self.server = self.server, sample

    def elapsed_s(self, now_us: int) -> float:
        """Since the start; 0 before it."""
        return max(0.0, (now_us - self.start_us) / _US) if self.start_us else 0.0

    def phase(self, now_us: int) -> str:
        """ramp, hold, settle or done."""
        return self.plan.phase(self.elapsed_s(now_us)) if self.start_us else "prepare"

    def total(self, name: str) -> int:
        """A total of all generators."""
        return sum(part.last.totals.get(name, 0) for part in self.parts.values() if part.last)

    def gauge(self, name: str) -> int:
        """A gauge of all generators."""
        return sum(part.last.gauges.get(name, 0) for part in self.parts.values() if part.last)

    def rate(self, name: str) -> float:
        """A total's growth in a second, of all generators."""
        return sum(part.rate(name) for part in self.parts.values())

    def percentile_ms(self, names: tuple[str, ...], share: float) -> float:
        """Of the histograms of these names together, since the start."""
        whole = Histogram()
        for name in names:
            if name in self.histograms:
                whole.merge(self.histograms[name].data())
        return whole.percentile(share) / 1000

    @property
    def loss(self) -> float:
        """After repair, of what should have arrived; 0 to 1."""
        return _share(self.total("lost"), self.total("delivered"))

    @property
    def generator_cpu(self) -> float:
        """Cores that the generators use now."""
        return sum(part.used("cpu_s") for part in self.parts.values())

    @property
    def generator_cpu_max(self) -> float:
        """Of its core, by the busiest media thread now."""
        return max((part.used("loop_cpu_s") for part in self.parts.values()), default=0.0)

    def server_cpu(self, prefix: str = "") -> list[float]:
        """Cores that each process of the server uses now, those whose name begins so."""
        before, now = self.server_before, self.server
        if before is None or now is None or now.at_us <= before.at_us:
            return []
        used = {(one.name, one.pid): one.cpu_s for one in before.processes}
        span_s = (now.at_us - before.at_us) / _US
        return [
            (one.cpu_s - used[one.name, one.pid]) / span_s
            for one in now.processes
            if one.name.startswith(prefix) and (one.name, one.pid) in used
        ]

    @property
    def server_rss_mb(self) -> float:
        """Of all its processes."""
        return sum(one.rss_bytes for one in self.server.processes) / 2**20 if self.server else 0.0

    def faults(self) -> dict[str, int]:
        """What must not be, and how often it was."""
        found = Counter({name: self.total(name) for name in FAULTS})
        return {name: count for name, count in found.items() if count}

    def standings(self) -> list[Standing]:
        """The objectives that can be told while a run goes on."""
        wanted = self.plan.scenario.objectives
        video = ("latency_audio", "latency_video")
        tried, failed = self.total("joins_tried"), self.total("join_failures") + self.total("transports_failed")
        latency = self.percentile_ms(video, 0.99)
        values: list[tuple[str, float | None, float, Literal["<=", ">="], str]] = [
            ("connection_success", wanted.connection_success, 1.0 - (failed / tried if tried else 0.0), ">=", "share"),
            ("signaling_p99_ms", wanted.signaling_p99_ms, self.percentile_ms(("signaling",), 0.99), "<=", "ms"),
            ("packet_loss", wanted.packet_loss, self.loss, "<=", "share"),
            ("media_latency_p99_ms", wanted.media_latency_p99_ms, latency, "<=", "ms"),
            ("first_frame_p95_ms", wanted.first_frame_p95_ms, self.percentile_ms(("first_frame",), 0.95), "<=", "ms"),
            ("corrupt", wanted.corrupt, self.total("corrupt"), "<=", "count"),
            ("misdelivered", wanted.misdelivered, self.total("misdelivered"), "<=", "count"),
            ("duplicate", wanted.duplicate, self.total("duplicate"), "<=", "count"),
            ("chat_lost", wanted.chat_lost, self.total("chat_lost"), "<=", "count"),
        ]
        return [
            Standing(name, value, limit, comparison, unit)
            for name, limit, value, comparison, unit in values
            if limit is not None
        ]


def _share(part: int, rest: int) -> float:
    return part / (part + rest) if part else 0.0
