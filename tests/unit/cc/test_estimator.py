"""One estimator, told by hand."""

from __future__ import annotations

import pytest

from simplestchat._native.testing.probe_cc import LEAST_BPS, MOST_BPS, Estimator

MS = 1_000


def _talk(bwe: Estimator, begin_ms: int, end_ms: int, later_us: float = 0, size: int = 1200) -> None:
    """Send a packet each 10 ms (960 kbit/s), tell of ten at once; each ``later_us`` later than the one before."""
    for tenth, at in enumerate(range(begin_ms, end_ms, 100)):
        numbers = [bwe.send(size, (at + 10 * i) * MS) for i in range(10)]
        delay = 25 * MS + later_us * 10 * tenth
        arrivals: list[int | None] = [int((at + 10 * i) * MS + delay + later_us * i) for i in range(10)]
        bwe.feedback(numbers[0], arrivals, (at + 100) * MS + 50 * MS)
        bwe.tick((at + 100) * MS)


def test_numbers_are_consecutive_and_sixteen_bits_wide() -> None:
    bwe = Estimator(300_000)
    assert [bwe.send(100, 1000 * i) for i in range(70_000)] == [i & 0xFFFF for i in range(70_000)]


def test_memory_is_small_until_used_and_bounded() -> None:
    bwe = Estimator(300_000)
    assert bwe.state()["bytes"] <= 1536
    for i in range(50):
        bwe.send(100, 20 * MS * i)
    assert bwe.state()["bytes"] <= 1536 + 64 * 24
    for i in range(100_000):
        bwe.send(1200, 1_000_000 + 10 * i)
    assert bwe.state()["bytes"] <= 1536 + 8192 * 24


def test_a_delay_that_grows_is_overuse_and_lowers_the_estimate() -> None:
    bwe = Estimator(1_000_000)
    _talk(bwe, 0, 2000)
    assert bwe.state()["usage"] == "normal"
    before = bwe.state()["estimate_bps"]
    _talk(bwe, 2000, 3000, later_us=2 * MS)
    assert bwe.state()["usage"] == "over"
    assert bwe.state()["estimate_bps"] < before
    assert bwe.state()["estimate_bps"] == pytest.approx(0.85 * 960_000 / 1.2, rel=0.15)


def test_a_delay_that_stays_lets_the_estimate_grow_up_to_a_share_more_than_what_arrives() -> None:
    bwe = Estimator(300_000)
    _talk(bwe, 0, 60_000)
    assert bwe.state()["estimate_bps"] == pytest.approx(1.3 * 960_000, rel=0.05)


def test_silence_halves_again_and_again_but_not_below_the_least() -> None:
    bwe = Estimator(2_000_000)
    _talk(bwe, 0, 1000)
    seen = []
    for at in range(1000, 20_000, 50):
        bwe.send(1200, at * MS)
        bwe.tick(at * MS)
        seen.append(bwe.state()["estimate_bps"])
    assert seen[0] == seen[15] > seen[-1] == LEAST_BPS


def test_silence_where_nothing_was_sent_says_nothing() -> None:
    bwe = Estimator(2_000_000)
    _talk(bwe, 0, 1000)
    before = bwe.state()["estimate_bps"]
    for at in range(1000, 20_000, 50):
        bwe.tick(at * MS)
    assert bwe.state()["estimate_bps"] == before


@pytest.mark.parametrize("start_bps", [0, 1, 2**63, 2**64 - 1])
def test_the_estimate_has_bounds(start_bps: int) -> None:
    assert LEAST_BPS <= Estimator(start_bps).state()["estimate_bps"] <= MOST_BPS


def test_feedback_about_what_was_never_sent_or_twice_changes_nothing() -> None:
    bwe = Estimator(1_000_000)
    _talk(bwe, 0, 1000)
    before = bwe.state()
    bwe.feedback(5000, [10 * MS * i for i in range(50)], 1100 * MS)
    bwe.feedback(0, [2_000_000_000 + 10 * MS * i for i in range(50)], 1100 * MS)
    bwe.feedback(0, [None] * 100, 1100 * MS)
    after = bwe.state()
    assert after["estimate_bps"] == before["estimate_bps"]
    assert after["arrived_bps"] == before["arrived_bps"]
    assert after["loss"] == before["loss"]


