"""The emulated network does what its conditions say, and the same for the same seed."""

from __future__ import annotations

import random
from functools import partial

import pytest
from support.netem import US_PER_S, Bursts, Clock, Link, Path


def run(link: Link, packets: int, seed: int = 1, gap_us: int = 1000) -> tuple[list[tuple[int, int]], Path]:
    """Sends numbered packets at an even pace; when each arrived, in order of arrival, and the path."""
    clock = Clock(0)
    arrivals: list[tuple[int, int]] = []
    path = Path(
        clock, random.Random(seed), link, lambda data: arrivals.append((clock.now, int.from_bytes(data[:4], "big")))
    )
    for number in range(packets):
        clock.call_at(number * gap_us, partial(path.send, number.to_bytes(4, "big") + bytes(996)))
    clock.run_until(packets * gap_us + 60 * US_PER_S)
    return arrivals, path


def test_a_plain_link_only_delays() -> None:
    arrivals, _ = run(Link(delay_us=7_000), 100)
    assert arrivals == [(number * 1000 + 7_000, number) for number in range(100)]


def test_the_same_seed_gives_the_same_fate() -> None:
    link = Link(jitter_us=9_000, loss=0.1, duplicate=0.1, reorder=0.1)
    assert run(link, 1000, 5)[0] == run(link, 1000, 5)[0]
    assert run(link, 1000, 5)[0] != run(link, 1000, 6)[0]


@pytest.mark.parametrize("loss", [0.05, 0.2])
def test_loss_is_as_frequent_as_said(loss: float) -> None:
    arrivals, path = run(Link(loss=loss), 20_000)
    assert abs(path.counters.lost / 20_000 - loss) < 0.01
    assert len(arrivals) == 20_000 - path.counters.lost


def test_bursts_have_their_mean_length_and_share() -> None:
    arrivals, path = run(Link(bursts=Bursts.of(0.05, 10)), 100_000, gap_us=10)
    got = {number for _, number in arrivals}
    bursts = sum(1 for number in range(1, 100_000) if number not in got and number - 1 in got)
    assert abs(path.counters.lost / 100_000 - 0.05) < 0.01
    assert 8 < path.counters.lost / bursts < 12


def test_jitter_keeps_the_order_and_reordering_does_not() -> None:
    jittered = [number for _, number in run(Link(jitter_us=50_000), 1000)[0]]
    assert jittered == sorted(jittered)
    reordered = [number for _, number in run(Link(reorder=0.1), 1000)[0]]
    assert reordered != sorted(reordered)
    assert sorted(reordered) == list(range(1000))


def test_duplicates_come_twice() -> None:
    arrivals, path = run(Link(duplicate=0.2), 1000)
    assert len(arrivals) == 1000 + path.counters.duplicated
    assert path.counters.duplicated > 100


def test_a_rate_limit_delays_then_drops_at_the_tail() -> None:
    # 1000 bytes a millisecond are 8 Mbit/s; the link takes half of it and queues 20 packets.
    arrivals, path = run(Link(delay_us=0, rate_bps=4_000_000, queue_bytes=20_000), 1000)
    assert 400 < path.counters.queue_drops < 500
    assert max(when - number * 1000 for when, number in arrivals) <= 42_000


def test_an_appointment_can_be_called_off() -> None:
    clock = Clock(0)
    fired: list[int] = []
    clock.call_at(5, lambda: fired.append(1)).cancel()
    clock.call_at(3, lambda: clock.call_in(4, lambda: fired.append(2)))
    clock.run_until(6)
    assert fired == []
    clock.run_until(7)
    assert fired == [2]
    assert clock.now == 7
