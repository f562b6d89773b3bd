"""How often one address may ask: a token bucket for each, so that nobody asks in everybody's place."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from .admission import site

#: Addresses that are remembered; the one that was quiet for longest is forgotten first.
MAX_ADDRESSES = 65_536


class Rates:
    """A burst for each address, then a steady rate; what is refused costs nothing."""

    def __init__(self, burst: int, rate_per_s: float, clock: Callable[[], float]) -> None:
        self._burst = float(burst)
        self._rate = rate_per_s
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, and when there were that many

    def take(self, address: str, cost: float = 1) -> float:
        """Return 0 when the request may go on, else after how many seconds it might."""
        key, now = site(address), self._clock()
        tokens, then = self._buckets.pop(key, (self._burst, now))
        tokens = min(self._burst, tokens + max(0.0, now - then) * self._rate)
        wait_s = 0.0 if tokens >= cost else (cost - tokens) / self._rate
        self._buckets[key] = (tokens if wait_s else tokens - cost, now)
        if len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        return wait_s
