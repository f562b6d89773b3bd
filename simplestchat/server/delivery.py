"""Sends what outboxes hold, in slices: what is said to a thousand people must not keep a request waiting.

Requests are handled, and answered, between two slices; a slice lasts as long as they took, within bounds. The busier
the node is, the more messages have come together in an outbox when its turn comes; they leave in one call.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import trio

from simplestchat._native.io.frames import Owed

from .bounds import SLICE_MAX_S, SLICE_MIN_S, SLICE_WAKES


class Delivery:
    """The outboxes in which something waits, in the order in which it began to."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self.owed = Owed(self._begin, clock)
        """Where outboxes put themselves."""
        self._wake = trio.Event()
        self._attended = False
        self._paused_at = 0.0
        """When the latest slice ended, or the first outbox came after a time without."""

    def _begin(self) -> None:
        """There is something to deliver again."""
        self._paused_at = self._clock()
        if not self._attended:
            self._wake.set()

    @contextmanager
    def attended(self) -> Iterator[None]:
        """Whoever does this calls ``slice`` meanwhile, so that the task need not be woken for what leaves with it."""
        self._attended = True
        try:
            yield
        finally:
            self._attended = False
            if self.owed:
                self._wake.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            await self._wake.wait()
            while self.slice():
                await trio.lowlevel.checkpoint()
            self._wake = trio.Event()

    def slice(self) -> bool:
        """Deliver for a moment; a writer that had to be woken takes its time after it. Whether something is left."""
        now = self._clock()
        length = min(max(now - self._paused_at, SLICE_MIN_S), SLICE_MAX_S)
        self._paused_at = self.owed.deliver(now + length, SLICE_WAKES)
        return bool(self.owed)
