"""How sure a ratio is: confidence intervals by resampling what was measured (Efron's bootstrap).

Neighbouring seconds resemble each other, so they are drawn in blocks (Künsch's moving blocks, closed to a circle as by
Politis and Romano). What is drawn comes from a seed: the same reports give the same interval.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

DRAWS: Final = 2000
#: Some twenty figures are looked at at once: at 95 % one of them would cry wolf every other time.
CONFIDENCE: Final = 0.99
LEAST_SECONDS: Final = 8
LEAST_EVENTS: Final = 50
"""Of fewer a 95th percentile is as good as the largest."""
_Z: Final = 2.5758
"""Of the normal distribution, for ``CONFIDENCE`` on both sides."""
_SEED: Final = 20_260_301


class Interval(NamedTuple):
    """After by before, with the ends of its confidence interval."""

    ratio: float
    low: float
    high: float


def of_seconds(before: Sequence[float], after: Sequence[float]) -> Interval | None:
    """The ratio of two means of seconds; None when either side has too few to tell, or nothing before."""
    if min(len(before), len(after)) < LEAST_SECONDS:
        return None
    interval = _interval(_mean(before), _mean(after), _blocks(before), _blocks(after))
    return _widened(interval, len(before) // _block_length(before), len(after) // _block_length(after))


def of_runs(before: Sequence[float], after: Sequence[float]) -> Interval | None:
    """The ratio of the means of whole runs; None unless one side at least has two of them."""
    if not before or not after or len(before) + len(after) < 3:
        return None
    interval = _interval(_mean(before), _mean(after), _singles(before), _singles(after))
    return _widened(interval, len(before), len(after))


def of_events(
    before: Sequence[tuple[float, int]], after: Sequence[tuple[float, int]], share: float = 0.95
) -> Interval | None:
    """The ratio of a percentile of two distributions of events that know nothing of each other, given as pairs of
    (value, count); None when either has too few.
    """
    if min(sum(count for _, count in before), sum(count for _, count in after)) < LEAST_EVENTS:
        return None
    first, second = _Ranked(before), _Ranked(after)
    return _interval(first.value(share), second.value(share), first.sampler(share), second.sampler(share))


Sampler = Callable[[random.Random], float]


def _interval(before: float, after: float, draw_before: Sampler, draw_after: Sampler) -> Interval | None:
    if before <= 0:
        return None
    chance = random.Random(_SEED)
    ratios = []
    for _ in range(DRAWS):
        below = draw_before(chance)
        above = draw_after(chance)
        ratios.append(above / below if below > 0 else math.inf)
    ratios.sort()
    cut = int((1 - CONFIDENCE) / 2 * DRAWS)
    return Interval(after / before, ratios[cut], ratios[DRAWS - 1 - cut])


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _singles(values: Sequence[float]) -> Sampler:
    return lambda chance: _mean(chance.choices(values, k=len(values)))


def _blocks(values: Sequence[float]) -> Sampler:
    """Means of as many seconds as there are, drawn in blocks of about the square root of them."""
    length = _block_length(values)
    sums = list(accumulate([*values, *values[: length - 1]], initial=0.0))
    blocks = [sums[start + length] - sums[start] for start in range(len(values))]
    number = max(1, round(len(values) / length))
    return lambda chance: sum(chance.choices(blocks, k=number)) / (number * length)


def _block_length(values: Sequence[float]) -> int:
    return max(2, round(math.sqrt(len(values))))


def _widened(interval: Interval | None, before: int, after: int) -> Interval | None:
    """An interval from few independent parts is too narrow: by what Student's distribution has more than the normal
    one, and by what a sample's spread has less than the truth's.
    """
    if interval is None or interval.ratio <= 0:
        return interval
    parts, least = before + after, min(one for one in (before, after) if one > 1)
    factor = student(parts - 2) / _Z * math.sqrt(least / (least - 1)) if parts > 2 else math.inf
    low = interval.ratio * (max(interval.low, 0.0) / interval.ratio) ** factor
    return Interval(interval.ratio, low, interval.ratio * min(1e6, interval.high / interval.ratio) ** factor)


def student(freedom: int) -> float:
    """The quantile of Student's distribution that ``_Z`` is of the normal one (Cornish and Fisher's expansion)."""
    z, n = _Z, max(freedom, 1)
    return z + (z**3 + z) / (4 * n) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n**2)


class _Ranked:
    """A distribution whose values are asked by rank."""

    def __init__(self, buckets: Sequence[tuple[float, int]]) -> None:
        ordered = sorted(buckets)
        self._values = [value for value, _ in ordered]
        self._ranks = list(accumulate(count for _, count in ordered))

    def value(self, share: float) -> float:
        return self._at(math.ceil(share * self._ranks[-1]))

    def sampler(self, share: float) -> Sampler:
        """A drawn sample's percentile stands at a rank that wavers as a binomial number does."""
        count = self._ranks[-1]
        middle, spread = share * count, math.sqrt(count * share * (1 - share))
        return lambda chance: self._at(math.ceil(chance.gauss(middle, spread)))

    def _at(self, rank: int) -> float:
        return self._values[bisect_left(self._ranks, min(max(rank, 1), self._ranks[-1]))]
