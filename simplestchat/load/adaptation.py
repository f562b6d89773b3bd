"""How media adapted to the links of watched users: curves of each, and the figures that objectives ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from math import inf
from typing import NamedTuple

from simplestchat.load.evidence import Evidence
from simplestchat.load.record import GeneratorRecord
from simplestchat.load.timeline import US, Points, Values

MEGABIT = 1_000_000
MINUTE_US = 60 * US
SETTLED_US = 10 * US
"""After a link has become wide: by then what is sent should have followed."""
LONG_ENOUGH_US = 15 * US
"""Who is watched for so long after a link has become wide has shown whether the best layer comes back."""
PREFIX = "watch."


class Watch(NamedTuple):
    """What is known of one watched user over time (see ``watched``)."""

    user: int
    capacity: Points
    estimate: Points
    queue: Points
    layer: Points
    temporal: Points
    videos: Points
    received: Points
    switches: Points


class Curve(NamedTuple):
    """One of them in a plot."""

    group: str
    unit: str
    name: str
    title: str
    values: Values


def watches(evidence: Evidence) -> list[Watch]:
    """All watched users, by number."""
    found = []
    for generator in evidence.record.generators:
        names = {name for sample in generator.samples for name in sample.totals if name.startswith(PREFIX)}
        for user in sorted({int(name.split(".")[1]) for name in names}):
            gauged = partial(_named, evidence.gauged, generator, user)
            counted = partial(_named, evidence.counted, generator, user)
            found.append(
                Watch(
                    user=user,
                    capacity=gauged("capacity_bps"),
                    estimate=gauged("estimate_bps"),
                    queue=gauged("queue_us"),
                    layer=gauged("layer"),
                    temporal=gauged("temporal"),
                    videos=gauged("videos"),
                    received=counted("bytes"),
                    switches=counted("switches"),
                )
            )
    return sorted(found)


def _named(
    points: Callable[[GeneratorRecord, str], Points], generator: GeneratorRecord, user: int, name: str
) -> Points:
    return points(generator, f"{PREFIX}{user}.{name}")


def curves(evidence: Evidence) -> Iterator[Curve]:
    """What the link of each can carry, what the server believes, what comes, which layer, and the queue."""
    line = evidence.timeline
    for one in watches(evidence):
        rates, name = f"Link of user {one.user}", f"watch_{one.user}"
        yield Curve(rates, "Mbit/s", f"{name}_capacity", "capacity", _bounded(line.level(one.capacity)))
        yield Curve(rates, "Mbit/s", f"{name}_estimate", "estimate", _scaled(line.level(one.estimate), MEGABIT))
        yield Curve(rates, "Mbit/s", f"{name}_received", "received", _scaled(line.rate(one.received), MEGABIT / 8))
        layers = f"Layers to user {one.user}"
        yield Curve(layers, "", f"{name}_layer", "encoding or spatial layer", line.level(one.layer))
        if any(value for _, value in one.temporal):
            yield Curve(layers, "", f"{name}_temporal", "temporal layer", line.level(one.temporal))
        yield Curve(f"Queue to user {one.user}", "ms", f"{name}_queue", "wait", _scaled(line.level(one.queue), 1000))


def _bounded(values: Values) -> Values:
    """In Mbit/s; an open link has no line."""
    return [value / MEGABIT if value else None for value in values]


def _scaled(values: Values, by: float) -> Values:
    return [None if value is None else value / by for value in values]


def switches_per_minute(evidence: Evidence) -> float | None:
    """Of a video of the watched users, on the average; None when they watched none."""
    found = watches(evidence)
    switched = sum(one.switches[-1][1] for one in found if one.switches)
    minutes = sum(_area(one.videos) for one in found) / MINUTE_US
    return switched / minutes if minutes else None


def _area(points: Points) -> float:
    return sum(value * (after - before) for (before, value), (after, _) in pairwise(points))


def layer_back_s(evidence: Evidence) -> float | None:
    """The slowest return to the best layer that any of them had, after a link has become as wide as it ever is.

    None when no link did, or nobody was watched for long enough after it; infinite when one never came back.
    """
    found = watches(evidence)
    best = max((value for one in found for _, value in one.layer), default=0.0)
    waits = [wait for one in found for wait in returns(one.capacity, one.layer, best)]
    return max(waits) if waits else None


def returns(capacity: Points, layer: Points, best: float) -> Iterator[float]:
    """Seconds from each widening to the widest until the best layer is there: infinite when it never is."""
    for at_us in _widenings(capacity):
        back = next((time for time, value in layer if time >= at_us and value >= best), None)
        if best and back is not None:
            yield (back - at_us) / US
        elif layer and layer[-1][0] - at_us >= LONG_ENOUGH_US:
            yield inf


def _widest(capacity: Points) -> float:
    """The most that a link ever carries; one that is open has a capacity of 0."""
    return max((value or inf for _, value in capacity), default=0.0)


def _widenings(capacity: Points) -> Iterator[int]:
    """When a link became as wide as it ever is."""
    widest = _widest(capacity)
    for (_, before), (at_us, now) in pairwise(capacity):
        if (before or inf) < (now or inf) == widest:
            yield at_us


def layer_when_wide(evidence: Evidence) -> float | None:
    """The mean layer where a link has been as wide as it ever is for some seconds; None when none was for so long."""
    areas = [area for one in watches(evidence) for area in _wide(one.capacity, one.layer)]
    seconds = sum(span for _, span in areas)
    return sum(value * span for value, span in areas) / seconds if seconds else None


def _wide(capacity: Points, layer: Points) -> Iterator[tuple[float, float]]:
    """Layers and for how long, of the samples that tell of a link at its widest, settled."""
    widest = _widest(capacity)
    shown = dict(layer)
    since_us: int | None = None
    for (at_us, now), (next_us, _) in pairwise(capacity):
        if (now or inf) < widest:
            since_us = None
            continue
        since_us = at_us if since_us is None else since_us
        if at_us - since_us >= SETTLED_US and at_us in shown:
            yield shown[at_us], next_us - at_us
