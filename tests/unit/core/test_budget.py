"""The token bucket against one that remembers everything."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.testing.probe_core import Budget

START = 1_000_000_000


@given(
    st.integers(1, 50),
    st.integers(1, 10_000),
    st.lists(st.tuples(st.integers(-50, 2_000), st.integers(0, 3_000)), max_size=80),
)
def test_agrees_with_exact_accounts(per_us: int, burst: int, steps: list[tuple[int, int]]) -> None:
    budget = Budget(per_us, burst, START)
    credit, latest, now = burst, START, START
    for wait, amount in steps:
        now += wait
        if now > latest:
            credit, latest = min(burst, credit + (now - latest) * per_us), now
        assert budget.has(now) == (credit > 0)
        assert budget.credit == credit
        if credit > 0:
            budget.spend(amount)
            credit -= amount


def test_a_debt_of_any_size_and_a_pause_of_any_length_fit() -> None:
    budget = Budget(25, 2**23, 0)
    budget.spend(2**60)
    assert not budget.has(1)
    assert budget.has(2**62)
    assert budget.credit == 2**23
