"""Chat messages that were acknowledged to users of this process, for the check across processes: see ``Evidence``.

Bounded: past ``KEPT`` only numbers that are a multiple of two, then of four and so on are kept. Every process keeps the
same ones of a room or more, so that what two of them kept can still be compared.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Final

KEPT: Final = 200_000


class Acked:
    """By room, (seq, the sender's own id)."""

    def __init__(self, kept: int = KEPT) -> None:
        self.rooms: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
        self._limit = kept
        self._step = 1
        self._count = 0

    def add(self, room: str, seq: int, client_id: str) -> None:
        """A message of one of us was stored."""
        if seq < 1 or seq % self._step:
            return
        self.rooms[room].append((seq, client_id))
        self._count += 1
        while self._count > self._limit:
            self._step *= 2
            for name, known in self.rooms.items():
                self.rooms[name] = [one for one in known if one[0] % self._step == 0]
            self._count = sum(map(len, self.rooms.values()))

    def told(self) -> dict[str, list[tuple[int, str]]]:
        """For a message."""
        return {room: known for room, known in self.rooms.items() if known}
