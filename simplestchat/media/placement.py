"""Where participants are placed.

A room begins on the least loaded worker and stays there while that one has room. When all workers that a room uses are
busy, whoever comes next goes to another one that has much less to do. So small rooms stay whole, for each worker that a
room spreads to costs one more copy of every track that is looked at there, and a big one takes as many workers as it
needs. A participant's transports are all on one worker.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

#: Another worker is worth a spread when it has at most this part of the load.
RELIEF = 0.7
#: The load of a participant that was placed so lately that no measurement tells of it: 2.5 Mbit/s take about 0.001 of a
#: core.
YOUNG_SHARE = 0.001
#: What an open transport, producer or consumer counts, busy or not. It decides between workers that have little to do.
OBJECT_SHARE = 0.0001
#: Shares are rounded down to steps of this: what differs by less is as good as equal.
STEP = 0.05
#: Measurements are at least so far apart: processor time comes in ticks.
LEAST_SPAN_S = 1.0
_US_PER_S = 1_000_000


class Load:
    """How much of a core a worker takes, as a number that may pass 1 for what is only expected."""

    def __init__(self) -> None:
        #: Transports, producers and consumers on it.
        self.objects = 0
        self._share = 0.0
        self._young = [0, 0]  # placed since the last measurement, and in the span before it
        self._cpu_us = 0
        self._at_s: float | None = None

    def placed(self) -> None:
        """A participant was placed here."""
        self._young[0] += 1

    def measured(self, cpu_us: int, at_s: float) -> None:
        """Take the processor time that the worker has used since its start, as of a moment."""
        if self._at_s is not None:
            span_s = at_s - self._at_s
            if span_s < LEAST_SPAN_S:
                return
            self._share = max(0, cpu_us - self._cpu_us) / _US_PER_S / span_s
            # What came in this span was not measured for all of it.
            self._young = [0, self._young[0]]
        self._cpu_us, self._at_s = cpu_us, at_s

    @property
    def value(self) -> float:
        """The share of a core, with what is expected of those who came lately."""
        measured = int(self._share / STEP) * STEP
        return measured + sum(self._young) * YOUNG_SHARE + self.objects * OBJECT_SHARE


class Loaded(Protocol):
    """A worker, as far as placement looks at it."""

    index: int
    load: Load


_Worker = TypeVar("_Worker", bound=Loaded)


def choose(workers: Iterable[_Worker], used: Iterable[_Worker], busy: float) -> _Worker | None:
    """Return the worker for another participant of a room that uses some of them; None when there is none."""

    def by_load(worker: _Worker) -> tuple[float, int]:
        return worker.load.value, worker.index

    idlest = min(workers, key=by_load, default=None)
    home = min(used, key=by_load, default=None)
    if home is None or idlest is None:
        return idlest
    spread = home.load.value >= busy and idlest.load.value <= RELIEF * home.load.value
    return idlest if spread else home


@dataclass(slots=True)
class _Seat:
    """Where a participant is, and with how many transports."""

    worker: object
    transports: int = 0


@dataclass(slots=True)
class _Room:
    workers: Counter[object] = field(default_factory=Counter)
    seats: dict[str, _Seat] = field(default_factory=dict)


class Places:
    """Which rooms are open, which workers each uses, and where its participants are."""

    def __init__(self) -> None:
        self._rooms: dict[str, _Room] = {}

    def open(self, room_id: str) -> None:
        """Let participants in; a room that is open stays as it is."""
        self._rooms.setdefault(room_id, _Room())

    def close(self, room_id: str) -> None:
        """Forget a room."""
        self._rooms.pop(room_id, None)

    def is_open(self, room_id: str) -> bool:
        """Say whether a room is open."""
        return room_id in self._rooms

    def find(self, room_id: str, peer_id: str, workers: Iterable[_Worker], busy: float) -> _Worker | None:
        """Return the worker for a transport of a participant: where its others are, else a new place."""
        living = list(workers)
        room = self._rooms[room_id]
        seat = room.seats.get(peer_id)
        if seat is not None:
            for worker in living:
                if worker is seat.worker:
                    return worker
        return choose(living, [worker for worker in living if worker in room.workers], busy)

    def take(self, room_id: str, peer_id: str, worker: Loaded) -> None:
        """Count a transport; who has no name is a participant of its own with each."""
        worker.load.placed()
        room = self._rooms[room_id]
        room.workers[worker] += 1
        if peer_id:
            seat = room.seats.get(peer_id)
            if seat is None or seat.worker is not worker:
                seat = room.seats[peer_id] = _Seat(worker)
            seat.transports += 1

    def give_back(self, room_id: str, peer_id: str, worker: Loaded) -> None:
        """Count a transport no longer."""
        room = self._rooms.get(room_id)
        if room is None:
            return
        room.workers[worker] -= 1
        if room.workers[worker] <= 0:
            del room.workers[worker]
        seat = room.seats.get(peer_id)
        if seat is not None and seat.worker is worker:
            seat.transports -= 1
            if seat.transports <= 0:
                del room.seats[peer_id]
