"""Links with a bottleneck that several flows may share, and what their packets saw of its queue."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field

from support.netem import US_PER_S, Clock, Link, Path

RTT_US = 50_000
QUEUE_S = 0.3


def access() -> Link:
    """A path that limits nothing: a quarter of the round trip."""
    return Link(delay_us=RTT_US // 4)


def thin(rate_bps: float, **more: object) -> Link:
    """A bottleneck with a drop-tail queue of 300 ms at its rate."""
    rate = round(rate_bps)
    return Link(delay_us=RTT_US // 4, rate_bps=rate, queue_bytes=round(rate * QUEUE_S / 8)).but(**more)


@dataclass
class Queue:
    """The bottleneck's: when it is empty again, and what each packet that reached it saw."""

    free_at: int = 0
    #: (when it came, microseconds until it is through, bytes, whether it was dropped, whose it is)
    seen: list[tuple[int, int, int, bool, int]] = field(default_factory=list)

    def delays_ms(self, since_us: int, until_us: int | None = None) -> list[float]:
        """How long each packet that was not dropped stood in the queue, sorted."""
        end = until_us if until_us is not None else 1 << 62
        return sorted(
            delay / 1000 for when, delay, _, dropped, _ in self.seen if since_us <= when < end and not dropped
        )

    def rate_bps(self, since_us: int, until_us: int, flow: int | None = None, *, through: bool = True) -> float:
        """What came (``through``: and was not dropped) in this time."""
        size = sum(
            size
            for when, _, size, dropped, of in self.seen
            if since_us <= when < until_us and not (dropped and through) and flow in (None, of)
        )
        return size * 8 * US_PER_S / (until_us - since_us)


class Bottleneck(Path):
    """A path whose queue other paths may share."""

    def __init__(
        self,
        clock: Clock,
        rng: random.Random,
        link: Link,
        deliver: Callable[[bytes], None],
        queue: Queue,
        flow: int = 0,
    ) -> None:
        super().__init__(clock, rng, link, deliver)
        self.queue, self.flow = queue, flow

    def _depart(self, size: int) -> int | None:
        self._free_at = self.queue.free_at
        departure = super()._depart(size)
        delay = max(0, self._free_at - self.clock.now)
        self.queue.free_at = self._free_at
        self.queue.seen.append((self.clock.now, delay, size, departure is None, self.flow))
        return departure


class Reno:
    """A greedy flow like TCP's (RFC 5681): its window grows by a packet a round trip, and a loss halves it."""

    SIZE = 1200

    def __init__(self, path: Bottleneck) -> None:
        self._path, self._clock = path, path.clock
        path.deliver = self._arrived
        self._window, self._threshold = 10.0, 1e9
        self._next = self._acked = self._expected = self._recover = 0
        self._repeats = 0
        self._arrived_packets: set[int] = set()
        self._timer = 0
        self._fill()
        self._watch(-1)

    def _send(self, number: int) -> None:
        self._path.send(number.to_bytes(8, "big") + bytes(self.SIZE - 8))

    def _fill(self) -> None:
        while self._next - self._acked < self._window:
            self._send(self._next)
            self._next += 1

    def _arrived(self, data: bytes) -> None:
        self._arrived_packets.add(int.from_bytes(data[:8], "big"))
        while self._expected in self._arrived_packets:
            self._arrived_packets.remove(self._expected)
            self._expected += 1
        acknowledged = self._expected
        self._clock.call_in(RTT_US * 3 // 4, lambda: self._heard(acknowledged))

    def _heard(self, acknowledged: int) -> None:
        if acknowledged > self._acked:
            self._acked, self._repeats = acknowledged, 0
            if acknowledged < self._recover:
                self._send(acknowledged)
            self._window += 1 if self._window < self._threshold else 1 / self._window
        else:
            self._repeats += 1
            if self._repeats == 3 and acknowledged >= self._recover:
                self._recover = self._next
                self._threshold = self._window = max(2.0, self._window / 2)
                self._send(acknowledged)
        self._fill()

    def _watch(self, acked: int) -> None:
        """The retransmission timer: a second without progress."""
        if acked == self._acked:
            self._threshold, self._window = max(2.0, self._window / 2), 2.0
            self._recover, self._repeats = self._next, 0
            self._send(self._acked)
        now_acked = self._acked
        self._clock.call_in(US_PER_S, lambda: self._watch(now_acked))
