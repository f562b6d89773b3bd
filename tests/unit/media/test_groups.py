"""Groups of voices: what workers are told of limits, and whose word on the speaker counts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

from hypothesis import given
from hypothesis import strategies as st

from simplestchat.media import wire
from simplestchat.media.groups import GroupBook
from simplestchat.media.supervisor import Worker


@dataclass(eq=False)
class FakeWorker:
    told: list[wire.Call] = field(default_factory=list)

    @property
    def channel(self) -> FakeWorker:
        return self

    def tell(self, call: wire.Call) -> None:
        self.told.append(call)


class Scene:
    def __init__(self) -> None:
        self.spoke: list[tuple[str, int]] = []
        self.book = GroupBook(lambda room_id, producer: self.spoke.append((room_id, producer)))
        self.fakes = [FakeWorker() for _ in range(3)]
        self.workers = [cast("Worker", one) for one in self.fakes]

    def limits(self, worker: int) -> list[tuple[int, int]]:
        calls, self.fakes[worker].told = self.fakes[worker].told, []
        return [(call.group, call.limit) for call in calls if isinstance(call, wire.SetLoudest)]


def test_a_room_has_one_number_and_a_room_made_anew_another() -> None:
    scene = Scene()
    for room in ("a", "a", "b"):
        scene.book.open(room)
    first, second, worker = scene.workers
    assert scene.book.number_at("a", first) == scene.book.number_at("a", second) == 1
    assert scene.book.number_at("b", first) == 2
    scene.book.close("a")
    scene.book.close("a")
    assert scene.book.number_at("a", first) == 0
    scene.book.open("a")
    assert scene.book.number_at("a", worker) == 3


def test_a_worker_hears_of_a_limit_when_it_has_the_room_and_when_it_changes() -> None:
    scene = Scene()
    scene.book.open("a")
    scene.book.set_limit("a", 3)
    assert scene.limits(0) == []
    for _ in range(2):
        scene.book.number_at("a", scene.workers[0])
    assert scene.limits(0) == [(1, 3)]
    scene.book.set_limit("a", 3)
    scene.book.set_limit("a", 5)
    scene.book.set_limit("unknown", 1)
    assert (scene.limits(0), scene.limits(1)) == ([(1, 5)], [])
    scene.book.close("a")
    assert (scene.limits(0), scene.limits(1)) == ([(1, 0)], [])


def test_the_speaker_is_whom_a_worker_named_last_and_stands_by() -> None:
    scene = Scene()
    scene.book.open("a")
    for worker in scene.workers:
        scene.book.number_at("a", worker)
    one, two, three = scene.workers
    scene.book.named(one, 1, 10)
    scene.book.named(two, 1, 10)
    scene.book.named(three, 1, 20)
    scene.book.named(three, 1, 0)
    scene.book.named(one, 99, 30)
    scene.book.worker_lost(two)
    scene.book.forget("a", 10)
    scene.book.forget("gone", 10)
    assert scene.spoke == [("a", 10), ("a", 20), ("a", 10), ("a", 0)]


WORD = st.tuples(st.integers(0, 2), st.integers(0, 4))


@given(st.lists(WORD, max_size=30))
def test_somebody_speaks_while_any_worker_says_so(words: list[tuple[int, int]]) -> None:
    scene = Scene()
    scene.book.open("a")
    last: dict[int, int] = {}
    for worker, producer in words:
        scene.book.named(scene.workers[worker], 1, producer)
        last.pop(worker, None)
        last[worker] = producer
        stands = [one for one in last.values() if one]
        assert (scene.spoke[-1][1] if scene.spoke else 0) == (stands[-1] if stands else 0)
    assert all(one != other for one, other in zip(scene.spoke, scene.spoke[1:], strict=False))
