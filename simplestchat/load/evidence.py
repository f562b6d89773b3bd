"""A record as the judge asks it: totals of all generators, merged histograms, the server's counters over the hold."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cached_property

from simplestchat.load.histogram import Histogram, HistogramData
from simplestchat.load.messages import StreamResult, UserResult
from simplestchat.load.plan import Plan
from simplestchat.load.quality import Quality
from simplestchat.load.record import GeneratorRecord, RunRecord, ServerSample
from simplestchat.load.timeline import US, Points, Timeline, growth

REFUSALS = 2  # what each stranger tries: joining, and media all the same
TRACKS = {0: "microphone", 1: "camera", 2: "screen"}


class Evidence:
    """What a record says, without any judgement."""

    def __init__(self, record: RunRecord) -> None:
        self.record = record
        self.timeline = Timeline(record.start_us, record.end_us)

    # The generators

    @cached_property
    def totals(self) -> Counter[str]:
        """What all generators counted until their last sample."""
        found: Counter[str] = Counter()
        for generator in self.record.generators:
            if generator.samples:
                found.update(generator.samples[-1].totals)
        return found

    @cached_property
    def plan(self) -> Plan:
        """What the users were to do."""
        return Plan(self.record.scenario, self.record.seed)

    @cached_property
    def chat_missing(self) -> bool:
        """Whether messages were due, and none was ever stored."""
        if not self.record.scenario.behaviour.chat_per_minute or self.totals["chat_acked"]:
            return False
        return any(self.plan.user(index).chats for index in range(self.plan.clients))

    @cached_property
    def faults(self) -> Counter[str]:
        """What all generators found wrong, by word, and what only shows when they are put together."""
        found: Counter[str] = Counter()
        for generator in self.record.generators:
            if generator.finished:
                found.update(generator.finished.faults)
        if rooms := self.twice_numbered:
            found["chat-twice-numbered"] += len(rooms)
        found["not-reconnected"] += self._not_reconnected()
        found["stranger-not-tried"] += self._strangers_missing(found)
        return +found

    def _not_reconnected(self) -> int:
        """Users who were to be cut off and to come back, did not, and have no other fault that says so."""
        planned = [user for user in self.users if not user.reconnects and not user.faults]
        if not self.record.scenario.behaviour.reconnect_at_s or not planned:
            return 0
        return sum(self.plan.user(user.user).reconnect_at_s is not None for user in planned)

    def _strangers_missing(self, found: Counter[str]) -> int:
        """Strangers of whom nothing shows that they tried to get in: neither refusals nor another fault of theirs."""
        told = sum(count for word, count in found.items() if word.startswith("stranger-"))
        told += found["stranger-not-connected"]  # spared both tries
        wanted = REFUSALS * self.record.scenario.behaviour.refused
        return (
            -((told + self.totals["refusals"] - wanted) // REFUSALS) if told + self.totals["refusals"] < wanted else 0
        )

    @cached_property
    def twice_numbered(self) -> list[str]:
        """Rooms in which different messages were acknowledged under one number, as the generators tell together.

        A generator that has a number twice saw the room's numbering begin anew; such a room proves nothing here.
        """
        rooms: defaultdict[str, dict[int, str]] = defaultdict(dict)
        wrong: set[str] = set()
        anew: set[str] = set()
        for generator in self.record.generators:
            for room, messages in generator.finished.acked.items() if generator.finished else ():
                if len({number for number, _ in messages}) < len(messages):
                    anew.add(room)
                for number, message in messages:
                    if rooms[room].setdefault(number, message) != message:
                        wrong.add(room)
        return sorted(wrong - anew)

    @property
    def sampled(self) -> bool:
        """Whether any generator told anything."""
        return any(generator.samples for generator in self.record.generators)

    @cached_property
    def clients(self) -> int:
        """Users of all generators; those of the scenario when no generator came so far as to tell."""
        return sum(generator.users for generator in self.record.generators) or self.record.scenario.shape.clients

    @cached_property
    def users(self) -> tuple[UserResult, ...]:
        """Every user's call."""
        return tuple(user for one in self.record.generators if one.finished for user in one.finished.users)

    @cached_property
    def streams(self) -> tuple[StreamResult, ...]:
        """The worst subscriptions: examples, of which generators send no more than their cap."""
        return tuple(stream for one in self.record.generators if one.finished for stream in one.finished.streams)

    @cached_property
    def quality(self) -> Quality:
        """What all subscriptions come to."""
        merged = Quality()
        for generator in self.record.generators:
            if generator.finished:
                merged.merge(generator.finished.quality)
        return merged

    def histogram(self, *names: str) -> Histogram:
        """Everything that was counted under these names, merged."""
        merged = Histogram()
        for name in names:
            for _, data in self.histogram_samples(name):
                merged.merge(data)
        return merged

    def histogram_samples(self, name: str) -> Iterator[tuple[int, HistogramData]]:
        """(when, histogram of the second before) of every generator."""
        for generator in self.record.generators:
            for sample in generator.samples:
                if name in sample.histograms:
                    yield sample.at_us, sample.histograms[name]

    def counted(self, generator: GeneratorRecord, name: str) -> Points:
        """A total of one generator over time, from zero at the start; empty when it has none of this name."""
        if not generator.samples or name not in generator.samples[-1].totals:
            return []
        start = [(self.record.start_us, 0.0)] if generator.samples[0].at_us > self.record.start_us else []
        return start + [(sample.at_us, float(sample.totals.get(name, 0))) for sample in generator.samples]

    def gauged(self, generator: GeneratorRecord, name: str) -> Points:
        """A gauge of one generator over time."""
        return [(sample.at_us, float(sample.gauges[name])) for sample in generator.samples if name in sample.gauges]

    def own(self, generator: GeneratorRecord, name: str) -> Points:
        """What a generator tells of its own process, over time."""
        return [(sample.at_us, sample.generator[name]) for sample in generator.samples if name in sample.generator]

    # Phases

    @cached_property
    def hold(self) -> tuple[int, int]:
        """When the hold began and ended; the whole run when it did not come so far."""
        begun = dict(self.record.phases)
        low = begun.get("hold", self.record.start_us)
        high = begun.get("settle", begun.get("done", self.record.end_us))
        return (low, high) if high > low else (self.record.start_us, self.timeline.end_us)

    @property
    def hold_s(self) -> float:
        """How long the hold was."""
        return (self.hold[1] - self.hold[0]) / US

    def over_hold(self, sources: list[Points]) -> float | None:
        """Growth a second over the hold, of several counters together; None when none of them was watched then."""
        grown = [one for points in sources if (one := growth(points, *self.hold)) is not None]
        return sum(grown) / self.hold_s if grown else None

    # The server

    @cached_property
    def processes(self) -> list[str]:
        """Names of the server's processes, the node first."""
        found = dict.fromkeys(process.name for sample in self.record.server for process in sample.processes)
        return sorted(found, key=lambda name: (name != "node", len(name), name))

    def process(self, name: str, field: str) -> Points:
        """A figure of one process over time."""
        return [
            (sample.at_us, float(getattr(process, field)))
            for sample in self.record.server
            for process in sample.processes
            if process.name == name
        ]

    @cached_property
    def workers(self) -> list[str]:
        """The workers that the metrics tell of."""
        return sorted(
            {name for sample in self.record.server for name in sample.workers}, key=lambda one: (len(one), one)
        )

    def worker(self, worker: str, name: str) -> Points:
        """A metric of one worker over time."""
        return [
            (sample.at_us, sample.workers[worker][name])
            for sample in self.record.server
            if name in sample.workers.get(worker, {})
        ]

    def all_workers(self, name: str) -> list[Points]:
        """A metric of every worker that has it."""
        return [points for worker in self.workers if (points := self.worker(worker, name))]

    def metric(self, name: str) -> Points:
        """A metric of the node over time."""
        return [(sample.at_us, sample.metrics[name]) for sample in self.record.server if name in sample.metrics]

    def server_cpu(self) -> list[Points]:
        """Seconds of processor time of the server's processes; what its metrics tell where these cannot be seen."""
        seen = [self.process(name, "cpu_s") for name in self.processes]
        told = [self.metric("process_cpu_seconds"), *self.all_workers("cpu_seconds")]
        return [points for points in seen or told if points]

    def worker_cpu(self) -> list[Points]:
        """The same of the workers alone."""
        seen = [self.process(name, "cpu_s") for name in self.processes if name != "node"]
        return [points for points in seen or self.all_workers("cpu_seconds") if points]

    def server_memory(self) -> Points:
        """Resident bytes of all of the server's processes over time."""
        found: list[tuple[int, float]] = []
        for sample in self.record.server:
            if sample.processes:
                found.append((sample.at_us, float(sum(process.rss_bytes for process in sample.processes))))
            elif "process_resident_memory_bytes" in sample.metrics:
                found.append((sample.at_us, _told_memory(sample)))
        return found


def _told_memory(sample: ServerSample) -> float:
    workers = sum(values.get("resident_memory_bytes", 0.0) for values in sample.workers.values())
    return sample.metrics["process_resident_memory_bytes"] + workers
