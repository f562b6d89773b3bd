"""The latest notifications of a room or of one peer, for those who come back."""

from __future__ import annotations

from collections import deque
from typing import TypeAlias

Entry: TypeAlias = tuple[int, str, bytes]
"""Its number, the id of the peer that it is not for (or ""), and the encoded notification."""


class NoticeLog:
    """A list with growing numbers, bounded in entries and bytes, that knows what it no longer holds."""

    __slots__ = ("_entries", "_max_bytes", "_max_entries", "bytes", "floor")

    def __init__(self, max_entries: int, max_bytes: int, floor: int = 0) -> None:
        self._entries: deque[Entry] = deque()
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self.bytes = 0
        self.floor = floor
        """Everything with a greater number is held."""

    def append(self, seq: int, frame: bytes, skip: str = "") -> None:
        """Remember a notification; the oldest ones make room."""
        self._entries.append((seq, skip, frame))
        self.bytes += len(frame)
        while len(self._entries) > self._max_entries or self.bytes > self._max_bytes:
            self._drop_oldest()

    def cut(self, to: int) -> None:
        """Forget the oldest notifications until the others have no more bytes than this."""
        while self.bytes > to:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        self.floor, _, oldest = self._entries.popleft()
        self.bytes -= len(oldest)

    def after(self, seq: int, peer_id: str) -> list[tuple[int, bytes]] | None:
        """What came after ``seq`` for this peer, or None when some of it is no longer held."""
        if seq < self.floor:
            return None
        found = []
        for number, skip, frame in reversed(self._entries):
            if number <= seq:
                break
            if skip != peer_id:
                found.append((number, frame))
        found.reverse()
        return found
