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

from .bounds import TURNS_MAX_S
from .delivery import Delivery


class Line(Protocol):
    """The connection that a socket belongs to."""

    def arrived(self, data: bytes, now: float) -> bool:
        """Handle what has come, without waiting; nothing at the end. ``now`` is trio's time.

        False when nothing more may be read until the connection watches its socket again.
        """
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
        end = self._clock() + TURNS_MAX_S
        with self._delivery.attended():
            while self._turn():
                if self._clock() >= end:
                    return True
        return False

    def _turn(self) -> bool:
        arrived = self._intake.read()
        if arrived:
            now = trio.current_time()
            for descriptor, owner, data in arrived:
                line = cast(Line, owner)
                try:
                    if not line.arrived(data, now):
                        self._intake.forget(descriptor)
                except Exception as error:  # of one connection; the others' go on
                    self._intake.forget(descriptor)
                    line.failed(error)
        return self._delivery.slice() or bool(arrived)
