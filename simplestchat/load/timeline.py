"""One clock for everything that was sampled: bins of a second or more, in which counters, levels and histograms stand.

Samples of different processes do not fall on the same moments. A counter's growth is therefore read off the straight
line between its neighbours, so that no second gets two samples' worth and the next one none, and all growth is kept.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

from simplestchat.load.histogram import Histogram, HistogramData
from simplestchat.load.logbook import width_of

US: Final = 1_000_000
#: A bin that was watched for a smaller share has no value.
LEAST_SEEN: Final = 0.3

Points: TypeAlias = Sequence[tuple[int, float]]
"""(microseconds, value) by rising time."""
Values: TypeAlias = list[float | None]


class Timeline:
    """The bins from ``start_us`` to ``end_us``: a second wide, in a long run as wide as its samples are folded."""

    def __init__(self, start_us: int, end_us: int) -> None:
        self.start_us = start_us
        self.end_us = max(end_us, start_us + 1)
        self.width_us = width_of(self.end_us - start_us)
        self.count = -(-(self.end_us - start_us) // self.width_us)

    @property
    def seconds(self) -> list[float]:
        """When each bin begins, in seconds since the start."""
        return [index * self.width_us / US for index in range(self.count)]

    def since(self, at_us: int) -> float:
        """Seconds since the start."""
        return round((at_us - self.start_us) / US, 3)

    def rate(self, points: Points) -> Values:
        """Growth a second of a counter that only grows; one that begins anew (a process did) goes on from there."""
        line = climb(points)
        values: Values = []
        for index in range(self.count):
            low = self.start_us + index * self.width_us
            high = low + self.width_us
            seen_low, seen_high = (max(low, line[0][0]), min(high, line[-1][0])) if line else (0, 0)
            if seen_high - seen_low < LEAST_SEEN * self.width_us:
                values.append(None)
            else:
                values.append((at(line, seen_high) - at(line, seen_low)) * US / (seen_high - seen_low))
        return values

    def level(self, points: Points) -> Values:
        """The last value known at the end of each bin, or a moment later; none after the one with the last point."""
        values: Values = []
        times = [time for time, _ in points]
        for index in range(self.count):
            low = self.start_us + index * self.width_us
            place = bisect_right(times, low + self.width_us + self.width_us // 4)
            known = place > 0 and low <= times[-1] + self.width_us
            values.append(points[place - 1][1] if known else None)
        return values

    def spreads(self, samples: Iterable[tuple[int, HistogramData]]) -> list[Histogram]:
        """The merged histogram of each bin; each sample's covers the second before its time."""
        bins = [Histogram() for _ in range(self.count)]
        for at_us, data in samples:
            index = (at_us - US // 2 - self.start_us) // self.width_us
            bins[min(max(index, 0), self.count - 1)].merge(data)
        return bins


def climb(points: Points) -> list[tuple[int, float]]:
    """The counter as if it had never begun anew."""
    line: list[tuple[int, float]] = []
    total = previous = 0.0
    for time, value in points:
        total += value - previous if line and value >= previous else value
        previous = value
        line.append((time, total))
    return line


def at(line: Points, time_us: int) -> float:
    """The value of a line at a moment; beyond its ends that of the end."""
    place = bisect_right(line, time_us, key=lambda point: point[0])
    if place == 0:
        return line[0][1]
    if place == len(line):
        return line[-1][1]
    (before, low), (after, high) = line[place - 1], line[place]
    return low + (high - low) * (time_us - before) / (after - before)


def growth(points: Points, low_us: int, high_us: int) -> float | None:
    """How much a counter grew between two moments; None when it was not watched there."""
    line = climb(points)
    if len(line) < 2 or line[-1][0] <= low_us or line[0][0] >= high_us:
        return None
    return at(line, high_us) - at(line, low_us)


def total(parts: Iterable[Values]) -> Values:
    """The sum of several curves, bin by bin; None where none of them has a value."""
    columns = zip(*parts, strict=True)
    return [sum(known) if (known := [one for one in column if one is not None]) else None for column in columns]


def ratio(above: Values, below: Values) -> Values:
    """One curve by another; None where nothing is below."""
    return [None if a is None or not b else a / b for a, b in zip(above, below, strict=True)]
