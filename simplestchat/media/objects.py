"""What the node knows of media objects: which worker each is on, and what goes with what."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from simplestchat.errors import MediaMisuse
from simplestchat.model.media import ProducerSpec

from .supervisor import Worker
from .wishes import Wishes

_Item = TypeVar("_Item", bound="MediaObject")


class MediaObject:
    """A transport, producer or consumer. It goes with its parents: a consumer with its transport and its producer."""

    kind = ""

    __slots__ = ("children", "id", "on_gone", "parents", "room_id", "worker")

    def __init__(
        self,
        id: int,
        room_id: str,
        worker: Worker,
        *parents: MediaObject,
        on_gone: Callable[[], None] | None = None,
    ) -> None:
        """``on_gone`` is called once, when it is forgotten."""
        self.id = id
        self.room_id = room_id
        self.worker = worker
        self.parents = parents
        self.on_gone = on_gone
        self.children: dict[int, MediaObject] = {}


class Transport(MediaObject):
    """A participant's path to its worker."""

    kind = "transport"
    __slots__ = ()


class Producer(MediaObject):
    """A track, at the worker that its publisher sends it to."""

    kind = "producer"
    __slots__ = ("held", "paused", "spec", "voice", "wishes")

    def __init__(self, id: int, transport: MediaObject, spec: ProducerSpec, *, voice: bool = False) -> None:
        super().__init__(id, transport.room_id, transport.worker, transport)
        self.spec = spec
        self.voice = voice
        self.paused = False
        self.held = False
        self.wishes = Wishes(spec)

    @property
    def stopped(self) -> bool:
        """Whether nothing of it is to be forwarded: its publisher or the node says so."""
        return self.paused or self.held


class Consumer(MediaObject):
    """A track on its way to a subscriber, at the subscriber's worker."""

    kind = "consumer"
    __slots__ = ()


class ObjectTable:
    """All media objects of the node by number; numbers are never used again."""

    def __init__(self) -> None:
        self._objects: dict[int, MediaObject] = {}
        self._last_id = 0

    def next_id(self) -> int:
        """Return a number that no object has had."""
        self._last_id += 1
        return self._last_id

    def add(self, made: MediaObject) -> None:
        """Remember an object, unless what it belongs to has gone meanwhile."""
        if any(parent.id not in self._objects for parent in made.parents):
            raise MediaMisuse(f"what the {made.kind} belongs to was closed meanwhile")
        self._objects[made.id] = made
        made.worker.load.objects += 1
        for parent in made.parents:
            parent.children[made.id] = made

    def get(self, id: int, kind: type[_Item]) -> _Item:
        """Return the object; MediaMisuse when it is gone or of another kind."""
        found = self._objects.get(id)
        if not isinstance(found, kind):
            raise MediaMisuse(f"there is no {kind.kind} {id}")
        return found

    def find(self, id: int) -> MediaObject | None:
        """Return the object of that number if it is there."""
        return self._objects.get(id)

    def pop(self, id: int, kind: type[MediaObject]) -> MediaObject | None:
        """Forget an object with its children; None when it is gone already."""
        found = self._objects.get(id)
        if not isinstance(found, kind):
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
        return (item for item in self._objects.values() if isinstance(item, Transport))

    def __len__(self) -> int:
        return len(self._objects)

    def _forget(self, item: MediaObject) -> None:
        if self._objects.pop(item.id, None) is None:
            return
        item.worker.load.objects -= 1
        for parent in item.parents:
            parent.children.pop(item.id, None)
        for child in list(item.children.values()):
            self._forget(child)
        if item.on_gone is not None:
            item.on_gone()
