"""A ratio's interval: it holds what it should, moves and turns with what is measured, and is as sure as it says."""

from __future__ import annotations

import math
import random

import pytest
from compare.statistics import interval, ratio_of_pairs
from hypothesis import given
from hypothesis import strategies as st

RATIOS = st.lists(st.floats(0.5, 2.0), min_size=2, max_size=30)
FACTORS = st.floats(0.1, 10.0)


@given(RATIOS)
def test_holds_its_own_ratio_which_is_between_the_least_and_the_largest(ratios: list[float]) -> None:
    found = interval(ratios)
    assert found.low <= found.ratio <= found.high
    assert min(ratios) - 1e-9 <= found.ratio <= max(ratios) + 1e-9


@given(RATIOS, FACTORS)
def test_what_is_slower_by_a_factor_moves_by_it(ratios: list[float], factor: float) -> None:
    plain, moved = interval(ratios), interval([ratio * factor for ratio in ratios])
    for before, after in ((plain.low, moved.low), (plain.ratio, moved.ratio), (plain.high, moved.high)):
        assert after == pytest.approx(before * factor, rel=1e-6)


@given(RATIOS)
def test_the_other_way_round_it_is_the_reciprocal(ratios: list[float]) -> None:
    there, back = interval(ratios), interval([1 / ratio for ratio in ratios])
    assert back.ratio == pytest.approx(1 / there.ratio)
    assert back.low == pytest.approx(1 / there.high)


@given(RATIOS)
def test_more_of_the_same_is_surer(ratios: list[float]) -> None:
    assert interval(ratios * 4).width <= interval(ratios).width + 1e-9


@given(st.floats(0.5, 2.0), st.integers(2, 40))
def test_what_never_varies_is_certain(ratio: float, rounds: int) -> None:
    assert interval([ratio] * rounds).width == pytest.approx(0, abs=1e-9)


def test_one_round_says_nothing() -> None:
    found = interval([1.5])
    assert (found.low, found.high, found.width) == (0, math.inf, math.inf)


@pytest.mark.parametrize("rounds", [4, 12, 40])
def test_holds_the_truth_as_often_as_it_says(rounds: int) -> None:
    chance = random.Random(rounds)
    missed = 0
    for _ in range(2000):
        found = interval([1.03 * math.exp(chance.gauss(0, 0.05)) for _ in range(rounds)])
        missed += not found.low <= 1.03 <= found.high
    assert missed / 2000 <= 0.02  # one in a hundred, and some luck


@given(st.floats(0.5, 2.0), st.floats(-0.01, 0.01))
def test_a_drift_of_the_machine_is_in_neither_side(ratio: float, drift: float) -> None:
    machine = [math.exp(drift * moment) for moment in range(12)]
    before = [100 * machine[at] for at in (0, 3, 4, 7, 8, 11)]
    after = [100 * ratio * machine[at] for at in (1, 2, 5, 6, 9, 10)]
    assert ratio_of_pairs(before, after) == pytest.approx(ratio, rel=abs(drift) + 1e-6)


@given(st.floats(0.5, 2.0), st.lists(st.floats(1, 100), min_size=2, max_size=2))
def test_a_disturbed_pair_of_several_does_not_matter(ratio: float, disturbed: list[float]) -> None:
    before, after = [100.0] * 5 + [disturbed[0]], [100.0 * ratio] * 5 + [disturbed[1]]
    assert ratio_of_pairs(before, after) == pytest.approx(ratio)
