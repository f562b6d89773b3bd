"""Last N: in a room with a limit, only the cameras of those who spoke last are forwarded.

Rules:

- With a limit of N, at most N people with a camera are shown; with a limit of 0, all are.
- Nobody is held back while there is a place. Places go in the order of speech: who spoke last first, and behind all who
  ever spoke, who turned a camera on first.
- Who speaks and is held back takes the place of who has been silent for longest of those shown, and that one is the
  first to get a place that becomes free.
- Who has no camera has no place. Who turns it off and on again is as new.
- Each event changes at most one person's place for another's; only a new limit changes more.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeAlias

Changes: TypeAlias = list[tuple[str, bool]]
"""Peers in order, each with whether its cameras are held back from now on."""


class LastN:
    """Who is shown in one room."""

    __slots__ = ("_held", "_shown", "limit")

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit
        self._shown: OrderedDict[str, None] = OrderedDict()
        """Who has been silent for longest first."""
        self._held: OrderedDict[str, None] = OrderedDict()
        """Who gets the next place first."""

    def holds(self, peer: str) -> bool:
        """Whether this peer's cameras are held back."""
        return peer in self._held

    def opened(self, peer: str) -> Changes:
        """A peer has a camera now."""
        if peer in self._shown or peer in self._held:
            return []
        if not self.limit or len(self._shown) < self.limit:
            self._shown[peer] = None
            self._shown.move_to_end(peer, last=False)
            return []
        self._held[peer] = None
        return [(peer, True)]

    def closed(self, peer: str) -> Changes:
        """A peer has no camera any more."""
        self._held.pop(peer, None)
        if peer not in self._shown:
            return []
        del self._shown[peer]
        return self._fill()

    def spoke(self, peer: str) -> Changes:
        """A peer is the active speaker."""
        if peer in self._shown:
            self._shown.move_to_end(peer)
            return []
        if peer not in self._held:
            return []
        del self._held[peer]
        changes = self._cut(self.limit - 1)
        self._shown[peer] = None
        return [*changes, (peer, False)]

    def set_limit(self, limit: int) -> Changes:
        """Show at most so many, or all (0)."""
        self.limit = limit
        return self._cut(limit) if limit and len(self._shown) > limit else self._fill()

    def _cut(self, size: int) -> Changes:
        """Hold back who has been silent for longest until no more than this are shown."""
        changes: Changes = []
        while len(self._shown) > size:
            peer, _ = self._shown.popitem(last=False)
            self._held[peer] = None
            self._held.move_to_end(peer, last=False)
            changes.append((peer, True))
        return changes

    def _fill(self) -> Changes:
        """Give free places away."""
        changes: Changes = []
        while self._held and (not self.limit or len(self._shown) < self.limit):
            peer, _ = self._held.popitem(last=False)
            self._shown[peer] = None
            self._shown.move_to_end(peer, last=False)
            changes.append((peer, False))
        return changes
