"""How often one of many may do something: a token bucket for each, so that nobody does it in everybody's place."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

#: Buckets that are remembered; the one that was quiet for longest is forgotten first.
MAX_KEYS = 65_536


class Rates:
    """A burst for each key, then a steady rate; what is refused costs nothing."""

    def __init__(self, burst: int, rate_per_s: float, clock: Callable[[], float]) -> None:
        self._burst = float(burst)
        self._rate = rate_per_s
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when there were that many

    def __len__(self) -> int:
        return len(self._buckets)

    def wait_s(self, key: str, cost: float = 1) -> float:
        """Return 0 when it may be done, else after how many seconds it might."""
        tokens = self._tokens(key, self._clock())
        return 0.0 if tokens >= cost else (cost - tokens) / self._rate

    def take(self, key: str, cost: float = 1) -> float:
        """Do it, if it may be done; return what ``wait_s`` does."""
        wait_s, now = self.wait_s(key, cost), self._clock()
        tokens = self._tokens(key, now)
        self._buckets[key] = (tokens if wait_s else tokens - cost, now)
        self._buckets.move_to_end(key)
        if len(self._buckets) > MAX_KEYS:
            self._buckets.popitem(last=False)
        return wait_s

    def _tokens(self, key: str, now: float) -> float:
        tokens, then = self._buckets.get(key, (self._burst, now))
        return min(self._burst, tokens + max(0.0, now - then) * self._rate)
