"""Flows that share a link."""

from __future__ import annotations

import pytest
from support.congestion import S, jain, stretch

from simplestchat._native.testing.probe_cc import Network


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("apart_s", [0, 10])
@pytest.mark.parametrize(("flows", "rate_bps"), [(2, 1_000_000), (2, 3_000_000), (4, 2_000_000), (4, 4_000_000)])
def test_equals_have_equal_shares(flows: int, rate_bps: int, apart_s: int, seed: int) -> None:
    network = Network(seed, rate_bps)
    for number in range(flows):
        network.add("fills", begins_us=number * apart_s * S)
    rows = network.run(180 * S)
    found = [stretch(rows, 60, 180, flow) for flow in range(flows)]
    assert jain([flow.delivered_bps for flow in found]) >= 0.9
    assert sum(flow.delivered_bps for flow in found) >= 0.85 * rate_bps
    assert found[0].queue_p95_us <= 150_000


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("others", [1, 2])
@pytest.mark.parametrize("queue_us", [100_000, 300_000])
@pytest.mark.parametrize("rate_bps", [1_000_000, 2_000_000, 5_000_000, 10_000_000])
def test_a_window_that_fills_the_queue_does_not_starve_us(rate_bps: int, queue_us: int, others: int, seed: int) -> None:
    network = Network(seed, rate_bps, queue_us=queue_us)
    network.add("fills")
    for _ in range(others):
        network.add("tcp", begins_us=10 * S)
    rows = network.run(130 * S)
    assert stretch(rows, 30, 130).delivered_bps >= 0.1 * rate_bps / (others + 1)
    # And is there at all: otherwise this shows nothing.
    assert all(stretch(rows, 30, 130, flow).delivered_bps >= 0.04 * rate_bps for flow in range(1, others + 1))


def test_a_blind_flow_that_comes_and_goes_is_made_room_for() -> None:
    network = Network(1, 3_000_000)
    network.add("fills")
    network.add("blind", rate_bps=2_000_000, begins_us=30 * S)
    rows = network.run(60 * S)
    network.change(1, rate_bps=0)
    rows += network.run(90 * S)
    crowded = stretch(rows, 35, 60)
    assert 0.6 * 1_000_000 <= crowded.delivered_bps <= 1_000_000
    assert stretch(rows, 70, 90).delivered_bps >= 0.8 * 3_000_000