def test_arrivals_that_are_too_good_to_be_true_buy_nothing() -> None:
    # All at the same moment, again and again: a path that carries everything at once would be no other.
    bwe = Estimator(300_000)
    for at in range(0, 60_000, 100):
        numbers = [bwe.send(1200, (at + 10 * i) * MS) for i in range(10)]
        bwe.feedback(numbers[0], [(at + 100) * MS] * 60, (at + 150) * MS)
        bwe.tick((at + 150) * MS)
    assert bwe.state()["estimate_bps"] <= 2 * 960_000


def test_a_clock_that_was_set_anew_is_no_queue() -> None:
    bwe = Estimator(1_000_000)
    _talk(bwe, 0, 3000)
    before = bwe.state()["estimate_bps"]
    for at in range(3000, 5000, 100):
        numbers = [bwe.send(1200, (at + 10 * i) * MS) for i in range(10)]
        bwe.feedback(numbers[0], [3_600_000_000 + (at + 10 * i) * MS for i in range(10)], (at + 150) * MS)
    assert bwe.state()["estimate_bps"] >= before


def test_the_round_trip_is_reported_or_taken_from_feedback() -> None:
    bwe = Estimator(1_000_000)
    _talk(bwe, 0, 3000)
    assert bwe.state()["rtt_us"] == pytest.approx(60 * MS, abs=5 * MS)
    bwe.rtt(30 * MS, 3000 * MS)
    assert bwe.state()["rtt_us"] == 30 * MS
    bwe.rtt(-5, 3000 * MS)
    bwe.rtt(2**60, 3000 * MS)
    assert bwe.state()["rtt_us"] == 30 * MS


def test_there_is_no_probe_before_the_first_feedback_nor_without_a_wish() -> None:
    bwe = Estimator(300_000)
    bwe.want(5_000_000, 5_000_000, 0)
    bwe.send(1200, 0)
    assert isinstance(bwe.probe(10 * MS), int)
    _talk(bwe, 0, 100)
    bwe.want(0, 0, 100 * MS)
    assert isinstance(bwe.probe(200 * MS), int)
    bwe.want(5_000_000, 5_000_000, 200 * MS)
    assert isinstance(bwe.probe(300 * MS), tuple)


def test_a_probe_has_the_rate_that_it_is_to_show() -> None:
    bwe = Estimator(300_000)
    _talk(bwe, 0, 100)
    bwe.want(0, 5_000_000, 100 * MS)
    sent = []
    for at in range(300_000, 500_000, 500):
        while isinstance(due := bwe.probe(at), tuple):
            cluster, size = due
            bwe.send(size, at, cluster)
            sent.append((at, size))
    assert len(sent) >= 5
    bits = 8 * sum(size for _, size in sent[:-1])
    assert bits / ((sent[-1][0] - sent[0][0]) / 1e6) == pytest.approx(900_000, rel=0.15)


def test_without_transport_wide_feedback_what_the_receiver_estimates_counts_until_it_reports_loss() -> None:
    bwe = Estimator(300_000)
    bwe.remb(1_200_000, 0)
    assert bwe.state()["estimate_bps"] == 1_200_000
    bwe.remb(800_000, 1000 * MS)
    assert bwe.state()["estimate_bps"] == 800_000
    for at in range(2000, 8000, 1000):
        bwe.loss(64, at * MS)
        bwe.remb(800_000, at * MS)
    assert bwe.state()["estimate_bps"] < 600_000
    for at in range(8000, 40_000, 1000):
        bwe.loss(0, at * MS)
        bwe.remb(800_000, at * MS)
    assert bwe.state()["estimate_bps"] == 800_000


def test_with_reports_alone_the_estimate_grows_while_nothing_is_lost_up_to_what_is_wanted() -> None:
    bwe = Estimator(300_000)
    bwe.want(1_000_000, 1_000_000, 0)
    for at in range(0, 60_000, 1000):
        bwe.loss(0, at * MS)
    assert 1_000_000 <= bwe.state()["estimate_bps"] <= 1_400_000
    for at in range(60_000, 70_000, 1000):
        bwe.loss(128, at * MS)
    assert bwe.state()["estimate_bps"] < 300_000


def test_transport_wide_feedback_is_believed_before_all_else() -> None:
    bwe = Estimator(1_000_000)
    _talk(bwe, 0, 1000)
    before = bwe.state()["estimate_bps"]
    bwe.remb(50_000, 1000 * MS)
    bwe.loss(255, 1000 * MS)
    assert bwe.state()["estimate_bps"] == before
