"""The estimate finds what a link carries, and follows it."""

from __future__ import annotations

import pytest
from support.congestion import LAYERS, TOP, S, changes, dip, first_time, part, stretch

from simplestchat._native.testing.probe_cc import Network

SEEDS = pytest.mark.parametrize("seed", range(4))


@SEEDS
@pytest.mark.parametrize("rate_bps", [500_000, 1_000_000, 2_000_000, 5_000_000])
def test_a_steady_link_is_used_and_its_queue_is_short(rate_bps: int, seed: int) -> None:
    network = Network(seed, rate_bps)
    network.add("fills")
    found = stretch(network.run(90 * S), 15, 90)
    assert found.delivered_bps >= 0.85 * rate_bps
    assert found.queue_p95_us <= 100_000
    assert found.lost == 0


@SEEDS
@pytest.mark.parametrize("kind", ["fills", "layers"])
def test_a_link_that_becomes_thin_and_wide_again_is_followed(kind: str, seed: int) -> None:
    network = Network(seed, 3_000_000)
    network.add("fills" if kind == "fills" else "layers", steps=LAYERS, voice=True)
    rows = dip(network)
    assert first_time(rows, 30, lambda row: row[4] < 700_000) <= 1.5
    thin = stretch(rows, 33, 60)
    assert thin.queue_p95_us <= 250_000
    assert thin.lost == 0
    if kind == "fills":
        assert thin.delivered_bps >= 0.85 * 700_000
        assert stretch(rows, 70, 90).delivered_bps >= 0.8 * 3_000_000
    else:
        assert all(row[11] == 1 for row in part(rows, 33, 60))
        assert first_time(rows, 60, lambda row: row[11] == TOP) <= 10
        assert len(changes(rows)) <= 6


@pytest.mark.parametrize("back_s", range(45, 55))
def test_the_top_layer_is_back_soon_whenever_the_link_is(back_s: int) -> None:
    network = Network(back_s, 3_000_000)
    network.add("layers", steps=LAYERS, voice=True)
    rows = network.run(30 * S)
    network.set(rate_bps=700_000)
    rows += network.run(back_s * S)
    network.set(rate_bps=3_000_000)
    rows += network.run((back_s + 15) * S)
    assert first_time(rows, back_s, lambda row: row[11] == TOP) <= 10


@SEEDS
@pytest.mark.parametrize(("rate_bps", "best"), [(500_000, 0), (1_000_000, 1), (2_000_000, 2), (5_000_000, 2)])
def test_a_steady_link_has_the_layers_that_fit(rate_bps: int, best: int, seed: int) -> None:
    network = Network(seed, rate_bps)
    network.add("layers", steps=LAYERS, voice=True)
    rows = network.run(120 * S)
    assert {row[11] for row in part(rows, 15, 120)} == {best}
    assert stretch(rows, 15, 120).queue_p95_us <= 100_000


@SEEDS
def test_a_dead_link_lowers_the_estimate_and_a_living_one_raises_it_again(seed: int) -> None:
    network = Network(seed, 3_000_000)
    network.add("layers", steps=LAYERS, voice=True)
    rows = network.run(30 * S)
    network.set(rate_bps=0)
    rows += network.run(32 * S)
    network.set(rate_bps=3_000_000)
    rows += network.run(60 * S)
    assert stretch(rows, 31.9, 32).most_bps <= stretch(rows, 29, 30).least_bps / 2
    assert first_time(rows, 32.5, lambda row: row[11] == TOP) <= 10


@SEEDS
def test_a_start_is_found_out_by_probes(seed: int) -> None:
    network = Network(seed, 5_000_000)
    network.add("layers", steps=LAYERS, voice=True)
    rows = network.run(5 * S)
    assert first_time(rows, 0, lambda row: row[11] == TOP) <= 2
    assert 1 <= network.state(0)["probes"] <= 5


@pytest.mark.parametrize("gap_us", [20_000, 50_000, 250_000])
def test_feedback_may_come_often_or_seldom(gap_us: int) -> None:
    network = Network(1, 2_000_000)
    network.add("fills", least_gap_us=gap_us, most_gap_us=gap_us)
    found = stretch(network.run(60 * S), 15, 60)
    assert found.delivered_bps >= 0.8 * 2_000_000
    assert found.queue_p95_us <= 120_000
