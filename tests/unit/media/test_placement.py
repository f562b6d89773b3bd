"""Where participants go: rooms stay whole while there is room, and a big one takes as many workers as it needs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from simplestchat.media.placement import LEAST_SPAN_S, RELIEF, STEP, YOUNG_SHARE, Load, Places, choose

US = 1_000_000
BUSY = 0.5


@dataclass(eq=False)
class Worker:
    index: int
    load: Load = field(default_factory=Load)


def workers(*shares: float) -> list[Worker]:
    """Workers that take these shares of a core."""
    made = [Worker(index) for index in range(len(shares))]
    for worker, share in zip(made, shares, strict=True):
        worker.load.measured(0, 0)
        worker.load.measured(round(share * 2 * US), 2)
    return made


def test_a_room_begins_on_the_idlest_worker() -> None:
    assert choose(some := workers(0.4, 0.1, 0.3), [], BUSY) is some[1]
    assert choose([], [], BUSY) is None


def test_it_stays_while_its_worker_has_room_and_then_goes_on() -> None:
    some = workers(BUSY - STEP, 0)
    assert choose(some, some[:1], BUSY) is some[0]
    some = workers(BUSY, 0)
    assert choose(some, some[:1], BUSY) is some[1]


def test_it_stays_where_all_are_as_busy() -> None:
    some = workers(0.9, 0.8)
    assert choose(some, some[:1], BUSY) is some[0]
    some = workers(0.9, 0.9 * RELIEF - STEP)
    assert choose(some, some[:1], BUSY) is some[1]


def test_of_the_workers_that_it_uses_the_idlest_is_taken() -> None:
    some = workers(0.45, 0.2, 0)
    assert choose(some, some[:2], BUSY) is some[1]


def test_a_lost_worker_is_no_home() -> None:
    places, some = Places(), workers(0, 0)
    places.open("room")
    places.take("room", "ada", some[0])
    assert places.find("room", "ada", some[1:], BUSY) is some[1]
    assert places.find("room", "ben", [], BUSY) is None
    # Who came back sits on the new one, and the old one's end changes nothing of that.
    places.take("room", "ada", some[1])
    places.give_back("room", "ada", some[0])
    assert places.find("room", "ada", some, BUSY) is some[1]


def test_a_participant_s_transports_are_on_one_worker() -> None:
    places, some = Places(), workers(0, 0)
    places.open("room")
    places.take("room", "ada", some[1])
    some[1].load.measured(10 * US, 4)
    assert places.find("room", "ada", some, BUSY) is some[1]
    assert places.find("room", "ben", some, BUSY) is some[0]
    places.give_back("room", "ada", some[1])
    assert places.find("room", "ada", some, BUSY) is some[0]


def test_a_burst_of_newcomers_spreads_before_anything_is_measured() -> None:
    places, some = Places(), workers(0, 0, 0, 0)
    places.open("webinar")
    taken: Counter[int] = Counter()
    for number in range(2000):
        worker = places.find("webinar", str(number), some, BUSY)
        assert worker is not None
        places.take("webinar", str(number), worker)
        worker.load.objects += 2
        taken[worker.index] += 1
    assert sorted(taken) == [0, 1, 2, 3]
    assert max(taken.values()) < 1.5 * min(taken.values())


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_small_rooms_stay_whole(sizes: list[int]) -> None:
    places, some = Places(), workers(0, 0, 0)
    for room, size in enumerate(sizes):
        places.open(str(room))
        taken = set()
        for number in range(size):
            worker = places.find(str(room), f"{room}-{number}", some, BUSY)
            assert worker is not None
            places.take(str(room), f"{room}-{number}", worker)
            taken.add(worker.index)
            some[number % 3].load.measured(0, 4.0 * room)
        assert len(taken) == 1 or max(worker.load.value for worker in some) >= BUSY


def test_what_is_expected_gives_way_to_what_is_measured() -> None:
    load = Load()
    for _ in range(100):
        load.placed()
    load.measured(0, 10)
    assert load.value == 100 * YOUNG_SHARE
    load.measured(US, 10 + LEAST_SPAN_S / 2)  # too soon
    assert load.value == 100 * YOUNG_SHARE
    load.measured(US, 12)
    assert load.value == 0.5 + 100 * YOUNG_SHARE
    load.measured(US, 14)
    assert load.value == 0
    load.measured(0, 16)  # a clock of processors that went back
    assert load.value == 0


def test_a_room_that_is_closed_is_forgotten() -> None:
    places, (worker,) = Places(), workers(0)
    places.open("room")
    places.take("room", "ada", worker)
    places.open("room")
    assert places.find("room", "ada", [worker], BUSY) is worker
    places.close("room")
    places.give_back("room", "ada", worker)
    assert not places.is_open("room")
