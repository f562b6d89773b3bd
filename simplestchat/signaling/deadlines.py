"""Deadlines with their reasons, earliest first."""

from __future__ import annotations

import enum
import heapq
from typing import TypeAlias


class Reason(enum.Enum):
    """Why to wake up."""

    PEER_GRACE = enum.auto()
    """A peer without a connection has been away for long enough."""
    ROOM_EMPTY = enum.auto()
    """A room has been empty for long enough."""
    SILENCE = enum.auto()
    """Nobody has spoken in a room for long enough."""


Due: TypeAlias = tuple[Reason, str, str]
"""The reason, the room's incarnation id and the peer's id (or "")."""


class Deadlines:
    """A heap without removal: who takes a deadline checks whether its reason still holds."""

    __slots__ = ("_count", "_heap")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Due]] = []
        self._count = 0

    def add(self, when: float, reason: Reason, room: str, peer: str = "") -> None:
        """Wake up at ``when``."""
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, (reason, room, peer)))

    def next(self) -> float | None:
        """When to look again."""
        return self._heap[0][0] if self._heap else None

    def take(self, now: float) -> Due | None:
        """One that is due, if any is."""
        if not self._heap or self._heap[0][0] > now:
            return None
        return heapq.heappop(self._heap)[2]
