"""The shape of ``report.json``. ``docs/load-report.md`` is its reference, written from these structs.

Spans are milliseconds where a name ends in ``_ms``; series have one value for each of ``seconds``, on the run's clock.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import msgspec

from simplestchat.load.scenario import Scenario

SCHEMA_VERSION = 2
Verdict: TypeAlias = Literal["pass", "fail", "void"]


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all parts of a report."""


class Objective(Part, frozen=True, kw_only=True):
    """One limit and what was measured against it."""

    name: str
    title: str
    """The name in words."""
    value: float | None
    """None: there was nothing to measure, which is not ok."""
    limit: float
    comparison: Literal["<=", ">="]
    unit: str
    ok: bool


class Spread(Part, frozen=True, kw_only=True):
    """Percentiles of one histogram over the whole run; all None when ``count`` is 0."""

    p50: float | None
    p95: float | None
    p99: float | None
    max: float | None
    mean: float | None
    count: int


NOTHING = Spread(p50=None, p95=None, p99=None, max=None, mean=None, count=0)


class Summary(Part, frozen=True, kw_only=True):
    """The figures that people compare; None: not measured."""

    clients: int
    connection_success: float | None
    """Of all that tried to join: in the room and every transport connected. 0 to 1."""
    packet_loss: float | None
    """After repair, of all that should have arrived. 0 to 1."""
    packet_loss_raw: float | None
    """Before repair."""
    packet_loss_uplink: float | None
    """After repair, lost between publisher and server."""
    delivered: int | None
    repaired: int | None
    duplicate: int | None
    reordered: int | None
    corrupt: int | None
    misdelivered: int | None
    errors: int | None
    chat_lost: int | None
    chat_disorder: int | None
    signaling_ms: Spread
    media_latency_ms: Spread
    audio_latency_ms: Spread
    first_frame_ms: Spread
    """Of video: from when a viewer knew of the track and wanted it to its first whole keyframe."""
    first_packet_ms: Spread
    """Likewise to the first packet, of audio too."""
    connect_ms: Spread
    ice_ms: Spread
    dtls_ms: Spread
    reconnect_ms: Spread
    jitter_ms: Spread
    mos: Spread
    """Of all audio streams, 1 to 4.5 (E-model, G.107), each from its own mean latency, jitter and loss."""
    freeze_share: float | None
    """Of all the time that anybody looked at a video."""
    kbytes_per_s_per_participant: float | None
    """Received, median."""
    server_mb_per_participant: float | None
    """Growth of the server's resident memory over the ramp, by clients."""
    server_cpu_cores: float | None
    """Mean over the hold, all of the server's processes."""
    server_cpu_us_per_packet: float | None
    """Of the workers, by packet forwarded, mean over the hold."""
    generator_cpu_cores: float | None
    generator_kb_per_user: float | None
    packets_per_s: float | None
    """Received by all users, mean over the hold."""
    audio_loss: float | None = None
    """Of audio alone, after repair."""
    audio_withheld: float | None = None
    """Of audio, left out by the server: voices that are not among the loudest in a large room."""
    link_queue_ms: Spread = NOTHING
    """How long packets to watched users waited at an emulated bottleneck."""
    layer_back_s: float | None = None
    """From a link's becoming as wide as it ever is to the best layer that watched users ever had, the slowest time."""
    layer_when_wide: float | None = None
    """Encoding or spatial layer, from 1, of watched users from 10 s after their link became its widest; the mean."""
    switches_per_minute: float | None = None
    """Of encoding or spatial layer, in a video of a watched user, on the average."""
    server_objects_left: float | None = None
    """Transports, producers, consumers and the like that the media workers still held when the last user had left."""


class Series(Part, frozen=True, kw_only=True):
    """One curve; ``values[i]`` belongs to ``Report.seconds[i]``, None where there is no value."""

    name: str
    title: str
    unit: str
    group: str
    """Curves of one group are drawn in one plot."""
    values: list[float | None]


class HistogramReport(Part, frozen=True, kw_only=True):
    """A whole distribution: pairs of (upper bound in ms, count)."""

    name: str
    title: str
    buckets: list[tuple[float, int]]


class RoomReport(Part, frozen=True, kw_only=True):
    """What the users of one room got."""

    room: int
    users: int
    received_kbytes_per_s: float
    sent_kbytes_per_s: float
    packet_loss: float
    server_in_kbytes_per_s: float | None = None
    """From the whole room into the server, over the hold, as the server counts; None: it was not looked at."""
    server_out_kbytes_per_s: float | None = None
    server_in_per_participant: float | None = None
    """Of these kB/s, what a participant sent, median."""
    server_out_per_participant: float | None = None
    """What a participant was sent, median."""


class BrowserReport(Part, frozen=True, kw_only=True):
    """A real browser in the same room, from its getStats, beside the synthetic users' figures."""

    name: str
    frames_decoded: int
    frames_per_s: float
    received_kbytes_per_s: float
    packet_loss: float
    jitter_ms: float
    freezes: int
    freeze_s: float
    first_frame_ms: float
    audio_concealed_share: float


class CapacityStep(Part, frozen=True, kw_only=True):
    """One run of a capacity search."""

    value: int
    verdict: Verdict
    broke: tuple[str, ...]
    """Names of the objectives missed."""
    server_cpu_cores: float
    worker_cpu_max: float
    packet_loss: float | None
    generator_lag_p99_ms: float


class CapacityReport(Part, frozen=True, kw_only=True):
    """The outcome of a capacity search."""

    dimension: str
    highest_good: int
    lowest_bad: int | None
    """None: nothing broke up to the search's upper bound."""
    bottleneck: Literal["cpu", "bandwidth", "memory", "generator", "signaling", "none"]
    why: str
    steps: tuple[CapacityStep, ...]


class Report(Part, frozen=True, kw_only=True):
    """One run."""

    schema: int = SCHEMA_VERSION
    verdict: Verdict
    reasons: tuple[str, ...]
    """Why it failed or is void, in words."""
    objectives: tuple[Objective, ...]
    summary: Summary
    name: str
    title: str
    command: str
    """What reproduces it."""
    started: str
    """UTC, ISO 8601."""
    duration_s: float
    seed: int
    version: str
    commit: str
    machine: dict[str, Any]
    versions: dict[str, str]
    scenario: Scenario
    seconds: list[float]
    """Since the start; the clock of all series."""
    resolution_s: float
    """How far these are apart: each value of a curve is of so long."""
    phases: list[tuple[str, float]]
    """(name, when it began)."""
    series: tuple[Series, ...]
    histograms: tuple[HistogramReport, ...]
    faults: dict[str, int]
    worst_streams: list[dict[str, Any]]
    """Examples: the figures above are of all streams."""
    rooms: tuple[RoomReport, ...]
    agents: list[dict[str, Any]]
    """Generators and their machines; of other machines how their clocks went: offset before and after, error, drift."""
    browsers: tuple[BrowserReport, ...] = ()
    capacity: CapacityReport | None = None
