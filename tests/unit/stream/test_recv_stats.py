"""Reception statistics against RFC 3550's own formulas in plain Python."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.testing.probe_stream import RecvStats

RATES = st.sampled_from([8000, 48000, 90000])


class Reference:
    """Appendices A.3 and A.8, with exact fractions for the jitter."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.received = self.expected_prior = self.received_prior = 0
        self.base = self.highest = -1
        self.jitter = Fraction(0)
        self.last: tuple[int, int] | None = None

    def packet(self, index: int, timestamp: int, now: int) -> None:
        if self.last is None:
            self.base = self.highest = index
        else:
            last_timestamp, last_now = self.last
            ticks = (timestamp - last_timestamp + 2**31) % 2**32 - 2**31
            step = abs(Fraction((now - last_now) * self.rate, 10**6) - ticks)
            if step <= 5 * self.rate:
                self.jitter += (step - self.jitter) / 16
            self.base, self.highest = min(self.base, index), max(self.highest, index)
        self.last = timestamp, now
        self.received += 1

    def report(self) -> tuple[int, int, int]:
        expected = self.highest - self.base + 1
        interval, got = expected - self.expected_prior, self.received - self.received_prior
        self.expected_prior, self.received_prior = expected, self.received
        lost = interval - got
        fraction = min(255, (lost << 8) // interval) if interval and lost > 0 else 0
        return fraction, max(-0x800000, min(0x7FFFFF, expected - self.received)), self.highest & 0xFFFFFFFF


ARRIVALS = st.lists(
    st.tuples(st.integers(-20, 60), st.integers(0, 100_000), st.integers(-9000, 9000), st.booleans()), max_size=120
)


@given(RATES, ARRIVALS, st.sampled_from([100, 2**16 - 30, 2**32 - 30, 2**47]), st.sampled_from([0, 2**32 - 4000]))
def test_agrees_with_the_reference(
    rate: int, arrivals: list[tuple[int, int, int, bool]], index: int, timestamp: int
) -> None:
    stats, reference = RecvStats(7, rate), Reference(rate)
    now = 1_000_000
    expected = 0
    for jump, wait, drift, report in arrivals:
        index = max(0, index + jump)
        now += wait
        timestamp = (timestamp + wait * rate // 10**6 + drift) % 2**32
        expected += stats.packet(index, timestamp, 100, now)
        reference.packet(index, timestamp, now)
        assert expected == reference.highest - reference.base + 1
        if report:
            block = stats.report(now)
            fraction, cumulative, highest = reference.report()
            assert (block["fraction_lost"], block["cumulative_lost"]) == (fraction, cumulative)
            assert block["highest_seq"] == highest
            # Integers round each step by less than one tick, which the filter keeps within a few ticks.
            assert abs(block["jitter"] - reference.jitter) <= 2
    assert stats.counters()[:2] == (len(arrivals), 100 * len(arrivals))


def test_nothing_came() -> None:
    block = RecvStats(7, 90000).report(5)
    assert block == {
        "ssrc": 7,
        "fraction_lost": 0,
        "cumulative_lost": 0,
        "highest_seq": 0,
        "jitter": 0,
        "lsr": 0,
        "dlsr": 0,
    }


def test_all_of_an_interval_lost_is_255() -> None:
    stats = RecvStats(1, 90000)
    stats.packet(10, 0, 1, 0)
    stats.report(0)
    for index in range(12, 400, 2):
        stats.packet(index, 0, 1, 0)
    assert 127 <= stats.report(0)["fraction_lost"] <= 129
    stats.packet(500, 0, 1, 0)
    stats.report(0)
    assert stats.report(0)["fraction_lost"] == 0, "an interval without packets expected none"


def test_duplicates_make_the_loss_negative() -> None:
    stats = RecvStats(1, 90000)
    for _ in range(5):
        stats.packet(10, 0, 1, 0)
    assert stats.lost() == -4
    block = stats.report(0)
    assert (block["cumulative_lost"], block["fraction_lost"]) == (-4, 0)


def test_a_packet_from_before_the_first_one_is_no_loss() -> None:
    stats = RecvStats(1, 90000)
    for index in (11, 10, 12):
        stats.packet(index, 0, 1, 0)
    assert stats.lost() == 0


@pytest.mark.parametrize("lost", [0x7FFFFF, 0x800000, 2**31, 2**40])
def test_cumulative_loss_stays_in_24_bits(lost: int) -> None:
    stats = RecvStats(1, 90000)
    stats.packet(0, 0, 1, 0)
    stats.packet(lost + 1, 0, 1, 0)
    assert stats.report(0)["cumulative_lost"] == min(lost, 0x7FFFFF)


def test_hostile_timestamps_do_not_inflate_the_jitter() -> None:
    stats = RecvStats(1, 90000)
    for index in range(1000):
        stats.packet(index, (index % 2) << 31, 1, index * 1000)
    assert stats.report(0)["jitter"] == 0
    for index in range(1000, 2000):
        stats.packet(index, (index % 2) * 449_000, 1, index * 1000)
    assert stats.report(0)["jitter"] <= 449_100


@given(st.integers(0, 2**64 - 1), st.integers(0, 10**12), st.integers(0, 3_600_000_000))
def test_last_sender_report(ntp: int, arrival: int, wait: int) -> None:
    stats = RecvStats(1, 90000)
    stats.sender_report(ntp, arrival)
    block = stats.report(arrival + wait)
    assert block["lsr"] == (ntp >> 16) & 0xFFFFFFFF
    assert abs(block["dlsr"] - (wait * 65536 // 10**6) % 2**32) <= 1
