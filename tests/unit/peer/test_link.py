"""The emulated path is checked against its own settings; a false alarm of its bounds on chance has odds below 1e-9."""

from __future__ import annotations

import math
import statistics
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simplestchat._native.core.errors import MisuseError
from simplestchat._native.testing.probe_link import MAX_DATAGRAM, MAX_QUEUED, Link

PACKETS = 200_000
# Six and a half standard deviations on both sides of a normal: 8e-11.
Z = 6.5
START = 1_000_000
NEVER = 2**63 - 1
CALM_GAP_US = 1_000_000  # so far apart that no packet waits for its predecessor

Arrivals = list[tuple[int, int]]


def run(conditions: dict[str, object], packets: int = PACKETS, *, size: int = 100, gap: int = 1000, seed: int = 7):
    """Numbered packets at an even pace: what arrived, in order, and the link."""
    link = Link(seed, conditions)
    return link.run(0, packets, size, START, gap) + link.finish(), link


def delays_of(arrivals: Arrivals, gap: int) -> list[int]:
    return [at - START - number * gap for number, at in arrivals]


def assert_share(count: int, of: int, expected: float, *, correlation: float = 0.0) -> None:
    """`count` of `of` is a share of `expected`; successive trials are correlated by `correlation`."""
    sigma = math.sqrt(expected * (1 - expected) * (1 + correlation) / (1 - correlation) / of)
    assert Z * sigma < 0.05 * expected, "too few trials to tell within a few percent"
    assert abs(count / of - expected) <= Z * sigma


@pytest.mark.parametrize(("queue_us", "admitted"), [(0, 64), (300_000, 26), (600_000, 52)])
def test_a_queue_may_be_told_in_time(queue_us: int, admitted: int) -> None:
    link = Link(1, {"rate_bps": 700_000, "queue_bytes": 64_000, "queue_us": queue_us})
    arrivals = link.run(0, 100, 1000, START, 0) + link.finish()
    assert len(arrivals) == admitted


def test_a_clear_link_passes_everything_at_once() -> None:
    arrivals, link = run({}, 1000)
    assert arrivals == [(number, START + number * 1000) for number in range(1000)]
    assert link.deadline == NEVER


def test_delay_is_what_was_asked() -> None:
    arrivals, _ = run({"delay_us": 12_345}, PACKETS)
    assert arrivals == [(number, START + number * 1000 + 12_345) for number in range(PACKETS)]


@pytest.mark.parametrize("loss", [0.05, 0.3])
def test_independent_loss(loss: float) -> None:
    packets = 400_000
    arrivals, link = run({"loss": loss}, packets)
    assert_share(link.totals()["lost"], packets, loss)
    assert len(arrivals) == packets - link.totals()["lost"]
    pairs = sum(b - a == 3 for (a, _), (b, _) in pairwise(arrivals))
    assert abs(pairs / len(arrivals) - loss**2 * (1 - loss)) < Z * math.sqrt(loss**2 / len(arrivals))


def test_certain_loss_and_none() -> None:
    assert run({"loss": 1}, 10_000)[0] == []
    assert len(run({"loss": 0.0}, 10_000)[0]) == 10_000


@pytest.mark.parametrize(("enter", "leave"), [(0.03, 0.3), (0.05, 0.2)])
def test_bursts_of_loss(enter: float, leave: float) -> None:
    packets = 2_000_000
    arrivals, link = run({"burst_enter": enter, "burst_leave": leave, "burst_loss": 1.0}, packets)
    assert_share(link.totals()["lost"], packets, enter / (enter + leave), correlation=1 - enter - leave)
    bursts = [b - a - 1 for (a, _), (b, _) in pairwise(arrivals) if b - a > 1]
    sigma = math.sqrt(1 - leave) / leave / math.sqrt(len(bursts))
    assert Z * sigma < 0.06 / leave
    assert abs(statistics.fmean(bursts) - 1 / leave) <= Z * sigma


