"""Loss, jitter, clocks and feedback that is not what it should be: none of it is taken for congestion."""

from __future__ import annotations

import pytest
from support.congestion import LAYERS, TOP, S, first_time, part, stretch

from simplestchat._native.testing.probe_cc import Network

SEEDS = pytest.mark.parametrize("seed", range(3))
RATE_BPS = 3_000_000


def _sent(network: Network) -> float:
    return stretch(network.run(90 * S), 10, 90).sent_bps


def _clean(seed: int) -> float:
    network = Network(seed, RATE_BPS)
    network.add("fills")
    return _sent(network)


@SEEDS
@pytest.mark.parametrize(("loss", "share"), [(0.02, 0.9), (0.05, 0.85), (0.1, 0.75), (0.2, 0.6)])
def test_random_loss_each_way_is_not_taken_for_congestion(loss: float, share: float, seed: int) -> None:
    network = Network(seed, RATE_BPS)
    network.set(loss=loss)
    network.add("fills", back_loss=loss)
    assert _sent(network) >= share * _clean(seed)


@SEEDS
@pytest.mark.parametrize(
    ("to_bad", "to_good", "share"), [(0.004, 0.2, 0.9), (0.01, 0.2, 0.8), (0.022, 0.2, 0.7), (0.0055, 0.05, 0.6)]
)
def test_nor_are_bursts_of_losses(to_bad: float, to_good: float, share: float, seed: int) -> None:
    network = Network(seed, RATE_BPS)
    network.set(to_bad=to_bad, to_good=to_good)
    network.add("fills")
    assert _sent(network) >= share * _clean(seed)


def test_loss_that_follows_the_rate_is_ours() -> None:
    # A policer: no queue, what is too much is dropped.
    network = Network(1, 50_000_000)
    network.set(bucket_bps=1_000_000, bucket_bytes=15_000)
    network.add("fills", most_bps=5_000_000)
    found = stretch(network.run(90 * S), 20, 90)
    assert found.delivered_bps >= 0.85 * 1_000_000
    assert found.sent_bps <= 1.35 * 1_000_000


@SEEDS
@pytest.mark.parametrize("reorders", [False, True])
def test_jitter_is_not_taken_for_a_queue(reorders: bool, seed: int) -> None:
    network = Network(seed, RATE_BPS)
    network.set(jitter_us=20_000, reorders=reorders)
    network.add("fills")
    assert stretch(network.run(90 * S), 15, 90).delivered_bps >= 0.8 * RATE_BPS
    network = Network(seed, RATE_BPS)
    network.set(jitter_us=20_000, reorders=reorders)
    network.add("layers", steps=LAYERS, voice=True)
    rows = network.run(60 * S)
    assert first_time(rows, 0, lambda row: row[11] == TOP) <= 15
    assert {row[11] for row in part(rows, 20, 60)} == {TOP}


@pytest.mark.parametrize("drift", [-500e-6, -100e-6, 100e-6, 500e-6])
@pytest.mark.parametrize("offset_us", [0, 2**23 * 64_000 - 30 * S, 2**24 * 64_000 - 30 * S])
def test_the_clocks_may_differ_and_drift(drift: float, offset_us: int) -> None:
    network = Network(1, 2_000_000)
    network.add("fills", drift=drift, offset_us=offset_us)
    found = stretch(network.run(90 * S), 15, 90)
    assert found.delivered_bps >= 0.85 * 2_000_000
    assert found.queue_p95_us <= 100_000


@pytest.mark.parametrize(
    ("back_loss", "back_us", "share"), [(0.1, 25_000, 0.7), (0.3, 25_000, 0.6), (0, 300_000, 0.8), (0, 1_000_000, 0.7)]
)
def test_feedback_may_get_lost_or_come_late(back_loss: float, back_us: int, share: float) -> None:
    network = Network(1, 2_000_000)
    network.add("fills", back_loss=back_loss, back_us=back_us)
    found = stretch(network.run(90 * S), 15, 90)
    assert found.delivered_bps >= share * 2_000_000
    assert found.queue_p95_us <= 150_000


@SEEDS
def test_a_source_that_sends_little_keeps_its_estimate(seed: int) -> None:
    network = Network(seed, 5_000_000)
    network.add("layers", steps=(1_000_000,), voice=True)
    found = stretch(network.run(120 * S), 10, 120)
    assert found.least_bps >= 1_000_000
    assert found.most_bps <= 2_500_000
    assert found.probed_bps < 1_000  # nothing more is wanted, so nothing is tried


@SEEDS
def test_probes_find_room_when_more_is_wanted(seed: int) -> None:
    network = Network(seed, 5_000_000)
    network.add("layers", steps=(1_000_000, 3_500_000), voice=True)
    assert first_time(network.run(20 * S), 0, lambda row: row[11] == 1) <= 10
