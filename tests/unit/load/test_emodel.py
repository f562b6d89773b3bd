"""The E-model against G.107's whole formulas at their defaults, and against points that the ITU-T has published."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat.load.emodel import mos, mouth_to_ear_ms, opinion, rating


def defaults() -> tuple[float, float]:
    """Ro and Is of G.107, from every default of its table 2."""
    slr, rlr, stmr, lstr, ds, telr, nc, nfor, ps, pr = 8, 2, 15, 18, 3, 65, -70, -64, 35, 35
    olr = slr + rlr
    nos = ps - slr - ds - 100 + 0.004 * (ps - olr - ds - 14) ** 2
    pre = pr + 10 * math.log10(1 + 10 ** ((10 - lstr) / 10))
    nor = rlr - 121 + pre + 0.008 * (pre - 35) ** 2
    no = 10 * math.log10(sum(10 ** (noise / 10) for noise in (nc, nos, nor, nfor + rlr)))
    ro = 15 - 1.5 * (slr + no)
    xolr = olr + 0.2 * (64 + no - rlr)
    too_loud = 20 * ((1 + (xolr / 8) ** 8) ** (1 / 8) - xolr / 8)
    stmro = -10 * math.log10(10 ** (-stmr / 10) + 10 ** (-telr / 10))
    sidetone = 12 * (1 + ((stmro - 13) / 6) ** 8) ** (1 / 8) - 28 * (1 + ((stmro + 1) / 19.4) ** 35) ** (1 / 35)
    sidetone += 29 - 13 * (1 + ((stmro - 3) / 33) ** 13) ** (1 / 13)
    q = 37
    g = 1.07 + 0.258 * q + 0.0602 * q * q
    quantized = 15 * math.log10(1 + 10 ** ((ro - 100) / 15 + 46 / 8.4 - g / 9) + 10 ** (46 / 30 - g / 40))
    return ro, too_loud + sidetone + quantized


def test_the_undisturbed_rating_is_g_107s_own() -> None:
    ro, simultaneous = defaults()
    assert ro == pytest.approx(94.77, abs=0.005)
    assert rating(0, 0) == pytest.approx(ro - simultaneous - 0.149, abs=0.001)
    assert round(rating(0, 0), 1) == 93.2
    assert round(opinion(rating(0, 0)), 2) == 4.41


@pytest.mark.parametrize(("r", "score"), [(90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58)])
def test_scores_of_g_107_table_b_1(r: float, score: float) -> None:
    assert opinion(r) == pytest.approx(score, abs=0.01)


@pytest.mark.parametrize(
    ("percent", "impairment"),
    [(0, 11), (0.5, 13), (1, 15), (1.5, 17), (2, 19), (3, 23), (4, 26), (8, 36), (16, 49)],
)
def test_g_729a_under_loss_as_in_g_113(percent: float, impairment: float) -> None:
    ours = rating(0, 0) - rating(0, percent / 100, ie=11, bpl=19)
    assert ours == pytest.approx(impairment, abs=0.6)


@pytest.mark.parametrize(
    ("delay_ms", "least", "most"),
    # G.114, figure 1: under 150 ms all are very satisfied; 200 ms the bound of it (R 90), 400 ms near 70.
    [(0, 93, 94), (100, 93, 94), (150, 91, 94), (200, 89, 91), (290, 79, 81.5), (400, 67, 72)],
)
def test_delay_as_in_g_114(delay_ms: float, least: float, most: float) -> None:
    assert least <= rating(delay_ms, 0) <= most


def test_bursts_harm_more_than_single_losses() -> None:
    assert rating(50, 0.05, burst=2) < rating(50, 0.05)


def test_a_buffer_is_part_of_the_delay() -> None:
    assert mouth_to_ear_ms(50, 0) == 90
    assert mouth_to_ear_ms(50, 100) == 270
    assert mos(50, 100, 0) < mos(50, 5, 0)


@given(st.floats(0, 2000), st.floats(0, 500), st.floats(0, 1), st.floats(0, 0.2))
def test_worse_networks_never_sound_better(delay: float, jitter: float, loss: float, more: float) -> None:
    score = mos(delay, jitter, loss)
    assert 1 <= score <= 4.5
    assert mos(delay + 1000 * more, jitter, loss) <= score + 1e-9
    assert mos(delay, jitter + 1000 * more, loss) <= score + 1e-9
    assert mos(delay, jitter, min(1, loss + more)) <= score + 1e-9
