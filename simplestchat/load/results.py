"""What becomes of every call and every stream: kept small while the run goes on, told at its end."""

from __future__ import annotations

import heapq

from simplestchat.load.messages import StreamResult, UserResult
from simplestchat.load.quality import Quality

STREAMS_KEPT = 4096
FAULTS_KEPT = 20
_WORSE = ("misdelivered", "corrupt", "duplicate", "lost", "frames_broken", "freezes", "missed")


class Record:
    """One user over all of its visits."""

    __slots__ = ("index", "joins", "received_bytes", "receiving_s", "reconnects", "room", "sent_bytes")

    def __init__(self, index: int, room: int) -> None:
        self.index = index
        self.room = room
        self.received_bytes = 0
        self.sent_bytes = 0
        self.receiving_s = 0.0
        self.joins = 0
        self.reconnects = 0

    def result(self, faults: set[str]) -> UserResult:
        """For a message."""
        return UserResult(
            user=self.index,
            room=self.room,
            received_bytes=self.received_bytes,
            sent_bytes=self.sent_bytes,
            receiving_s=self.receiving_s,
            joins=self.joins,
            reconnects=self.reconnects,
            faults=tuple(sorted(faults)[:FAULTS_KEPT]),
        )


class Streams:
    """The worst streams of all, and what all of them come to."""

    def __init__(self) -> None:
        self._heap: list[tuple[tuple[int, ...], int, StreamResult]] = []
        self._number = 0
        self.quality = Quality()

    def add(self, result: StreamResult) -> None:
        """Count the stream, and keep it unless enough worse ones are known."""
        self.quality.add(result)
        self._number += 1
        badness = tuple(result.totals.get(name, 0) for name in _WORSE)
        entry = (badness, -self._number, result)
        if len(self._heap) < STREAMS_KEPT:
            heapq.heappush(self._heap, entry)
        else:
            heapq.heappushpop(self._heap, entry)

    def results(self) -> tuple[StreamResult, ...]:
        """The worst first."""
        return tuple(entry[2] for entry in sorted(self._heap, reverse=True))
