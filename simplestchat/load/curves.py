"""Everything over time, on one clock: the curves of a report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final

from simplestchat.load import adaptation
from simplestchat.load.evidence import Evidence
from simplestchat.load.histogram import Histogram
from simplestchat.load.report import Series
from simplestchat.load.summary import MEGABYTE
from simplestchat.load.timeline import US, Points, Timeline, Values, ratio, total

#: More processes than these are told together.
MAX_SINGLE: Final = 8
MEGABIT: Final = 125_000
#: A packet counts as lost so long after it was due: LEDGER_SETTLE_US of the native side.
GIVEN_UP_US: Final = 2 * US
#: Of the busiest second.
LEAST_DUE: Final = 0.05
DIGITS: Final = 5


def curves(evidence: Evidence) -> tuple[Series, ...]:
    """Every curve that has a value anywhere."""
    parts = (_people, _server, _traffic, _rooms, _losses, _latencies, _adaptation, _generators)
    return tuple(one for part in parts for one in part(evidence) if any(value is not None for value in one.values))


def _curve(group: str, unit: str, name: str, title: str, values: Iterable[float | None]) -> Series:
    rounded = [None if value is None or not math.isfinite(value) else _short(value) for value in values]
    return Series(name=name, title=title, unit=unit, group=group, values=rounded)


def _short(value: float) -> float:
    """As many digits as a plot shows; a report of an hour stays small."""
    return float(f"{value:.{DIGITS}g}")


def _scaled(values: Values, by: float) -> Values:
    return [None if value is None else value / by for value in values]


def _rates(timeline: Timeline, sources: Iterable[Points]) -> Values:
    return total(parts) if (parts := [timeline.rate(points) for points in sources]) else [None] * timeline.count


def _levels(timeline: Timeline, sources: Iterable[Points]) -> Values:
    return total(parts) if (parts := [timeline.level(points) for points in sources]) else [None] * timeline.count


def _counted(evidence: Evidence, name: str) -> Values:
    return _rates(evidence.timeline, [evidence.counted(one, name) for one in evidence.record.generators])


def _gauged(evidence: Evidence, name: str) -> Values:
    return _levels(evidence.timeline, [evidence.gauged(one, name) for one in evidence.record.generators])


def _people(evidence: Evidence) -> Iterator[Series]:
    yield _curve("Users", "", "users", "in rooms", _gauged(evidence, "users"))
    for name, title in (
        ("connected", "transports connected"),
        ("publishing", "tracks published"),
        ("receiving", "tracks received"),
    ):
        yield _curve("Media of users", "", name, title, _gauged(evidence, name))
    for name, title in (
        ("pages_turned", "pages turned"),
        ("audio_only", "switched to audio only"),
        ("ice_restarts", "ICE restarts"),
    ):
        if evidence.totals[name]:
            yield _curve("What users did", "1/s", name, title, _counted(evidence, name))
    line = evidence.timeline
    for name in ("transports", "producers", "consumers"):
        sources = evidence.all_workers(name)
        yield _curve("Server objects", "", f"server_{name}", name, _levels(line, sources))


def _server(evidence: Evidence) -> Iterator[Series]:
    line = evidence.timeline
    yield _curve("Server CPU", "cores", "server_cpu", "all", _rates(line, evidence.server_cpu()))
    names = evidence.processes
    if names and len(names) <= MAX_SINGLE:
        for name in names:
            values = line.rate(evidence.process(name, "cpu_s"))
            yield _curve("Server CPU", "cores", f"cpu_{name.replace(' ', '_')}", name, values)
    elif not names and len(evidence.workers) <= MAX_SINGLE:
        for worker in evidence.workers:
            values = line.rate(evidence.worker(worker, "cpu_seconds"))
            yield _curve("Server CPU", "cores", f"cpu_worker_{worker}", f"worker {worker}", values)
    memory = _scaled(line.level(evidence.server_memory()), MEGABYTE)
    yield _curve("Server memory", "MB", "server_rss", "resident", memory)
    for name, title in (("heap_used_bytes", "workers' heap in use"), ("heap_held_bytes", "workers' heap held")):
        values = _scaled(_levels(line, evidence.all_workers(name)), MEGABYTE)
        yield _curve("Server memory", "MB", name.removesuffix("_bytes"), title, values)
    for name, title in (("websockets", "WebSockets"), ("peers", "people in rooms")):
        yield _curve("Node", "", f"server_{name}", title, line.level(evidence.metric(name)))


def _traffic(evidence: Evidence) -> Iterator[Series]:
    line = evidence.timeline
    for name, title in (("bytes_received", "into the server"), ("bytes_sent", "out of the server")):
        values = _scaled(_rates(line, evidence.all_workers(name)), MEGABIT)
        yield _curve("Traffic", "Mbit/s", f"server_{name}", title, values)
    for name, title in (("bytes_out", "out of users"), ("bytes_in", "into users")):
        values = _scaled(_counted(evidence, name), MEGABIT)
        yield _curve("Traffic", "Mbit/s", f"users_{name}", title, values)
    for name, title in (
        ("packets_received", "datagrams into the server"),
        ("packets_forwarded", "media forwarded"),
        ("packets_sent", "datagrams out of the server"),
    ):
        yield _curve("Packets", "packets/s", f"server_{name}", title, _rates(line, evidence.all_workers(name)))
    yield _curve("Packets", "packets/s", "received", "received by users", _counted(evidence, "packets"))
    for name, title in (("chat_sent", "sent"), ("chat_received", "received")):
        if evidence.totals[name]:
            yield _curve("Chat", "messages/s", name, title, _counted(evidence, name))


def _rooms(evidence: Evidence) -> Iterator[Series]:
    """Of the rooms that the server was asked about."""
    for one in evidence.record.rooms:
        for way, title in (("in", "into the server"), ("out", "out of the server")):
            points = [(look.us, float(look.bytes_in if way == "in" else look.bytes_out)) for look in one.looks]
            values = _scaled(evidence.timeline.rate(points), MEGABIT)
            yield _curve("Rooms", "Mbit/s", f"room_{one.room}_{way}", f"room {one.room}, {title}", values)


def _when_due(evidence: Evidence, values: Values) -> Values:
    """What was given up as lost, at the second in which it had been due."""
    later = min(round(GIVEN_UP_US / evidence.timeline.width_us), len(values))  # a run may have ended before
    return values[later:] + [None] * later


def _enough(values: Values) -> Values:
    """Only seconds in which enough was due for a share to mean something: not the last packets of a run."""
    most = max((value for value in values if value is not None), default=0.0)
    return [value if value is not None and value >= LEAST_DUE * most else None for value in values]


def _losses(evidence: Evidence) -> Iterator[Series]:
    lost = _when_due(evidence, _counted(evidence, "lost"))
    due = _enough(total([_counted(evidence, "delivered"), lost]))
    uplink = _when_due(evidence, _counted(evidence, "lost_uplink"))
    missed = _counted(evidence, "missed")
    for name, title, values in (
        ("missed", "before repair", missed),
        ("lost", "after repair", lost),
        ("lost_uplink", "of it to the server", uplink),
    ):
        yield _curve("Loss", "share", f"loss_{name}", title, ratio(values, due))
    for name, title in (("repaired", "repaired"), ("duplicate", "came twice"), ("reordered", "came late")):
        if evidence.totals[name]:
            yield _curve("Repair", "packets/s", name, title, _counted(evidence, name))
    line = evidence.timeline
    drops = _rates(line, evidence.all_workers("packets_dropped.receive"))
    yield _curve("Socket drops", "packets/s", "server_drops", "server", drops)
    own = [evidence.own(one, "receive_drops") for one in evidence.record.generators]
    yield _curve("Socket drops", "packets/s", "generator_drops", "generators", _rates(line, own))


def _latencies(evidence: Evidence) -> Iterator[Series]:
    for group, name, title, shares in (
        ("Media latency", "latency_audio", "audio", (0.5, 0.99)),
        ("Media latency", "latency_video", "video", (0.5, 0.99)),
        ("Signaling", "signaling", "request to answer", (0.5, 0.99)),
        ("Signaling", "chat", "chat, sent to seen", (0.99,)),
    ):
        bins = evidence.timeline.spreads(evidence.histogram_samples(name))
        for share in shares:
            word = "median" if share == 0.5 else f"p{share * 100:g}"
            yield _curve(group, "ms", f"{name}_p{share * 100:g}", f"{title}, {word}", _percentile(bins, share))
    for group, name, title in (
        ("Inside the server", "forward_latency_seconds", "media forwarded"),
        ("Inside the server", "request_seconds", "request answered"),
        ("Inside the server", "loop_lag_seconds", "node's loop late"),
    ):
        values = _scraped_percentile(evidence, name, 0.99)
        yield _curve(group, "ms", f"server_{name.removesuffix('_seconds')}_p99", f"{title}, p99", values)


def _percentile(bins: list[Histogram], share: float) -> Values:
    return [one.percentile(share) / 1000 if one.count else None for one in bins]


def _scraped_percentile(evidence: Evidence, name: str, share: float) -> Values:
    """A percentile in ms of what each second added to a histogram of the server's metrics."""
    line = evidence.timeline
    found = [(one.at_us, dict(one.histograms[name])) for one in evidence.record.server if name in one.histograms]
    if not found:
        return [None] * line.count
    bounds = sorted(found[-1][1])
    columns: list[Values] = []
    for bound in bounds:
        columns.append(line.rate([(at_us, counts.get(bound, 0.0)) for at_us, counts in found]))
    return [quantile(bounds, [column[index] for column in columns], share) for index in range(line.count)]


