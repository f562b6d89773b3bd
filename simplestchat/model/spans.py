"""Spans of time counted in buckets, as Prometheus has histograms: bounds upward, and one more bucket over the last."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence


class Spans:
    """How often spans of each length came; adding one costs a fraction of a microsecond."""

    __slots__ = ("bounds_s", "counts", "sum_s")

    def __init__(self, bounds_s: Sequence[float], counts: Sequence[int] = (), sum_s: float = 0.0) -> None:
        """``counts`` has an entry for each bound and one for what is over the last; none when nothing came yet."""
        self.bounds_s = tuple(bounds_s)
        self.counts = list(counts) or [0] * (len(self.bounds_s) + 1)
        self.sum_s = sum_s
        if len(self.counts) != len(self.bounds_s) + 1:
            raise ValueError("there must be one count more than bounds")

    def add(self, span_s: float) -> None:
        """Count a span; one that equals a bound is not over it."""
        self.counts[bisect_left(self.bounds_s, span_s)] += 1
        self.sum_s += span_s

    def cumulative(self) -> list[tuple[float, int]]:
        """Each bound with the number of spans that are not over it; the last bound is infinite."""
        rows, total = [], 0
        for bound, count in zip((*self.bounds_s, float("inf")), self.counts, strict=True):
            total += count
            rows.append((bound, total))
        return rows
