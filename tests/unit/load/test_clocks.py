"""Clocks of other machines: drift is followed, a jump is told, what waited in a queue is not believed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat.load.clocks import EVERY_S, Course

US = 1_000_000
STEP_US = round(EVERY_S * US)


def compare(course: Course, at_us: int, offset_us: float, trips_us: tuple[int, ...], share: float = 0.5) -> bool:
    """One comparison; the way there takes ``share`` of each trip."""
    for number, trip_us in enumerate(trips_us):
        asked_us = at_us + 10_000 * number
        course.answered(asked_us, round(asked_us + share * trip_us + offset_us), asked_us + trip_us)
    return course.compared()


def test_the_shortest_trip_is_believed() -> None:
    course = Course()
    assert compare(course, 0, 7_000, (9_000, 400, 2_000), share=0.9)
    assert course.error_us == 200
    assert abs(course.offset_at(0) - 7_000) <= 200


def test_nothing_was_answered() -> None:
    course = Course()
    assert not course.compared()
    assert course.offset_at(5) == 0
    assert course.ours(5) == 5


@pytest.mark.parametrize("ppm", [-120.0, 0.0, 35.0, 400.0])
def test_drift_is_followed(ppm: float) -> None:
    chance = random.Random(7)
    course = Course()
    for step in range(1, 721):
        at_us = step * STEP_US
        trips = tuple(chance.randrange(300, 1500) for _ in range(8))
        compare(course, at_us, 5_000 + ppm * at_us / US, trips, share=chance.random())
        later_us = at_us + STEP_US
        true_us = 5_000 + ppm * later_us / US
        if step > 3:
            assert abs(course.offset_at(later_us) - true_us) < 600, step  # half a trip, whatever the drift adds up to
            assert abs(course.ours(round(later_us + true_us)) - later_us) < 600
    assert course.drift_ppm == pytest.approx(ppm, abs=0.5)
    assert course.jump is None
    # And in the middle of what was compared it goes straight from one to the next.
    assert abs(course.offset_at(3_000 * US) - (5_000 + ppm * 3_000)) < 600


def test_a_jump_is_told_and_what_was_before_forgotten() -> None:
    course = Course()
    for step in range(1, 30):
        compare(course, step * STEP_US, 100.0 if step < 15 else 90_100.0, (400, 500))
    assert course.jump is not None
    assert course.jump.at_us == pytest.approx(15 * STEP_US, abs=US)
    assert course.jump.by_us == pytest.approx(90_000, abs=400)
    assert abs(course.offset_at(30 * STEP_US) - 90_100) < 300


def test_a_comparison_that_waited_is_passed_over_unless_there_is_none_better() -> None:
    course = Course()
    compare(course, 0, 0, (400,))
    assert not compare(course, STEP_US, 0, (90_000, 70_000), share=0.99)
    assert course.error_us == 200
    assert compare(course, 8 * STEP_US, 0, (90_000, 70_000), share=0.99)
    assert course.error_us == 35_000
    assert course.jump is None  # the error says as much


@given(st.lists(st.tuples(st.integers(1, 10**8), st.integers(-(10**9), 10**9), st.integers(0, 10**6)), max_size=60))
def test_it_stays_within_what_was_told(steps: list[tuple[int, int, int]]) -> None:
    course, at_us = Course(), 0
    for wait_us, offset_us, trip_us in steps:
        at_us += wait_us
        compare(course, at_us, offset_us, (trip_us,))
        known = [one.offset_us for one in course.readings]
        assert min(known) - 10**6 <= course.offset_at(at_us) <= max(known) + 10**6


def test_days_of_comparisons_are_bounded() -> None:
    course = Course()
    for step in range(1, 20_000):
        compare(course, step * STEP_US, 20.0 * step, (400,))
    assert len(course.readings) <= 1024
    assert course.readings[0].at_us < 2 * STEP_US
    assert course.drift_ppm == pytest.approx(2.0, abs=0.01)
    assert abs(course.offset_at(10_000 * STEP_US) - 200_000) < 500
