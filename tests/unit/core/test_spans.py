"""Counted spans: the native ones against the plain ones, and the plain ones against counting by hand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.testing.probe_core import Spans as NativeSpans
from simplestchat.model.spans import Spans

BOUNDS_US = NativeSpans().take()[0]
NEAR_BOUNDS = st.sampled_from(BOUNDS_US).flatmap(lambda bound: st.integers(bound - 1, bound + 1))


def test_bounds_grow_from_50_us_to_100_ms() -> None:
    assert BOUNDS_US[0] == 50
    assert BOUNDS_US[-1] == 100_000
    assert all(1.2 < later / former <= 2 for former, later in pairwise(BOUNDS_US))


@given(st.lists(NEAR_BOUNDS | st.integers(0, 2**40)))
def test_native_and_plain_agree(spans_us: list[int]) -> None:
    native, plain = NativeSpans(), Spans(BOUNDS_US)
    for span in spans_us:
        native.add(span)
        plain.add(span)
    assert native.take() == (BOUNDS_US, plain.counts, plain.sum_s)
    assert plain.cumulative() == [
        (bound, sum(span <= bound for span in spans_us)) for bound in (*BOUNDS_US, float("inf"))
    ]


def test_a_clock_that_was_set_back_counts_as_no_time() -> None:
    spans = NativeSpans()
    spans.add(-3_600_000_000)
    _, counts, total = spans.take()
    assert (counts[0], sum(counts), total) == (1, 1, 0)


def test_counts_must_fit_bounds() -> None:
    assert Spans([1.0], [2, 3], 4.0).cumulative() == [(1.0, 2), (float("inf"), 5)]
    with pytest.raises(ValueError, match="one count more"):
        Spans([1.0], [2])
