"""Packets leave at a pace: never more than was allowed, never nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.testing.probe_allocation import Pacer

S = 1_000_000
MAX_RATE = 25_000_000_000
MIN_RATE = 100_000
#: The most that may leave at once: 5 ms of the rate, and two packets.
PACKETS = 3000

ESTIMATE = st.integers(0, 100_000_000)
SIZE = st.integers(1, 1500)


def paced(pacer: Pacer, sizes: list[int], now: int) -> list[tuple[int, int]]:
    """Sends packets as soon as they may leave: (time, size) of each."""
    sent = []
    for size in sizes:
        if not pacer.may_send(now):
            assert pacer.ready_us() > now
            assert not pacer.may_send(pacer.ready_us() - 1)
            now = pacer.ready_us()
            assert pacer.may_send(now)
        pacer.spend(size, now)
        sent.append((now, size))
    return sent


def within(rate_bps: int, window_us: int) -> float:
    """Bytes that a window may hold."""
    return rate_bps * (window_us + 5000) / 8e6 + PACKETS


@pytest.mark.parametrize("estimate", [0, 300_000, 2_000_000, 100_000_000])
def test_the_rate_is_a_little_more_than_the_estimate(estimate: int) -> None:
    pacer = Pacer(S)
    pacer.rate(estimate, S)
    rate = max(estimate * 105 // 100, MIN_RATE)
    assert pacer.rate_bps == rate
    sent = paced(pacer, [1200] * 2000, S)
    assert 2000 * 1200 - PACKETS - rate / 1600 <= rate * (sent[-1][0] - S) / 8e6 <= 2000 * 1200


@given(ESTIMATE, st.lists(st.tuples(SIZE, st.integers(0, 30_000)), min_size=1, max_size=60), st.integers(0, 2**52))
def test_no_window_holds_more_than_its_share(estimate: int, packets: list[tuple[int, int]], start: int) -> None:
    pacer = Pacer(start)
    pacer.rate(estimate, start)
    now, sent = start, []
    for size, pause in packets:
        now += pause
        sent += paced(pacer, [size], now)
        now = max(now, sent[-1][0])
    for first in range(len(sent)):
        total = 0
        for at, size in sent[first:]:
            total += size
            assert total <= within(pacer.rate_bps, at - sent[first][0]) + 1


@given(st.lists(st.tuples(ESTIMATE, SIZE), min_size=1, max_size=40))
def test_no_window_holds_more_than_the_largest_rate_allows(steps: list[tuple[int, int]]) -> None:
    pacer = Pacer(S)
    now, sent = S, []
    for estimate, size in steps:
        pacer.rate(estimate, now)
        sent += paced(pacer, [size], now)
        now = sent[-1][0]
    rate = max(MIN_RATE, *(estimate * 105 // 100 for estimate, _ in steps))
    assert sum(size for _, size in sent) <= within(rate, now - S) + 1


@given(ESTIMATE, st.lists(st.integers(0, 2**32 - 1), max_size=20))
def test_nobody_waits_longer_than_a_debt_lasts(estimate: int, sizes: list[int]) -> None:
    # What does not wait (audio, or a caller that does not ask) is spent, too, however much it is.
    pacer = Pacer(S)
    pacer.rate(estimate, S)
    for size in sizes:
        pacer.spend(size, S)
    assert pacer.ready_us() <= S + 500_000
    assert pacer.may_send(S + 500_000)


def test_a_fall_of_the_rate_is_not_paid_for_with_a_long_silence() -> None:
    pacer = Pacer(S)
    pacer.rate(50_000_000, S)
    for _ in range(50):
        pacer.spend(1500, S)
    pacer.rate(100_000, S + 1000)
    assert pacer.ready_us() <= S + 501_000


def test_a_pause_earns_no_more_than_the_burst() -> None:
    pacer = Pacer(0)
    pacer.rate(1_000_000, 0)
    burst = 1_050_000 * 5000 / 8e6 + PACKETS
    for now in (3600 * S, 2**50, 2**62):
        sent = 0
        while pacer.may_send(now):
            pacer.spend(1000, now)
            sent += 1000
        assert burst - 1000 <= sent <= burst


def test_a_clock_that_goes_back_pays_nothing_and_breaks_nothing() -> None:
    pacer = Pacer(10 * S)
    pacer.rate(1_000_000, 10 * S)
    while pacer.may_send(10 * S):
        pacer.spend(1200, 10 * S)
    assert not pacer.may_send(5 * S)
    assert 10 * S < pacer.ready_us() < 10 * S + 20_000
    assert pacer.may_send(10 * S + 20_000)


@pytest.mark.parametrize("estimate", [2**64 - 1, MAX_RATE])
def test_an_absurd_estimate_does_not_overflow(estimate: int) -> None:
    pacer = Pacer(S)
    pacer.rate(estimate, S)
    assert pacer.rate_bps == MAX_RATE
    pacer.spend(2**32 - 1, S)
    assert S <= pacer.ready_us() <= S + 500_000
