"""Growth is kept whole and put where it belongs, however samples fall."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat.load.histogram import Histogram
from simplestchat.load.logbook import MAX_CELLS
from simplestchat.load.timeline import US, Timeline, at, climb, growth, ratio, total


@given(st.lists(st.tuples(st.integers(1, 3 * US), st.integers(0, 1000)), min_size=1, max_size=30))
def test_no_growth_is_lost_or_made_up(steps: list[tuple[int, int]]) -> None:
    points, when, value = [(0, 0.0)], 0, 0.0
    for span, more in steps:
        when, value = when + span, value + more
        points.append((when, value))
    line = Timeline(0, when)
    rates = line.rate(points)
    last_s = (when - (line.count - 1) * US) / US
    grown = sum(rate for rate in rates[:-1] if rate is not None)
    if rates[-1] is not None:
        grown += rates[-1] * last_s
        assert grown == pytest.approx(value)
    assert all(rate is None or rate >= -1e-6 for rate in rates)


def test_samples_a_little_off_the_second_make_no_jagged_curve() -> None:
    points = [(0, 0.0)] + [(second * US + (second % 2) * 30_000, 100.0 * second) for second in range(1, 11)]
    assert all(94 < rate < 107 for rate in Timeline(0, 10 * US).rate(points) if rate is not None)


def test_a_counter_that_begins_anew_goes_on() -> None:
    points = [(0, 10.0), (US, 20.0), (2 * US, 5.0), (3 * US, 15.0)]
    assert climb(points) == [(0, 10.0), (US, 20.0), (2 * US, 25.0), (3 * US, 35.0)]
    assert Timeline(0, 3 * US).rate(points) == [10, 5, 10]


def test_what_was_not_watched_has_no_value() -> None:
    line = Timeline(0, 4 * US)
    assert line.rate([(US, 0.0), (2 * US, 7.0)]) == [None, 7, None, None]
    assert line.level([(US + US // 2, 3.0)]) == [None, 3.0, 3.0, None]
    assert line.level([(US + 20_000, 3.0)])[0] == 3.0, "a sample a little late is still of its second"
    assert line.rate([]) == line.level([]) == [None] * 4
    assert growth([(0, 1.0)], 0, US) is None
    assert growth([(0, 1.0), (US, 5.0)], 2 * US, 3 * US) is None
    assert growth([(0, 1.0), (2 * US, 5.0)], US, 9 * US) == 2
    assert at([(0, 1.0), (2, 3.0)], 1) == 2


def test_curves_add_up_where_they_have_values() -> None:
    assert total([[1.0, None, None], [2.0, 3.0, None]]) == [3, 3, None]
    assert ratio([1.0, None, 3.0], [2.0, 1.0, 0.0]) == [0.5, None, None]


def test_a_long_run_gets_wider_bins() -> None:
    day = Timeline(0, 24 * 3600 * US)
    assert day.count <= MAX_CELLS
    assert day.width_us % US == 0
    assert len(day.seconds) == day.count
    assert day.seconds[1] == day.width_us / US


def test_histograms_fall_into_the_second_before_their_sample() -> None:
    first, second = Histogram(), Histogram()
    first.add(10)
    second.add(20)
    bins = Timeline(0, 3 * US).spreads([(US + 20_000, first.data()), (2 * US - 10_000, second.data())])
    assert [one.count for one in bins] == [1, 1, 0]
