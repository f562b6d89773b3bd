"""Confidence intervals hold the truth about as often as they say, and the same reports give the same one."""

from __future__ import annotations

import random

import pytest

from simplestchat.load.resample import of_events, of_runs, of_seconds, student


def seconds(seed: int, mean: float, count: int = 60, memory: float = 0.5) -> list[float]:
    """Seconds of which each resembles the one before."""
    chance = random.Random(seed)
    value, found = 0.0, []
    for _ in range(count):
        value = memory * value + chance.gauss(0, 0.1 * mean)
        found.append(mean + value)
    return found


def test_equal_sides_are_told_apart_seldom_and_a_change_nearly_always() -> None:
    false_alarms = found = 0
    for seed in range(40):
        same = of_seconds(seconds(seed, 100), seconds(1000 + seed, 100))
        slower = of_seconds(seconds(seed, 100), seconds(1000 + seed, 120))
        assert same is not None
        assert slower is not None
        false_alarms += not same.low <= 1 <= same.high
        found += slower.low > 1
    assert false_alarms <= 2
    assert found >= 36


def test_the_same_values_give_the_same_interval() -> None:
    before, after = seconds(1, 100), seconds(2, 110)
    assert of_seconds(before, after) == of_seconds(before, after)


def test_more_seconds_are_surer() -> None:
    few, many = (of_seconds(seconds(1, 100, count), seconds(2, 100, count)) for count in (20, 500))
    assert few is not None
    assert many is not None
    assert many.high - many.low < (few.high - few.low) / 2


def test_too_little_tells_nothing() -> None:
    assert of_seconds([1.0] * 7, [1.0] * 100) is None
    assert of_seconds([0.0] * 10, [1.0] * 10) is None, "nothing before"
    assert of_runs([1.0], [2.0]) is None
    assert of_runs([], [1.0, 2.0, 3.0]) is None
    assert of_events([(1.0, 10)], [(1.0, 100)]) is None


def test_runs_are_drawn_whole() -> None:
    interval = of_runs([100, 101, 99, 100], [110, 111, 109, 110])
    assert interval is not None
    assert interval.ratio == pytest.approx(1.1)
    assert 1.05 < interval.low < 1.1 < interval.high < 1.15


def test_equal_runs_are_seldom_told_apart_however_few() -> None:
    false_alarms = 0
    for seed in range(60):
        chance = random.Random(seed)
        sides = [[chance.gauss(100, 10) for _ in range(3)] for _ in range(2)]
        interval = of_runs(*sides)
        assert interval is not None
        false_alarms += not interval.low <= 1 <= interval.high
    assert false_alarms <= 3


def test_students_quantiles_are_those_of_the_tables() -> None:
    # The 99.5th percentile, as every table of the distribution has it.
    for freedom, value in ((4, 4.604), (8, 3.355), (20, 2.845), (60, 2.660)):
        assert student(freedom) == pytest.approx(value, rel=0.06)


def test_runs_that_waver_tell_little() -> None:
    wide = of_runs([80, 120, 100], [90, 130, 100])
    assert wide is not None
    assert wide.low < 1 < wide.high


def test_events_are_compared_by_rank() -> None:
    before = [(float(value), 10) for value in range(1, 101)]
    after = [(1.2 * value, count) for value, count in before]
    interval = of_events(before, after)
    assert interval is not None
    assert interval.ratio == pytest.approx(1.2)
    assert 1.1 < interval.low < 1.2 < interval.high < 1.3
    same = of_events(before, before)
    assert same is not None
    assert same.low < 1 < same.high