def test_some_packets_pass_a_burst() -> None:
    enter, leave, loss, packets = 0.2, 0.2, 0.4, 800_000
    _, link = run({"burst_enter": enter, "burst_leave": leave, "burst_loss": loss}, packets)
    # Only the part of the variance that the state brings is correlated; taking all of it is a wider bound.
    assert_share(link.totals()["lost"], packets, 0.5 * loss, correlation=1 - enter - leave)


def test_jitter_is_normal_around_the_delay() -> None:
    mean, sigma = 100_000, 10_000
    arrivals, _ = run({"delay_us": mean, "jitter_us": sigma}, gap=CALM_GAP_US)
    delays = delays_of(arrivals, CALM_GAP_US)
    # Half a microsecond: delays are whole ones.
    assert abs(statistics.fmean(delays) - mean) <= Z * sigma / math.sqrt(PACKETS) + 0.5
    assert abs(statistics.pstdev(delays) - sigma) <= Z * sigma / math.sqrt(2 * PACKETS) + 0.5
    for within in (0.5, 1, 2):
        share = sum(abs(delay - mean) <= within * sigma for delay in delays) / PACKETS
        # A sum of twelve is within 0.003 of the normal here.
        assert abs(share - math.erf(within / math.sqrt(2))) <= Z * 0.5 / math.sqrt(PACKETS) + 0.003


def test_jitter_brings_nothing_before_it_left() -> None:
    arrivals, _ = run({"delay_us": 5_000, "jitter_us": 10_000}, gap=CALM_GAP_US)
    delays = delays_of(arrivals, CALM_GAP_US)
    assert min(delays) == 0
    share = sum(delay == 0 for delay in delays) / PACKETS
    assert abs(share - 0.5 * math.erfc(0.5 / math.sqrt(2))) <= Z * 0.5 / math.sqrt(PACKETS) + 0.003


def test_order_is_kept_under_jitter_loss_and_a_bottleneck() -> None:
    arrivals, _ = run(
        {"delay_us": 50_000, "jitter_us": 20_000, "loss": 0.1, "rate_bps": 2_000_000, "queue_bytes": 50_000}
    )
    assert arrivals == sorted(arrivals)
    assert arrivals == sorted(arrivals, key=lambda arrival: arrival[1])


