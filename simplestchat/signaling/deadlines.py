"""Deadlines with their reasons, earliest first."""

from __future__ import annotations

import enum
import heapq
from typing import Final, TypeAlias


class Reason(enum.Enum):
    """Why to wake up."""

    PEER_GRACE = enum.auto()
    """A peer without a connection has been away for long enough."""
    ROOM_EMPTY = enum.auto()
    """A room has been empty for long enough."""
    CODECS = enum.auto()
    """Somebody who left a room counts no longer for its order of codecs."""


Due: TypeAlias = tuple[Reason, str, str]
"""The reason, the room's incarnation id and the peer's id (or "")."""

_SLACK: Final = 64
"""Entries of the heap that may be out of date before it is worth building it anew."""


class Deadlines:
    """At most one deadline for each reason, room and peer.

    A heap whose entries stay behind when their deadline is moved or given up, and are passed over; it is built anew
    when most of it is such.
    """

    __slots__ = ("_count", "_heap", "_numbers")

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Due]] = []
        self._numbers: dict[Due, int] = {}
        """Of the entry that counts for each."""
        self._count = 0

    def __len__(self) -> int:
        """How much is held, what is out of date included."""
        return len(self._heap)

    def add(self, when: float, reason: Reason, room: str, peer: str = "") -> None:
        """Wake up at ``when``, and no longer when it was said before."""
        self._count += 1
        due = (reason, room, peer)
        self._numbers[due] = self._count
        heapq.heappush(self._heap, (when, self._count, due))
        if len(self._heap) > 2 * len(self._numbers) + _SLACK:
            self._heap = [entry for entry in self._heap if self._counts(entry)]
            heapq.heapify(self._heap)

    def drop(self, reason: Reason, room: str, peer: str = "") -> None:
        """Do not wake up for this any more."""
        self._numbers.pop((reason, room, peer), None)

    def next(self) -> float | None:
        """When to look again."""
        while self._heap and not self._counts(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, now: float) -> Due | None:
        """One that is due, if any is."""
        when = self.next()
        if when is None or when > now:
            return None
        due = heapq.heappop(self._heap)[2]
        del self._numbers[due]
        return due

    def _counts(self, entry: tuple[float, int, Due]) -> bool:
        _, number, due = entry
        return self._numbers.get(due) == number
