"""What the node knows of media objects: which worker each is on, and what goes with what."""

from __future__ import annotations

from collections.abc import Iterator

from simplestchat.errors import MediaMisuse

from .supervisor import Worker


class MediaObject:
    """A transport, producer or consumer. A consumer goes with its transport and with its producer."""

    __slots__ = ("children", "id", "kind", "parents", "room_id", "worker")

    def __init__(self, id: int, kind: str, room_id: str, worker: Worker, parents: tuple[MediaObject, ...]) -> None:
        self.id = id
        self.kind = kind
        self.room_id = room_id
        self.worker = worker
        self.parents = parents
        self.children: dict[int, MediaObject] = {}


class ObjectTable:
    """All media objects of the node by number; numbers are never used again."""

    def __init__(self) -> None:
        self._objects: dict[int, MediaObject] = {}
        self._last_id = 0

    def next_id(self) -> int:
        """Return a number that no object has had."""
        self._last_id += 1
        return self._last_id

    def add(self, id: int, kind: str, room_id: str, worker: Worker, *parents: MediaObject) -> None:
        """Remember an object, unless what it belongs to has gone meanwhile."""
        if any(parent.id not in self._objects for parent in parents):
            raise MediaMisuse(f"what the {kind} belongs to was closed meanwhile")
        made = MediaObject(id, kind, room_id, worker, parents)
        self._objects[id] = made
        worker.load += 1
        for parent in parents:
            parent.children[id] = made

    def get(self, id: int, kind: str) -> MediaObject:
        """Return the object; MediaMisuse when it is gone or of another kind."""
        found = self._objects.get(id)
        if found is None or found.kind != kind:
            raise MediaMisuse(f"there is no {kind} {id}")
        return found

    def pop(self, id: int, kind: str) -> MediaObject | None:
        """Forget an object with its children; None when it is gone already."""
        found = self._objects.get(id)
        if found is None or found.kind != kind:
            return None
        self._forget(found)
        return found

    def drop(self, *, worker: Worker | None = None, room_id: str | None = None) -> list[MediaObject]:
        """Forget everything on a worker or of a room; return its transports."""
        gone = [item for item in self.transports() if item.worker is worker or item.room_id == room_id]
        for item in gone:
            self._forget(item)
        return gone

    def transports(self) -> Iterator[MediaObject]:
        """Walk through the transports."""
        return (item for item in self._objects.values() if item.kind == "transport")

    def __len__(self) -> int:
        return len(self._objects)

    def _forget(self, item: MediaObject) -> None:
        if self._objects.pop(item.id, None) is None:
            return
        item.worker.load -= 1
        for parent in item.parents:
            parent.children.pop(item.id, None)
        for child in list(item.children.values()):
            self._forget(child)
