"""The turns of the node's plain WebSockets: read what has come on all of them, handle it, deliver what is owed.

One task does it for all connections, for a task's own waiting and waking costs more than a message's reading. What
has to be waited for goes to the connection's task, and so does a client that says much at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol, cast

import trio

from simplestchat._native.io.intake import Intake

from .bounds import CLOSE_TOGETHER_S, PAUSE_MAX_S, TURNS_MAX_S
from .delivery import Delivery


class Line(Protocol):
    """The connection that a socket belongs to."""

    def arrived(self, data: bytes, now: float) -> bool:
        """Handle what has come, without waiting; nothing at the end. ``now`` is trio's time.

        False when nothing more may be read until the connection watches its socket again.
        """
        ...

    def answer(self) -> None:
        """Send what has come of it so far."""
        ...

    def failed(self, error: Exception) -> None:
        """``arrived`` raised this."""
        ...


class Turns:
    """Reads for the lines that are watched, and delivers after each turn."""

    def __init__(self, delivery: Delivery, clock: Callable[[], float] = time.perf_counter) -> None:
        self._delivery = delivery
        self._clock = clock
        self._intake = Intake()
        self._latest = 0.0
        """When something came last."""
        self._close = False
        """Whether it came soon after what came before."""
        self._pause_s = 0.0
        """Before the next turn: as long as the latest one took. What comes meanwhile is handled in a row, and leaves in
        a row: one message by itself costs nearly twice as much, since interpreter and kernel drive each other out of
        the caches, and the process goes to sleep and wakes between any two."""

    def watch(self, descriptor: int, line: Line) -> None:
        """Read this socket until it is forgotten."""
        self._intake.watch(descriptor, line)

    def forget(self, descriptor: int) -> None:
        """Leave this socket alone, as must be before it is closed."""
        self._intake.forget(descriptor)

    async def run(self) -> None:
        """Read, handle and deliver until cancelled."""
        try:
            while True:
                await trio.lowlevel.wait_readable(self._intake.fileno())
                while self._turns():
                    await trio.lowlevel.checkpoint()
        finally:
            self._intake.close()

    def _turns(self) -> bool:
        """One turn after the other, until nothing comes, or other tasks must have theirs; True then."""
        end, left = self._clock() + TURNS_MAX_S, False
        with self._delivery.attended():
            while True:
                arrived = self._intake.read(self._pause_s)
                begun = self._clock()
                self._pause_s = 0.0
                if arrived:
                    self._handle(arrived)
                elif not left:
                    return False
                left = self._delivery.slice()
                now = self._clock()
                if self._close and not left:
                    self._pause_s = min(now - begun, PAUSE_MAX_S)
                if now >= end:
                    return True

    def _handle(self, arrived: list[tuple[int, object, bytes]]) -> None:
        now = trio.current_time()
        self._close = now - self._latest < CLOSE_TOGETHER_S
        self._latest = now
        for descriptor, owner, data in arrived:
            line = cast(Line, owner)
            try:
                if not line.arrived(data, now):
                    self._intake.forget(descriptor)
            except Exception as error:  # of one connection; the others' go on
                self._intake.forget(descriptor)
                line.failed(error)
        for _, owner, _ in arrived:
            cast(Line, owner).answer()
