"""A token bucket that also knows when a sender has stopped listening."""

from __future__ import annotations

from typing import Literal, TypeAlias

Verdict: TypeAlias = Literal["pass", "refuse", "flood"]


class TokenBucket:
    """Lets a burst through, then a steady rate; what is refused counts as debt that must wear off.

    A sender whose debt reaches the flood limit does not heed refusals, and its connection is to be closed.
    """

    __slots__ = ("_burst", "_debt", "_rate", "_then", "_tokens")

    def __init__(self, burst: int, rate_per_s: float, flood: int, now: float) -> None:
        self._burst = float(burst)
        self._rate = rate_per_s
        self._debt = -float(flood)
        self._tokens = self._burst
        self._then = now

    def has(self, now: float, cost: int = 1) -> bool:
        """Whether requests that cost so much would pass."""
        self._fill(now)
        return self._tokens >= cost

    def _fill(self, now: float) -> None:
        passed = now - self._then
        self._then = now
        if passed > 0.0 and self._tokens < self._burst:
            tokens = self._tokens + passed * self._rate
            self._tokens = tokens if tokens < self._burst else self._burst

    def take(self, now: float, cost: int = 1) -> Verdict:
        """Account for one request, or for one that costs as much as several."""
        self._fill(now)
        self._tokens -= cost
        if self._tokens >= 0:
            return "pass"
        return "flood" if self._tokens <= self._debt else "refuse"