@pytest.mark.parametrize(("rate", "size"), [(1_000_000, 1200), (50_000_000, 1200), (1_000_000_000, 200)])
def test_a_bottleneck_lets_its_rate_through_and_drops_the_tail(rate: int, size: int) -> None:
    gap = size * 8 * 1_000_000 // rate // 2  # twice the rate is offered
    gap = max(1, gap)
    offered = size * 8 * 1_000_000 / gap
    queue = 64_000
    arrivals, link = run({"rate_bps": rate, "queue_bytes": queue}, size=size, gap=gap)
    span = (arrivals[-1][1] - arrivals[0][1]) / 1e6
    assert (len(arrivals) - 1) * size * 8 / span == pytest.approx(rate, rel=0.002)
    assert link.totals()["queue_drops"] / PACKETS == pytest.approx(1 - rate / offered, rel=0.01)
    full_us = queue * 8e6 / rate
    waits = delays_of(arrivals[len(arrivals) // 2 :], gap)
    assert max(waits) <= full_us + 1
    assert min(waits) >= full_us - 2 * (size * 8e6 / rate) - 1


def test_below_its_rate_a_bottleneck_only_adds_the_time_on_the_wire() -> None:
    arrivals, link = run({"rate_bps": 8_000_000, "queue_bytes": 1}, size=1000, gap=1000)
    assert set(delays_of(arrivals, 1000)) == {1000}
    assert link.totals()["queue_drops"] == 0


def test_reordered_packets_come_exactly_that_much_later() -> None:
    share, late_us = 0.1, 5_500
    arrivals, link = run({"delay_us": 1_000, "reorder": share, "reorder_us": late_us})
    delays = dict(zip((number for number, _ in arrivals), delays_of(arrivals, 1000), strict=True))
    late = {number for number, delay in delays.items() if delay == 1_000 + late_us}
    assert set(delays.values()) == {1_000, 1_000 + late_us}
    assert len(late) == link.totals()["reordered"]
    assert_share(len(late), PACKETS, share)
    rest = [number for number, _ in arrivals if number not in late]
    assert rest == sorted(rest)


def test_duplicates_come_right_behind() -> None:
    share = 0.1
    arrivals, link = run({"duplicate": share})
    twice = [a for a, b in pairwise(arrivals) if a == b]
    assert len(arrivals) == PACKETS + len(twice)
    assert len(twice) == link.totals()["duplicated"]
    assert_share(len(twice), PACKETS, share)


def test_a_corrupt_packet_has_one_bit_changed() -> None:
    share, packets = 0.2, 100_000
    link = Link(3, {"corrupt": share})
    data = bytes(range(50))
    flipped = []
    for _ in range(packets):
        link.put(data, START)
        taken = link.take(START)
        assert taken is not None
        if taken[0] != data:
            flipped.append(int.from_bytes(taken[0]) ^ int.from_bytes(data))
    assert all(change.bit_count() == 1 for change in flipped)
    assert_share(len(flipped), packets, share)
    assert link.totals()["corrupted"] == len(flipped)
    assert len(set(flipped)) == 8 * len(data)


def test_an_outage_takes_everything_and_what_is_in_flight_arrives() -> None:
    link = Link(1, {"delay_us": 1000})
    link.put(b"before", 0)
    link.set({"delay_us": 1000, "outage": True})
    link.put(b"during", 10)
    link.set({"delay_us": 1000})
    link.put(b"after", 20)
    assert [link.take(5000), link.take(5000), link.take(5000)] == [(b"before", 1000), (b"after", 1020), None]
    assert link.totals()["outage_drops"] == 1


def test_what_is_in_flight_keeps_its_fate_when_conditions_change() -> None:
    link = Link(1, {"delay_us": 30_000, "corrupt": 0})
    link.put(b"slow", 0)
    link.set({"delay_us": 1_000, "loss": 0, "corrupt": 1})
    link.put(b"fast", 1)
    first, second = link.take(30_000), link.take(30_000)
    assert first == (b"slow", 30_000)
    assert second is not None
    assert second[1] == 30_000  # order is kept: it waits for the slow one
    assert second[0] != b"fast"


def test_a_change_of_rate_empties_the_queue_at_the_new_one() -> None:
    link = Link(1, {"rate_bps": 80_000, "queue_bytes": 10_000})
    for _ in range(10):
        link.put(bytes(1000), 0)  # the last arrives after a second
    link.set({"rate_bps": 8_000_000, "queue_bytes": 10_000})
    arrivals = link.run(100, 1000, 1000, 100_000, 2000) + link.finish()
    assert len(arrivals) == 1010
    # No sooner than those before them, then as soon as the faster wire carries them.
    assert arrivals[10:460] == [(100 + number, 1_000_000) for number in range(450)]
    assert arrivals[460:] == [(100 + number, 101_000 + number * 2000) for number in range(450, 1000)]
    link.set({"rate_bps": 800_000, "queue_bytes": 10_000})
    slow = link.run(0, 1000, 1000, 5_000_000, 2000) + link.finish()
    assert (len(slow) - 1) * 8e9 / (slow[-1][1] - slow[0][1]) == pytest.approx(800_000, rel=0.001)


EVERYTHING = {
    "loss": 0.02,
    "burst_enter": 0.01,
    "burst_leave": 0.3,
    "burst_loss": 0.9,
    "duplicate": 0.03,
    "reorder": 0.05,
    "reorder_us": 20_000,
    "corrupt": 0.05,
    "delay_us": 40_000,
    "jitter_us": 15_000,
    "rate_bps": 3_000_000,
    "queue_bytes": 30_000,
}


def fates(seed: int) -> list[tuple[bytes, int] | None]:
    link = Link(seed, EVERYTHING)
    for number in range(5_000):
        link.put(number.to_bytes(4) + bytes(number % 1000), START + number * 700)
    return [link.take(NEVER - 1) for _ in range(link.queued)]


def test_a_seed_replays_the_same_fate_byte_for_byte() -> None:
    assert fates(5) == fates(5)
    assert fates(5) != fates(6)


def test_a_packet_lost_is_the_same_one_whatever_else_is_asked() -> None:
    alone = {number for number, _ in run({"loss": 0.1}, 10_000)[0]}
    with_others = {
        number for number, _ in run({"loss": 0.1, "jitter_us": 5_000, "duplicate": 0.2, "corrupt": 0}, 10_000)[0]
    }
    assert alone == with_others


def test_neighbouring_seeds_share_nothing() -> None:
    lost = [{number for number, _ in run({"loss": 0.5}, 10_000, seed=seed)[0]} for seed in range(4)]
    for a, b in pairwise(lost):
        assert abs(len(a & b) - 2_500) < Z * math.sqrt(10_000 * 3 / 16)


def test_no_more_is_in_flight_than_the_cap() -> None:
    link = Link(1, {"delay_us": 1_000_000, "duplicate": 1})
    for _ in range(MAX_QUEUED):
        link.put(bytes(100), 0)
    totals = link.totals()
    assert link.queued == MAX_QUEUED
    assert totals["duplicated"] == totals["queue_drops"] == MAX_QUEUED // 2
    assert len(link.finish()) == MAX_QUEUED
    link.put(b"room again", 2_000_000)
    assert link.take(3_000_000) == (b"room again", 3_000_000)


def test_what_is_no_datagram_is_refused_and_counts_nowhere() -> None:
    link = Link(1)
    for data in (b"", bytes(MAX_DATAGRAM + 1)):
        with pytest.raises(MisuseError, match="a datagram"):
            link.put(data, 0)
    assert set(link.totals().values()) == {0}
    link.put(bytes(MAX_DATAGRAM), 0)
    assert link.take(0) == (bytes(MAX_DATAGRAM), 0)


@pytest.mark.parametrize(
    "conditions",
    [{"loss": 1.5}, {"loss": -0.1}, {"corrupt": math.nan}, {"delay_us": -1}, {"queue_bytes": 2**32}, {"speed": 1}],
)
def test_impossible_conditions_are_refused(conditions: dict[str, object]) -> None:
    with pytest.raises(MisuseError, match=next(iter(conditions))):
        Link(1, conditions)


chance = st.sampled_from([0.0, 0.1, 0.5, 1.0])
any_conditions = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("loss", "burst_enter", "burst_leave", "burst_loss", "duplicate", "reorder", "corrupt"), chance
        ),
        **dict.fromkeys(("reorder_us", "delay_us", "jitter_us"), st.integers(0, 50_000)),
        "rate_bps": st.sampled_from([0, 1, 10_000, 10_000_000, 10**12]),
        "queue_bytes": st.integers(0, 5_000),
        "outage": st.booleans(),
    },
)
step = st.tuples(st.integers(0, 20_000), st.integers(1, 200), any_conditions | st.none())


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**64 - 1), any_conditions, st.lists(step, max_size=30))
def test_nothing_appears_or_vanishes_uncounted(
    seed: int, conditions: dict[str, object], steps: list[tuple[int, int, dict[str, object] | None]]
) -> None:
    link = Link(seed, conditions)
    now = last = number = taken = 0
    for wait, burst, change in steps:
        now += wait
        if change is not None:
            link.set(change)
        for _ in range(burst):
            link.put(number.to_bytes(4) * (1 + number % 100), now)
            number += 1
        while (arrival := link.take(now)) is not None:
            assert len(arrival[0]) // 4 in range(1, 101)
            assert last <= arrival[1] <= now
            last = arrival[1]
            taken += 1
        assert link.deadline > now
        totals = link.totals()
        dropped = totals["lost"] + totals["queue_drops"] + totals["outage_drops"]
        assert totals["packets"] == number
        assert totals["delivered"] == taken
        assert number == taken + dropped - totals["duplicated"] + link.queued
    assert len(link.finish()) == totals["packets"] - dropped + totals["duplicated"] - taken if steps else True
