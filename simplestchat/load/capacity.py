"""How much a server carries: one dimension is raised, doubling first and then by bisection, until an objective breaks.

Each step is a run of its own, with its own server. A run that is void counts as one that breaks: what the generator
cannot prove is not claimed. The answer names the resource that was full where it broke.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import msgspec

from simplestchat.load.record import RunRecord, ServerSample
from simplestchat.load.report import CapacityReport, CapacityStep, Report
from simplestchat.load.scenario import Capacity, Scenario
from simplestchat.load.voiding import strain_of

FULL_CPU: Final = 0.9  # of a core, over the whole hold: it was at 100 % for most of it
LITTLE_MEMORY_MB: Final = 200
_US: Final = 1_000_000
Bottleneck: TypeAlias = Literal["cpu", "bandwidth", "memory", "generator", "signaling", "none"]
_SIGNALING: Final = ("signaling_p99_ms", "connection_success", "reconnect_p95_ms")
_MEMORY: Final = ("server_mb_per_participant", "server_rss_growth_mb")


@dataclass(frozen=True, slots=True)
class Resources:
    """What a run's server and generators used, mean over the hold."""

    worker_cpu: float
    """Of its core, by the busiest worker."""
    node_cpu: float
    server_cores: float
    """All of the server's processes."""
    cores: int
    """That the server had; 0: unknown."""
    dropped: int
    """Datagrams that the server's kernel did not take, or dropped for a full socket."""
    memory_free_mb: float
    lag_p99_ms: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """One step's run."""

    report: Report
    resources: Resources

    @property
    def good(self) -> bool:
        """Every objective was met, and the generator kept up."""
        return self.report.verdict == "pass"

    @property
    def broke(self) -> tuple[str, ...]:
        """The objectives missed."""
        return tuple(one.name for one in self.report.objectives if not one.ok)


@dataclass(frozen=True, slots=True)
class Found:
    """The end of a search."""

    capacity: CapacityReport
    best: Outcome
    """Of the highest good value; when there was none, of the lowest bad one."""


Probe: TypeAlias = Callable[[int], Awaitable[Outcome]]


