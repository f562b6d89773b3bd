"""Limits against figures: each field of ``Objectives`` that a scenario sets becomes one verdict.

A value at its limit is good. A figure that was not measured is not: silence proves nothing. Only what a scenario cannot
measure by its nature, as packet loss where nobody publishes, is not asked of it.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final, Literal, NamedTuple, TypeAlias

from simplestchat.load.report import Objective
from simplestchat.load.scenario import Objectives, Scenario
from simplestchat.load.summary import Measured

Comparison: TypeAlias = Literal["<=", ">="]


class Rule(NamedTuple):
    """How one field of ``Objectives`` is judged."""

    title: str
    unit: str
    value: Callable[[Measured], float | None]
    comparison: Comparison = "<="
    media: bool = False
    """Asked only where something is published and subscribed."""


def as_float(value: float | None) -> float | None:
    """A figure of a summary; None stays None: it was not measured."""
    return None if value is None else float(value)


def _figure(name: str) -> Callable[[Measured], float | None]:
    def value(measured: Measured) -> float | None:
        return as_float(getattr(measured.summary, name))

    return value


def _spread(name: str, field: str) -> Callable[[Measured], float | None]:
    def value(measured: Measured) -> float | None:
        return as_float(getattr(getattr(measured.summary, name), field))

    return value


RULES: Final[dict[str, Rule]] = {
    "connection_success": Rule(
        "Users who got in, with all their media connected", "share", _figure("connection_success"), ">="
    ),
    "signaling_p99_ms": Rule("Request to answer, 99th percentile", "ms", _spread("signaling_ms", "p99")),
    "packet_loss": Rule("Packets lost, after repair", "share", _figure("packet_loss"), media=True),
    "corrupt": Rule("Corrupt packets", "count", _figure("corrupt")),
    "misdelivered": Rule("Packets that reached somebody they were not for", "count", _figure("misdelivered")),
    "duplicate": Rule("Packets that came twice", "count", _figure("duplicate")),
    "reordered": Rule("Packets that came after a later one", "count", _figure("reordered")),
    "chat_lost": Rule("Chat messages lost", "count", _figure("chat_lost")),
    "chat_disorder": Rule("Chat messages twice or out of order", "count", _figure("chat_disorder")),
    "errors": Rule("Errors: refusals, lost connections, media that never came", "count", _figure("errors")),
    "kbytes_per_s_per_participant": Rule(
        "Received by a participant, median", "kB/s", _figure("kbytes_per_s_per_participant"), media=True
    ),
    "server_mb_per_participant": Rule("Server memory for a participant", "MB", _figure("server_mb_per_participant")),
    "first_frame_p95_ms": Rule("First whole keyframe, 95th percentile", "ms", _spread("first_frame_ms", "p95")),
    "media_latency_p99_ms": Rule(
        "Media latency, one way, 99th percentile", "ms", _spread("media_latency_ms", "p99"), media=True
    ),
    "mos_median": Rule("Audio quality (MOS), median", "MOS", _spread("mos", "p50"), ">="),
    "freeze_share": Rule("Viewing time frozen", "share", _figure("freeze_share")),
    "audio_loss": Rule("Audio packets lost, after repair", "share", _figure("audio_loss"), media=True),
    "audio_withheld": Rule("Audio packets left out by the server", "share", _figure("audio_withheld"), media=True),
    "queue_p95_ms": Rule("Wait at the bottleneck, 95th percentile", "ms", _spread("link_queue_ms", "p95"), media=True),
    "layer_back_s": Rule("Best layer back after a link widened", "s", _figure("layer_back_s"), media=True),
    "layer_when_wide": Rule("Layer on a link at its widest", "", _figure("layer_when_wide"), ">=", media=True),
    "switches_per_minute": Rule("Switches of layer in a video", "1/min", _figure("switches_per_minute"), media=True),
    "reconnect_p95_ms": Rule("Coming back, 95th percentile", "ms", _spread("reconnect_ms", "p95")),
    "server_rss_growth_mb": Rule("Server memory growth after the ramp", "MB", lambda measured: measured.rss_growth_mb),
}


def judge(scenario: Scenario, measured: Measured, *, server_local: bool = True) -> tuple[Objective, ...]:
    """Every objective of a scenario with its verdict, in the order of the fields.

    What a server takes of its machine is not asked of a remote one that does not tell.
    """
    found = []
    for name in Objectives.__struct_fields__:
        limit = getattr(scenario.objectives, name)
        rule = RULES[name]
        if limit is None or (rule.media and not has_media(scenario)):
            continue
        value = rule.value(measured)
        if value is None and name.startswith("server_") and not server_local:
            continue
        found.append(
            Objective(
                name=name,
                title=rule.title,
                value=value,
                limit=float(limit),
                comparison=rule.comparison,
                unit=rule.unit,
                ok=meets(value, float(limit), rule.comparison),
            )
        )
    return tuple(found)


def meets(value: float | None, limit: float, comparison: Comparison) -> bool:
    """Whether a value keeps its limit; at it is good, and no value is not."""
    if value is None or value != value:  # NaN proves nothing either
        return False
    return value <= limit if comparison == "<=" else value >= limit


def has_media(scenario: Scenario) -> bool:
    """Whether anybody sends what anybody else receives."""
    publish, subscribe = scenario.publish, scenario.subscribe
    audio = publish.audio and subscribe.audio
    video = bool(publish.video) and subscribe.video
    alone = scenario.shape.clients < 2 or scenario.shape.room_size == 1
    return (audio or video) and subscribe.mode != "none" and not alone


def explain(objective: Objective) -> str:
    """Why an objective is missed, in words."""
    bound = "at most" if objective.comparison == "<=" else "at least"
    value = "not measured" if objective.value is None else told(objective.value, objective.unit)
    return f"{objective.title}: {value}, {bound} {told(objective.limit, objective.unit)} wanted."


def told(value: float, unit: str) -> str:
    """A figure with its unit, as people read it."""
    if value == inf:
        return "never"
    if unit == "share":
        percent = value * 100
        # What is not quite all must not read as all.
        return f"{min(percent, 99.999) if percent < 100 else percent:.5g} %"
    if unit in ("count", ""):
        return f"{value:.10g}"
    return f"{value:.4g} {unit}"
