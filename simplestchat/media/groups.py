"""Rooms as workers know them: groups of voices, with a number, a limit of how many are heard, and who speaks.

Rules:

- A room's group has the same number at all workers, which no other room ever gets.
- A worker is told the limit before the first voice of the group comes to it, and again when it changes. When the room
  closes it is told 0, and forgets the group.
- Each worker names a speaker among the voices that it has, its own and those that are piped to it. The room's speaker
  is whom a worker named last. When one takes its word back, it is whom another named before and still stands by.
- A voice that is gone speaks no more, whatever was said of it, and what a dead worker said does not count.
"""

from __future__ import annotations

from collections.abc import Callable

from . import wire
from .supervisor import Worker

NOBODY = 0


class _Group:
    """One room's."""

    def __init__(self, number: int, room_id: str) -> None:
        self.number = number
        self.room_id = room_id
        self.limit = 0
        self.told: dict[Worker, int] = {}
        self.named: dict[Worker, int] = {}
        """The producer that each worker says speaks, who said something last at the end."""
        self.speaker = NOBODY


class GroupBook:
    """The groups of all rooms. ``on_speaker`` hears of a room and the producer that speaks there now."""

    def __init__(self, on_speaker: Callable[[str, int], None]) -> None:
        self._on_speaker = on_speaker
        self._by_room: dict[str, _Group] = {}
        self._by_number: dict[int, _Group] = {}
        self._last_number = 0

    def open(self, room_id: str) -> None:
        """Give a room a group, unless it has one."""
        if room_id not in self._by_room:
            self._last_number += 1
            group = _Group(self._last_number, room_id)
            self._by_room[room_id] = self._by_number[group.number] = group

    def close(self, room_id: str) -> None:
        """Forget a room's group, here and at the workers."""
        group = self._by_room.pop(room_id, None)
        if group is None:
            return
        del self._by_number[group.number]
        for worker in group.told:
            worker.channel.tell(wire.SetLoudest(group.number, 0))

    def number_at(self, room_id: str, worker: Worker) -> int:
        """Return the group's number for a voice that is about to come to a worker; 0 when the room is gone."""
        group = self._by_room.get(room_id)
        if group is None:
            return 0
        self._tell(group, worker)
        return group.number

    def set_limit(self, room_id: str, limit: int) -> None:
        """Let at most so many voices be heard at a time, or all (0)."""
        group = self._by_room.get(room_id)
        if group is not None:
            group.limit = limit
            for worker in group.told:
                self._tell(group, worker)

    def named(self, worker: Worker, number: int, producer: int) -> None:
        """A worker says who speaks in a group of its, by the producer's number at its own worker; 0: nobody."""
        group = self._by_number.get(number)
        if group is None:
            return
        group.named.pop(worker, None)
        if producer != NOBODY:
            group.named[worker] = producer
        self._settle(group)

    def forget(self, room_id: str, producer: int) -> None:
        """A voice is gone."""
        group = self._by_room.get(room_id)
        if group is not None:
            group.named = {worker: one for worker, one in group.named.items() if one != producer}
            self._settle(group)

    def worker_lost(self, worker: Worker) -> None:
        """Forget what a worker was told and what it said."""
        for group in tuple(self._by_room.values()):
            if group.told.pop(worker, None) is not None:
                group.named.pop(worker, None)
                self._settle(group)

    def __len__(self) -> int:
        return len(self._by_room)

    def _tell(self, group: _Group, worker: Worker) -> None:
        if group.told.get(worker) != group.limit:
            group.told[worker] = group.limit
            worker.channel.tell(wire.SetLoudest(group.number, group.limit))

    def _settle(self, group: _Group) -> None:
        speaker = next(reversed(group.named.values()), NOBODY)
        if speaker != group.speaker:
            group.speaker = speaker
            self._on_speaker(group.room_id, speaker)