def quantile(bounds: list[float], counts: list[float | None], share: float) -> float | None:
    """A share's value in ms out of cumulative counts under bounds in seconds, straight between bounds, as Prometheus
    does; None when nothing was counted. What lies over the last finite bound is told as that bound.
    """
    known = [count or 0.0 for count in counts]
    if not known or known[-1] <= 0 or counts[-1] is None:
        return None
    wanted = share * known[-1]
    low, below = 0.0, 0.0
    for bound, count in zip(bounds, known, strict=True):
        if count >= wanted:
            if not math.isfinite(bound):
                return low * 1000
            inside = (wanted - below) / (count - below) if count > below else 1.0
            return (low + (bound - low) * inside) * 1000
        low, below = bound, count
    return low * 1000


def _adaptation(evidence: Evidence) -> Iterator[Series]:
    for one in adaptation.curves(evidence):
        yield _curve(*one)


def _generators(evidence: Evidence) -> Iterator[Series]:
    line = evidence.timeline
    for name, title in (("lag", "media sent late"), ("wake", "arrival to read"), ("loop_lag", "event loop late")):
        bins = line.spreads(evidence.histogram_samples(name))
        yield _curve("Generator lag", "ms", f"generator_{name}_p99", f"{title}, p99", _percentile(bins, 0.99))
    generators = evidence.record.generators
    cpu = [line.rate(evidence.own(one, "cpu_s")) for one in generators]
    media = [line.rate(evidence.own(one, "loop_cpu_s")) for one in generators]
    if cpu:
        yield _curve("Generator CPU", "cores", "generator_cpu", "all", total(cpu))
        yield _curve("Generator CPU", "cores", "generator_busiest", "busiest media thread", _largest(media))
    memory = _levels(line, [evidence.own(one, "rss_bytes") for one in generators])
    yield _curve("Generator memory", "MB", "generator_rss", "resident", _scaled(memory, MEGABYTE))


def _largest(parts: list[Values]) -> Values:
    columns = zip(*parts, strict=True)
    return [max(known) if (known := [one for one in column if one is not None]) else None for column in columns]