def at(scenario: Scenario, value: int) -> Scenario:
    """The scenario of one step: its dimension at this value, everything else as it was."""
    capacity, shape = scenario.capacity, scenario.shape
    assert capacity is not None
    room_size = shape.room_size or shape.clients
    rooms = -(-shape.clients // room_size)
    publish = scenario.publish
    replace = msgspec.structs.replace
    match capacity.dimension:
        case "room_size":
            shape = replace(shape, clients=rooms * value, room_size=value if rooms > 1 else 0)
        case "rooms":
            shape = replace(shape, clients=value * room_size, room_size=room_size)
        case "bitrate_bps":
            publish = replace(publish, bitrate_bps=value)
        case "clients":
            shape = replace(shape, clients=value)
    return replace(scenario, shape=shape, publish=publish)


async def search(capacity: Capacity, probe: Probe) -> Found:
    """Raise the dimension from its low end until a step breaks, then halve the gap until it is small enough."""
    outcomes: dict[int, Outcome] = {}
    good, bad = 0, None
    value: int | None = capacity.low
    while value is not None:
        outcomes[value] = await probe(value)
        if outcomes[value].good:
            good = value
        else:
            bad = value
        value = _next(capacity, good, bad)
    bottleneck, why = name_bottleneck(capacity.dimension, good, bad, outcomes[bad] if bad is not None else None)
    report = CapacityReport(
        dimension=capacity.dimension,
        highest_good=good,
        lowest_bad=bad,
        bottleneck=bottleneck,
        why=why,
        steps=tuple(_step(value, outcome) for value, outcome in outcomes.items()),
    )
    return Found(report, outcomes[good if good else bad or capacity.low])


def _next(capacity: Capacity, good: int, bad: int | None) -> int | None:
    """The value to try next; None: the answer is known well enough."""
    if bad is None:
        return min(good * 2, capacity.high) if good < capacity.high else None
    if good == 0 or bad - good <= max(1, int(capacity.tolerance * bad)):
        return None
    return (good + bad) // 2


def _step(value: int, outcome: Outcome) -> CapacityStep:
    return CapacityStep(
        value=value,
        verdict=outcome.report.verdict,
        broke=outcome.broke,
        server_cpu_cores=outcome.resources.server_cores,
        worker_cpu_max=outcome.resources.worker_cpu,
        packet_loss=outcome.report.summary.packet_loss,
        generator_lag_p99_ms=outcome.resources.lag_p99_ms,
    )


def name_bottleneck(dimension: str, good: int, bad: int | None, outcome: Outcome | None) -> tuple[Bottleneck, str]:
    """Which resource ended the search, and why that is said."""
    if bad is None or outcome is None:
        return "none", f"Nothing broke up to {dimension} {good}, where the search ends."
    used, broke = outcome.resources, ", ".join(outcome.broke) or "the run"
    where = f"At {bad}, "
    if outcome.report.verdict == "void":
        return "generator", where + f"the generator was the limit: {'; '.join(outcome.report.reasons)}."
    if used.worker_cpu >= FULL_CPU:
        return "cpu", where + f"{broke} broke with a worker's core {used.worker_cpu:.0%} full."
    if used.cores and used.server_cores >= FULL_CPU * used.cores:
        words = f"{broke} broke with the server's {used.cores} core(s) {used.server_cores / used.cores:.0%} full"
        return "cpu", where + f"{words} (worker {used.worker_cpu:.0%}, node {used.node_cpu:.0%})."
    if used.node_cpu >= FULL_CPU or set(outcome.broke) <= set(_SIGNALING):
        return "signaling", where + f"{broke} broke with the node's core {used.node_cpu:.0%} full."
    if used.memory_free_mb < LITTLE_MEMORY_MB or set(outcome.broke) & set(_MEMORY):
        return "memory", where + f"{broke} broke with {used.memory_free_mb:.0f} MB of memory left."
    if used.dropped or "kbytes_per_s_per_participant" in outcome.broke:
        return "bandwidth", where + f"{broke} broke; the server's kernel dropped {used.dropped} datagrams."
    words = f"{broke} broke, and nothing was full: worker {used.worker_cpu:.0%}, node {used.node_cpu:.0%} of a core"
    return "none", where + words + "."


def resources(record: RunRecord, cores: int) -> Resources:
    """What a run used; ``cores`` is how many its server had, 0 when nobody knows."""
    began = dict(record.phases)
    hold, settle = began.get("hold", record.start_us), began.get("settle", record.end_us)
    samples = [one for one in record.server if hold <= one.at_us <= settle and one.processes]
    used = _cores_used(samples)
    lags = [strain_of(one).spans["lag"].whole for one in record.generators]
    workers = [cpu for name, cpu in used.items() if name.startswith("worker")]
    return Resources(
        worker_cpu=max(workers, default=0.0),
        node_cpu=used.get("node", 0.0),
        server_cores=sum(used.values()),
        cores=cores,
        dropped=sum(_dropped(samples[-1], worker) for worker in samples[-1].workers) if samples else 0,
        memory_free_mb=float(record.machine.get("memory_free_mb", LITTLE_MEMORY_MB)),
        lag_p99_ms=max((lag.percentile(0.99) / 1000 for lag in lags), default=0.0),
    )


def _cores_used(samples: list[ServerSample]) -> dict[str, float]:
    if len(samples) < 2:
        return {}
    first, last = samples[0], samples[-1]
    began = {(one.name, one.pid): one.cpu_s for one in first.processes}
    span_s = (last.at_us - first.at_us) / _US
    return {
        one.name: (one.cpu_s - began[one.name, one.pid]) / span_s
        for one in last.processes
        if (one.name, one.pid) in began
    }


def _dropped(sample: ServerSample, worker: str) -> int:
    values = sample.workers[worker]
    return int(values.get("packets_dropped.send", 0) + values.get("packets_dropped.receive", 0))
