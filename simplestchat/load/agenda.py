"""What is due when: one task calls plain functions at their times, so that thousands of timers cost no tasks."""

from __future__ import annotations

import heapq
from collections.abc import Callable

import trio

from simplestchat.load.counts import now_us

_TURN = 200  # calls before other tasks run again


class Entry:
    """One call to come."""

    __slots__ = ("at_us", "call", "number")

    def __init__(self, at_us: int, number: int, call: Callable[[], object]) -> None:
        self.at_us = at_us
        self.number = number
        self.call: Callable[[], object] | None = call

    def cancel(self) -> None:
        """Do not call; an entry that was called already is left alone."""
        self.call = None

    def __lt__(self, other: Entry) -> bool:
        return (self.at_us, self.number) < (other.at_us, other.number)


class Agenda:
    """Calls in the order of their times, on ``now_us``. What a call raises goes to ``on_error``."""

    def __init__(self, on_error: Callable[[Exception], None]) -> None:
        self._entries: list[Entry] = []
        self._number = 0
        self._sooner = trio.Event()
        self._on_error = on_error

    def at(self, at_us: int, call: Callable[[], object]) -> Entry:
        """Call at a moment, or as soon as possible when it has passed."""
        self._number += 1
        entry = Entry(at_us, self._number, call)
        heapq.heappush(self._entries, entry)
        if self._entries[0] is entry:
            self._sooner.set()
        return entry

    def after(self, span_s: float, call: Callable[[], object]) -> Entry:
        """Call after a span in seconds."""
        return self.at(now_us() + round(span_s * 1_000_000), call)

    async def run(self) -> None:
        """Make the calls; never returns."""
        while True:
            await trio.lowlevel.checkpoint()
            for _ in range(_TURN):
                if not self._entries or self._entries[0].at_us > now_us():
                    break
                self._make(heapq.heappop(self._entries))
            else:
                continue
            self._sooner = trio.Event()
            timeout = (self._entries[0].at_us - now_us()) / 1_000_000 if self._entries else 3600.0
            with trio.move_on_after(max(timeout, 0)):
                await self._sooner.wait()

    def _make(self, entry: Entry) -> None:
        call, entry.call = entry.call, None
        if call is None:
            return
        try:
            call()
        except Exception as error:
            self._on_error(error)
