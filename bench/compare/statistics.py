"""What is known of a ratio after some rounds: the mean of its logarithms, with a confidence interval."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

# Two-sided 99 % quantiles of Student's t for 1, 2, … degrees of freedom; for more, the last one is a little too wide.
T_99 = (
    *(63.657, 9.925, 5.841, 4.604, 4.032, 3.707, 3.499, 3.355, 3.250, 3.169),
    *(3.106, 3.055, 3.012, 2.977, 2.947, 2.921, 2.898, 2.878, 2.861, 2.845),
    *(2.831, 2.819, 2.807, 2.797, 2.787, 2.779, 2.771, 2.763, 2.756, 2.750),
)


@dataclass(frozen=True)
class Interval:
    """A ratio, and between which two it lies with 99 % confidence."""

    ratio: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """How far it may be off, relative to the ratio."""
        return math.sqrt(self.high / self.low) - 1 if self.low > 0 else math.inf


def ratio_of_pairs(before: Sequence[float], after: Sequence[float]) -> float:
    """Return the ratio of two rows of costs that were taken in turn, as A B B A: the median over the pairs.

    A pair's slices are neighbours, so what the machine did at that time is in both, and a drift is once on either side.
    """
    pairs = [math.log(a / b) for b, a in zip(before, after, strict=True)]
    return math.exp(statistics.median(pairs))


def interval(ratios: Sequence[float]) -> Interval:
    """Return the mean ratio of independent rounds. One round alone says nothing: 0 to infinity."""
    logs = [math.log(ratio) for ratio in ratios]
    mean = statistics.fmean(logs)
    if len(logs) < 2:
        return Interval(math.exp(mean), 0.0, math.inf)
    half = T_99[min(len(logs) - 2, len(T_99) - 1)] * statistics.stdev(logs) / math.sqrt(len(logs))
    return Interval(math.exp(mean), math.exp(mean - half), math.exp(mean + half))
