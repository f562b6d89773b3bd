"""A virtual clock and a seeded emulation of network paths: whole calls, faster than real time and replayable."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

US_PER_S = 1_000_000


class Timer:
    """One appointment of a clock; it can be called off."""

    __slots__ = ("_action",)

    def __init__(self, action: Callable[[], None]) -> None:
        self._action: Callable[[], None] | None = action

    def cancel(self) -> None:
        self._action = None

    def fire(self) -> None:
        if self._action is not None:
            action, self._action = self._action, None
            action()


class Clock:
    """Microseconds that pass only from event to event. Events of one moment happen in the order they were arranged."""

    def __init__(self, start_us: int = US_PER_S) -> None:
        self.now = start_us
        self._events: list[tuple[int, int, Timer]] = []
        self._order = 0

    def call_at(self, when: int, action: Callable[[], None]) -> Timer:
        timer = Timer(action)
        self._order += 1
        heapq.heappush(self._events, (max(when, self.now), self._order, timer))
        return timer

    def call_in(self, delay_us: int, action: Callable[[], None]) -> Timer:
        return self.call_at(self.now + delay_us, action)

    def run_until(self, end: int) -> None:
        while self._events and self._events[0][0] <= end:
            when, _, timer = heapq.heappop(self._events)
            self.now = when
            timer.fire()
        self.now = end


@dataclass(frozen=True)
class Bursts:
    """Gilbert-Elliott loss: a good state without loss and a bad one in which `loss` of the packets vanish."""

    enter: float
    leave: float
    loss: float = 1.0

    @classmethod
    def of(cls, mean_loss: float, mean_length: float) -> Bursts:
        """Bursts of `mean_length` packets that make up `mean_loss` of all."""
        leave = 1 / mean_length
        return cls(enter=leave * mean_loss / (1 - mean_loss), leave=leave)


@dataclass(frozen=True)
class Link:
    """The conditions of one direction. Probabilities are per packet; jitter is uniform and keeps the order."""

    delay_us: int = 5_000
    jitter_us: int = 0
    loss: float = 0.0
    bursts: Bursts | None = None
    duplicate: float = 0.0
    reorder: float = 0.0
    reorder_us: int = 20_000
    corrupt: float = 0.0
    rate_bps: int = 0
    queue_bytes: int = 64_000

    def but(self, **changes: object) -> Link:
        """The same link with some conditions changed."""
        return replace(self, **changes)  # type: ignore[arg-type]


BLACK_OUT = Link(loss=1.0)


@dataclass
class PathCounters:
    """What a path did to the packets given to it."""

    sent: int = 0
    bytes: int = 0
    lost: int = 0
    queue_drops: int = 0
    duplicated: int = 0
    reordered: int = 0
    corrupted: int = 0


@dataclass
class Path:
    """One direction between two ends. `link` may be replaced at any time; `deliver` gets what arrives."""

    clock: Clock
    rng: random.Random
    link: Link
    deliver: Callable[[bytes], None]
    counters: PathCounters = field(default_factory=PathCounters)
    _bad: bool = False
    _free_at: int = 0
    _last_arrival: int = 0

    def send(self, data: bytes) -> None:
        link, counters = self.link, self.counters
        counters.sent += 1
        counters.bytes += len(data)
        if self._is_lost():
            counters.lost += 1
            return
        departure = self._depart(len(data))
        if departure is None:
            counters.queue_drops += 1
            return
        if link.corrupt and self.rng.random() < link.corrupt:
            counters.corrupted += 1
            data = self._flip_bit(data)
        arrival = departure + link.delay_us + (self.rng.randrange(link.jitter_us + 1) if link.jitter_us else 0)
        if link.reorder and self.rng.random() < link.reorder:
            counters.reordered += 1
            arrival += self.rng.randrange(1, link.reorder_us + 1)
        else:
            arrival = self._last_arrival = max(arrival, self._last_arrival)
        self.clock.call_at(arrival, lambda: self.deliver(data))
        if link.duplicate and self.rng.random() < link.duplicate:
            counters.duplicated += 1
            self.clock.call_at(arrival + self.rng.randrange(1, 30_000), lambda: self.deliver(data))

    def _is_lost(self) -> bool:
        if self.link.bursts is not None:
            self._bad = self.rng.random() < (1 - self.link.bursts.leave if self._bad else self.link.bursts.enter)
            if self._bad and self.rng.random() < self.link.bursts.loss:
                return True
        return self.link.loss > 0 and self.rng.random() < self.link.loss

    def _depart(self, size: int) -> int | None:
        """When the last bit is on the wire; None when the queue is full."""
        if not self.link.rate_bps:
            return self.clock.now
        start = max(self.clock.now, self._free_at)
        if (start - self.clock.now) * self.link.rate_bps > self.link.queue_bytes * 8 * US_PER_S:
            return None
        self._free_at = start + size * 8 * US_PER_S // self.link.rate_bps
        return self._free_at

    def _flip_bit(self, data: bytes) -> bytes:
        bit = self.rng.randrange(8 * len(data))
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << (bit % 8)
        return bytes(changed)
