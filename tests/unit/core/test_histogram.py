"""The native histogram and the Python one are the same, and tell percentiles well enough."""

from __future__ import annotations

import math

from hypothesis import example, given
from hypothesis import strategies as st

from simplestchat._native.testing import probe_peer as native
from simplestchat.load.histogram import BUCKETS, Histogram, bounds_of, bucket_of

SPANS = st.one_of(st.integers(0, 200), st.integers(0, 5_000_000), st.integers(0, 2**40))


@given(st.one_of(st.integers(0, 2**20), st.integers(0, 2**63)))
@example(63)
@example(64)
@example(2**36)
def test_both_cut_the_same_buckets(value: int) -> None:
    assert native.histogram_bucket(value) == bucket_of(value)


def test_every_bucket_begins_where_the_one_before_ends() -> None:
    assert native.BUCKETS == BUCKETS
    for bucket in range(BUCKETS - 1):
        low, high = bounds_of(bucket)
        assert bounds_of(bucket + 1)[0] == high
        assert native.histogram_bucket(low) == native.histogram_bucket(high - 1) == bucket
        assert low < 64 or (high - low) * 32 <= low


@given(st.lists(st.integers(-1000, 2**40), max_size=50))
def test_both_hold_the_same(values: list[int]) -> None:
    ours, python = native.Histogram(), Histogram()
    for value in values:
        ours.add(value)
        python.add(value)
    assert ours.take() == python.data()


@given(st.lists(SPANS, max_size=30), st.lists(SPANS, max_size=30))
def test_merging_is_adding_all(one: list[int], two: list[int]) -> None:
    left, right, together = native.Histogram(), native.Histogram(), native.Histogram()
    for value in one:
        left.add(value)
        together.add(value)
    for value in two:
        right.add(value)
        together.add(value)
    python = Histogram()
    left.merge(right)
    python.merge(right.take())
    merged = left.take()
    assert merged == together.take()
    python.merge(merged)
    assert python.count == len(one) + 2 * len(two)
    assert python.sum == sum(one) + 2 * sum(two)


@given(st.lists(st.one_of(st.integers(0, 300), st.integers(0, 2**35)), min_size=1, max_size=200), st.floats(0, 1))
def test_percentiles_are_within_a_bucket(values: list[int], share: float) -> None:
    ours, python = native.Histogram(), Histogram()
    for value in values:
        ours.add(value)
    python.merge(ours.take())
    exact = sorted(values)[max(1, math.ceil(int(share * len(values) * 1_000_000) / 1_000_000)) - 1]
    assert abs(python.percentile(share) - exact) <= max(0.032 * exact, 0.5)


def test_taking_begins_anew() -> None:
    histogram = native.Histogram()
    histogram.add(7)
    assert histogram.take() == (1, 7, 7, 7, {7: 1})
    assert histogram.take() == (0, 0, 0, 0, {})
    histogram.add(9)
    assert histogram.take() == (1, 9, 9, 9, {9: 1})


def test_a_full_bucket_stays_full() -> None:
    one, two = native.Histogram(), native.Histogram()
    one.saturate(5)
    for histogram in (one, two):
        histogram.add(5)
        histogram.add(5)
    one.merge(two)
    count, _, _, _, buckets = one.take()
    assert (count, buckets) == (4, {5: 2**32 - 1})
