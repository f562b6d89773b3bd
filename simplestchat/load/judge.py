"""From what a run left behind to its report: measure, judge, name. Pure: nothing is read or asked here."""

from __future__ import annotations

import math
from typing import Any, Final

from simplestchat.load import objectives
from simplestchat.load.curves import curves
from simplestchat.load.evidence import Evidence
from simplestchat.load.histogram import bounds_of
from simplestchat.load.record import GeneratorRecord, RunRecord
from simplestchat.load.report import HistogramReport, Objective, Report, Verdict
from simplestchat.load.streams import faults, named_errors, rooms, worst, wrongly_delivered
from simplestchat.load.summary import measure
from simplestchat.load.timeline import US, climb

#: Distributions by name, in the order in which they are told.
DISTRIBUTIONS: Final = {
    "latency_audio": "Audio latency, one way",
    "latency_video": "Video latency, one way",
    "frame_latency": "Whole frames, one way",
    "jitter": "Jitter between neighbours",
    "signaling": "Request to answer",
    "join": "Socket opened to being in the room",
    "chat": "Chat, sent to seen",
    "reconnect": "Coming back",
    "ice": "ICE",
    "dtls": "DTLS",
    "ready": "Begin to all transports connected",
    "first_packet": "Wanted to first packet",
    "first_frame": "Wanted to first whole keyframe",
    "rtt": "Round trip of ICE checks",
    "lag": "Media sent late",
    "wake": "Arrival to being read",
    "loop_lag": "Event loop late",
}
SERVER_DISTRIBUTIONS: Final = {
    "forward_latency_seconds": ("forward", "Media through the server"),
    "request_seconds": ("server_request", "Requests, inside the server"),
    "loop_lag_seconds": ("server_loop_lag", "Node's event loop late"),
}


def assess(record: RunRecord) -> Report:
    """Return the report of a run, whole or cut short. Reasons to void win over failures."""
    evidence = Evidence(record)
    measured = measure(evidence)
    found = objectives.judge(record.scenario, measured, server_local=record.server_local)
    verdict, reasons = _verdict(evidence, found)
    return Report(
        verdict=verdict,
        reasons=reasons,
        objectives=found,
        summary=measured.summary,
        name=record.scenario.name,
        title=record.scenario.title or record.scenario.name,
        command=record.command,
        started=record.started,
        duration_s=(record.end_us - record.start_us) / US,
        seed=record.seed,
        version=record.version,
        commit=record.commit,
        machine={**record.machine, **({"pinning": record.pinning} if record.pinning else {})},
        versions=record.versions,
        scenario=record.scenario,
        seconds=evidence.timeline.seconds,
        resolution_s=evidence.timeline.width_us / US,
        phases=[(name, evidence.timeline.since(at_us)) for name, at_us in record.phases],
        series=curves(evidence),
        histograms=tuple(_distributions(evidence)),
        faults=faults(evidence),
        worst_streams=worst(evidence),
        rooms=rooms(evidence),
        agents=[_agent(generator) for generator in record.generators],
        browsers=record.browsers,
    )


def _verdict(evidence: Evidence, found: tuple[Objective, ...]) -> tuple[Verdict, tuple[str, ...]]:
    record = evidence.record
    if record.void:
        return "void", tuple(record.void)
    reasons = list(record.failures)
    if not record.failures:
        reasons += [f"Generator {one.part} never finished." for one in record.generators if one.finished is None]
    if not record.generators:
        reasons.append("No generator ever ran.")
    reasons += [objectives.explain(one) for one in found if not one.ok]
    missed = {one.name for one in found if not one.ok}
    if {"misdelivered", "corrupt"} & missed:
        reasons += wrongly_delivered(evidence)
    if "errors" in missed:
        reasons += named_errors(evidence)
    return ("fail" if reasons else "pass"), tuple(reasons)


def _distributions(evidence: Evidence) -> list[HistogramReport]:
    reports = []
    for name, title in DISTRIBUTIONS.items():
        merged = evidence.histogram(name)
        if merged.count:
            buckets = [(bounds_of(bucket)[1] / 1000, count) for bucket, count in sorted(merged.buckets.items())]
            reports.append(HistogramReport(name=name, title=title, buckets=buckets))
    for scraped, (name, title) in SERVER_DISTRIBUTIONS.items():
        buckets = _scraped(evidence, scraped)
        if buckets:
            reports.append(HistogramReport(name=name, title=title, buckets=buckets))
    return reports


def _scraped(evidence: Evidence, name: str) -> list[tuple[float, int]]:
    """What the run added to a histogram of the server's metrics: (upper bound in ms, count) of each bucket."""
    found = [(one.at_us, dict(one.histograms[name])) for one in evidence.record.server if name in one.histograms]
    if len(found) < 2:
        return []
    bounds = sorted(found[-1][1])
    buckets: list[tuple[float, int]] = []
    below = 0.0
    for place, bound in enumerate(bounds):
        line = climb([(at_us, counts.get(bound, 0.0)) for at_us, counts in found])
        grown = line[-1][1] - line[0][1]
        # What lies over the last bound is told as twice that: a number is wanted, and it must stand out.
        shown = bound if math.isfinite(bound) else 2 * bounds[place - 1] if place else 0.0
        if round(grown - below) > 0:
            buckets.append((shown * 1000, round(grown - below)))
        below = max(below, grown)
    return buckets


def _agent(generator: GeneratorRecord) -> dict[str, Any]:
    told: dict[str, Any] = {
        "generator": generator.part,
        "users": generator.users,
        "cores": ", ".join(map(str, generator.cores)) or "not pinned",
    }
    if generator.agent:
        told |= {"machine": generator.agent, "cpu": generator.machine.get("cpu", "")}
    if clock := generator.clock:
        told |= {
            "clock_offset_ms": round(clock.offset_us / 1000, 3),
            "clock_offset_at_end_ms": round(clock.end_offset_us / 1000, 3),
            "known_to_ms": round(clock.error_us / 1000, 3),
            "drift_ppm": round(clock.drift_ppm, 2),
            "comparisons": clock.comparisons,
        }
    return told
