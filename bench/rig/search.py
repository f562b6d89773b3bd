"""The highest rate that a server forwards: by halving, a trial at each step."""

from __future__ import annotations

from collections.abc import Callable

from .audience import Trial

MISSING_SHARE = 0.001
SEARCH_STEPS = 7
EDGE_TRIALS, EDGE_STEP, EDGE_STEPS = 3, 0.97, 12


def enough(trial: Trial) -> bool:
    """Whether so little is missing that it counts as forwarded."""
    return trial.missing_share < MISSING_SHARE


def highest_rate(play: Callable[[float], Trial], low: float, high: float) -> float:
    """By halving; a trial that fails is made once more. Then the edge is tried again, and given way where most fail.

    0 when nothing passed.
    """

    def passes(rate: float) -> bool:
        return enough(play(rate)) or enough(play(rate))

    for _ in range(SEARCH_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if passes(middle) else (low, middle)
    for _ in range(EDGE_STEPS):
        if sum(enough(play(low)) for _ in range(EDGE_TRIALS)) * 2 > EDGE_TRIALS:
            return low
        low *= EDGE_STEP
    return 0.0
