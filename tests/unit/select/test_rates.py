"""Bit rates of layers: of the last second, through silence, keyframes and growth."""

from __future__ import annotations

import pytest

from simplestchat._native.testing.probe_select import LayerRates

MS = 1000
S = 1_000_000


def send(rates: LayerRates, start: int, end: int, *layers: tuple[int, int, int, bool]) -> None:
    """A packet of each layer (bit/s, spatial, temporal, alone) every 20 ms."""
    for now in range(start, end, 20 * MS):
        for bps, spatial, temporal, alone in layers:
            rates.packet(spatial, temporal, alone, bps // 8 // 50, now)


def one(bps: int, spatial: int = 0, temporal: int = 0, *, alone: bool = False) -> tuple[int, int, int, bool]:
    """A layer."""
    return bps, spatial, temporal, alone


def test_nothing_is_nothing() -> None:
    assert LayerRates().read(5 * S) == [[0] * 4] * 4


@pytest.mark.parametrize("after", [1200 * MS, 5 * S, 60 * S])
@pytest.mark.parametrize("bps", [40_000, 1_500_000])
def test_a_steady_layer(after: int, bps: int) -> None:
    rates = LayerRates()
    send(rates, 10 * S, 10 * S + after, one(bps))
    found = rates.read(10 * S + after)
    assert found[0] == pytest.approx([bps] * 4, rel=0.05)
    assert found[1] == [0] * 4


def test_layers_add_up() -> None:
    rates = LayerRates()
    spatial, temporal = enumerate((100_000, 200_000, 400_000)), [*enumerate((2, 1, 1))]
    send(rates, 0, 4 * S, *(one(bps * part // 4, high, rate) for high, bps in spatial for rate, part in temporal))
    found = rates.read(4 * S)
    assert found[0] == pytest.approx([50_000, 75_000, 100_000, 100_000], rel=0.05)
    assert found[2] == pytest.approx([350_000, 525_000, 700_000, 700_000], rel=0.05)


def test_what_is_not_needed_above_does_not_count_there() -> None:
    rates = LayerRates()
    send(rates, 0, 4 * S, one(100_000, alone=True), one(20_000), one(400_000, 1, alone=True))
    found = rates.read(4 * S)
    assert found[0][0] == pytest.approx(120_000, rel=0.05)
    assert found[1][0] == pytest.approx(420_000, rel=0.05)


def test_higher_layers_count_as_the_highest() -> None:
    rates = LayerRates()
    send(rates, 0, 2 * S, one(100_000, 7, 7))
    found = rates.read(2 * S)
    assert found[3] == pytest.approx([0, 0, 0, 100_000], rel=0.05)


def test_silence_is_told_after_a_second() -> None:
    rates = LayerRates()
    send(rates, 0, 3 * S, one(500_000), one(100_000, 1))
    send(rates, 3 * S, 8 * S, one(100_000, 1))
    assert rates.read(8 * S)[0][0] == 0
    assert rates.read(8 * S)[1][0] == pytest.approx(100_000, rel=0.05)
    assert rates.read(9 * S + 100 * MS) == [[0] * 4] * 4
    # What begins again has no past.
    send(rates, 20 * S, 22 * S, one(50_000))
    assert rates.read(22 * S)[0][0] == pytest.approx(50_000, rel=0.05)


def test_a_keyframe_does_not_look_like_growth() -> None:
    rates = LayerRates()
    send(rates, 0, 5 * S, one(300_000))
    rates.packet(0, 0, False, 60_000, 5 * S)  # 480 kbit at once
    send(rates, 5 * S, 6 * S, one(300_000))
    assert rates.read(6 * S)[0][0] <= 600_000


def test_a_pause_does_not_look_like_room() -> None:
    rates = LayerRates()
    send(rates, 0, 10 * S, one(1_000_000))
    send(rates, 10 * S, 11 * S, one(50_000))
    assert rates.read(11 * S)[0][0] >= 500_000
    send(rates, 11 * S, 25 * S, one(50_000))
    assert rates.read(25 * S)[0][0] <= 60_000


def test_growth_is_told_within_four_seconds() -> None:
    rates = LayerRates()
    send(rates, 0, 10 * S, one(300_000))
    send(rates, 10 * S, 14 * S, one(1_500_000))
    assert rates.read(14 * S)[0][0] >= 1_400_000


def test_a_new_layer_is_told_at_once() -> None:
    rates = LayerRates()
    send(rates, 0, 600 * MS, one(400_000))
    assert rates.read(600 * MS)[0][0] == pytest.approx(400_000, rel=0.1)
