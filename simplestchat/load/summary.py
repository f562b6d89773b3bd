"""The figures that people compare, from totals and merged histograms; none is made of other percentiles."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Any

from simplestchat.load import adaptation, words
from simplestchat.load.evidence import Evidence
from simplestchat.load.histogram import Histogram
from simplestchat.load.record import ServerSample
from simplestchat.load.report import NOTHING, Spread, Summary
from simplestchat.load.timeline import US, at

MEGABYTE = 1_000_000
#: Resident memory settles this long after the last user came: what a soak grows is counted from there.
SETTLED_US = 2 * US
#: Metrics of a worker that count what it holds of users, beside those that are sums of bytes.
CENSUS = (
    "transports", "producers", "consumers", "pipes", "piped_producers", "pipe_consumers", "tuples", "credentials",
    "dtls_associations", "srtp_contexts", "sources",
)  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """The summary, and what only objectives ask for."""

    summary: Summary
    rss_growth_mb: float | None
    """From after the ramp to the end."""


def measure(evidence: Evidence) -> Measured:
    """Return the figures of a run."""
    figures: dict[str, Any] = {
        "clients": evidence.clients,
        **_counts(evidence),
        **_spreads(evidence),
        **_delivery(evidence),
        "connection_success": connection_success(evidence),
        "freeze_share": evidence.quality.freeze_share,
        "audio_loss": evidence.quality.audio_loss,
        "audio_withheld": evidence.quality.audio_withheld,
        "link_queue_ms": spread_ms(evidence.histogram("link_queue")),
        "layer_back_s": adaptation.layer_back_s(evidence),
        "layer_when_wide": adaptation.layer_when_wide(evidence),
        "switches_per_minute": adaptation.switches_per_minute(evidence),
        "kbytes_per_s_per_participant": _kbytes(evidence),
        **_cost(evidence),
    }
    return Measured(Summary(**figures), _rss_growth_mb(evidence))


_COUNTS = ("delivered", "repaired", "duplicate", "reordered", "corrupt", "misdelivered", "chat_lost", "chat_disorder")


def _counts(evidence: Evidence) -> dict[str, int | None]:
    """What was counted; None where no generator told, and of chat where messages were due and none was stored."""
    totals = evidence.totals
    if not evidence.sampled:
        return dict.fromkeys((*_COUNTS, "errors"))
    disorder = totals["chat_disorder"] + totals["chat_duplicate"] + words.number(evidence.faults, "disorder")
    counted: dict[str, int | None] = {name: int(totals[name]) for name in _COUNTS}
    counted |= {"errors": errors(evidence), "chat_disorder": int(disorder)}
    if evidence.chat_missing:
        counted |= {"chat_lost": None, "chat_disorder": None}
    return counted


def spread_ms(histogram: Histogram) -> Spread:
    """Percentiles of a histogram of microseconds, in milliseconds."""
    if not histogram.count:
        return NOTHING
    p50, p95, p99 = (round(histogram.percentile(share) / 1000, 3) for share in (0.5, 0.95, 0.99))
    return Spread(
        p50=p50,
        p95=p95,
        p99=p99,
        max=histogram.maximum / 1000,
        mean=round(histogram.mean / 1000, 3),
        count=histogram.count,
    )


def errors(evidence: Evidence) -> int:
    """Requests refused that should not have been, joins and transports that failed, connections lost, silent media,

    and whatever else somebody found wrong that no other objective counts (see ``words``).
    """
    names = ("request_errors", "join_failures", "transports_failed", "connections_lost", "silent_streams")
    return sum(int(evidence.totals[name]) for name in names) + words.number(evidence.faults, "errors")


def connection_success(evidence: Evidence) -> float | None:
    """The share of tries to join that ended in the room with every transport connected.

    Each transport that never connected spoils one of them, and a user who never came to try counts as a try.
    """
    totals = evidence.totals
    tried = max(totals["joins_tried"], evidence.clients)
    if not evidence.sampled or not tried:
        return None
    broken = max(0, totals["transports"] - totals["transports_connected"])
    return min(1.0, max(0, totals["joins"] - broken) / tried)


def _spreads(evidence: Evidence) -> dict[str, Spread]:
    audio = evidence.histogram("latency_audio")
    return {
        "signaling_ms": spread_ms(evidence.histogram("signaling")),
        "media_latency_ms": spread_ms(evidence.histogram("latency_audio", "latency_video")),
        "audio_latency_ms": spread_ms(audio),
        "first_frame_ms": spread_ms(evidence.histogram("first_frame")),
        "first_packet_ms": spread_ms(evidence.histogram("first_packet")),
        "connect_ms": spread_ms(evidence.histogram("ready")),
        "ice_ms": spread_ms(evidence.histogram("ice")),
        "dtls_ms": spread_ms(evidence.histogram("dtls")),
        "reconnect_ms": spread_ms(evidence.histogram("reconnect")),
        "jitter_ms": spread_ms(evidence.histogram("jitter")),
        "mos": evidence.quality.mos,
    }


def _delivery(evidence: Evidence) -> dict[str, float | None]:
    totals = evidence.totals
    due = totals["delivered"] + totals["lost"]
    raw = max(totals["missed"], totals["lost"])
    counted = {"packet_loss": totals["lost"], "packet_loss_raw": raw, "packet_loss_uplink": totals["lost_uplink"]}
    return {name: min(1.0, count / due) if due else None for name, count in counted.items()}


def _kbytes(evidence: Evidence) -> float | None:
    rates = [user.received_bytes / user.receiving_s / 1000 for user in evidence.users if user.receiving_s > 0]
    return round(median(rates), 3) if rates else None


def _cost(evidence: Evidence) -> dict[str, float | None]:
    worker_cores = evidence.over_hold(evidence.worker_cpu())
    forwarded = evidence.over_hold(evidence.all_workers("packets_forwarded"))
    generators = evidence.record.generators
    received = evidence.over_hold([evidence.counted(one, "packets") for one in generators])
    return {
        "server_mb_per_participant": _mb_per_participant(evidence),
        "server_cpu_cores": evidence.over_hold(evidence.server_cpu()),
        "server_cpu_us_per_packet": worker_cores * US / forwarded if worker_cores is not None and forwarded else None,
        "generator_cpu_cores": evidence.over_hold([evidence.own(one, "cpu_s") for one in generators]),
        "generator_kb_per_user": _kb_per_user(evidence),
        "packets_per_s": received,
        "server_objects_left": objects_held(evidence.record.server[-1]) if evidence.record.server else None,
    }


def objects_held(sample: ServerSample) -> float | None:
    """What the census of all workers counts; None when they do not tell."""
    found = [worker[name] for worker in sample.workers.values() for name in CENSUS if name in worker]
    return sum(found) if found else None


def _mb_per_participant(evidence: Evidence) -> float | None:
    points = evidence.server_memory()
    if not points or not evidence.clients:
        return None
    settled = min(evidence.hold[0] + SETTLED_US, evidence.hold[1])
    return max(0.0, at(points, settled) - points[0][1]) / MEGABYTE / evidence.clients


def _rss_growth_mb(evidence: Evidence) -> float | None:
    points = evidence.server_memory()
    settled = min(evidence.hold[0] + SETTLED_US, evidence.hold[1])
    if not points or points[-1][0] <= settled:
        return None
    return (points[-1][1] - at(points, settled)) / MEGABYTE


def _kb_per_user(evidence: Evidence) -> float | None:
    """Growth of the generators' resident memory from their first to their largest sample, by the users they gained."""
    grown = gained = 0.0
    for one in evidence.record.generators:
        memory, users = evidence.own(one, "rss_bytes"), evidence.gauged(one, "users")
        if memory and users:
            grown += max(value for _, value in memory) - memory[0][1]
            gained += max(value for _, value in users) - users[0][1]
    return grown / 1000 / gained if gained > 0 else None
