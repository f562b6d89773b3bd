"""How large a peer shows each track that it receives, on its way to the workers, which need not know each step of it.

Rules:

- A view that says nothing new goes nowhere.
- A peer's views pass at once while it keeps to a rate. Beyond it the last one of each consumer waits, and passes when
  the rate allows, or at the next tick.
- What waits is bounded by the consumers that there are, and none is lost: the last word on each always passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final, TypeAlias

from simplestchat.model.media import MediaPort
from simplestchat.signaling.state import Consumer, Peer

Size: TypeAlias = tuple[int, int]
"""Width and height in device pixels."""

UNKNOWN: Final[Size] = (-1, -1)


class Views:
    """Everybody's."""

    def __init__(self, media: MediaPort, *, burst: int, rate_per_s: float, clock: Callable[[], float]) -> None:
        self._media = media
        self._burst = burst
        self._rate = rate_per_s
        self._clock = clock
        self._waiting: dict[Peer, dict[Consumer, Size]] = {}

    def __len__(self) -> int:
        """How many peers have views that wait."""
        return len(self._waiting)

    def show(self, peer: Peer, views: Iterable[tuple[Consumer, Size]]) -> None:
        """Take what a peer says about its own consumers."""
        waiting = self._waiting.setdefault(peer, {})
        for consumer, size in views:
            if size == consumer.view:
                waiting.pop(consumer, None)
            else:
                waiting[consumer] = size
        self._pass_on(peer, waiting)

    def tick(self) -> None:
        """Pass on what waits."""
        for peer, waiting in tuple(self._waiting.items()):
            self._pass_on(peer, waiting)

    def _pass_on(self, peer: Peer, waiting: dict[Consumer, Size]) -> None:
        allowed = self._allowance(peer)
        while waiting and allowed >= 1:
            consumer = next(iter(waiting))
            size = waiting.pop(consumer)
            if not consumer.closed:
                consumer.view = size
                self._media.set_view(consumer.number, *size)
                allowed -= 1
        peer.views_left = allowed
        if peer.gone or not waiting:
            self._waiting.pop(peer, None)

    def _allowance(self, peer: Peer) -> float:
        now = self._clock()
        passed, peer.views_at = now - peer.views_at, now
        return min(float(self._burst), peer.views_left + passed * self._rate)
