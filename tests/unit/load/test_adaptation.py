"""How media adapts, as the load tester sees it: what users ask for, what is watched of them, and the figures of it."""

from __future__ import annotations

from math import inf

import msgspec
import pytest
from support.runs import US, MadeUpRun

from simplestchat.load import adaptation
from simplestchat.load.conditions import link_conditions
from simplestchat.load.evidence import Evidence
from simplestchat.load.judge import assess
from simplestchat.load.layout import SCREEN, TILE, tiles
from simplestchat.load.objectives import meets, told
from simplestchat.load.presets import layers, preset
from simplestchat.load.publishing import layers_wanted
from simplestchat.load.record import RunRecord
from simplestchat.load.scenario import Conditions
from simplestchat.load.watched import has_bottleneck
from simplestchat.signaling.notices import Notice, ProducerLayers

NARROW_AT, WIDE_AT = 8, 16
"""Seconds of the made-up run between which the link is narrow; the best layer is back four seconds later."""


class Said(Notice, frozen=True, kw_only=True):
    """``producer.layers`` as a server may say it."""

    method = "said"
    encodings: list[bool] | None = None
    max_spatial_layer: int | None = None


def watched_run(back_after_s: int = 4, top: int = 3) -> RunRecord:
    """A run with one watched user, who receives one video, over a link of 3, 0.7 and 3 Mbit/s."""
    record = MadeUpRun().record(parts=1)
    generator = record.generators[0]
    samples = []
    for second, one in enumerate(generator.samples):
        narrow = NARROW_AT <= second < WIDE_AT
        best = second < NARROW_AT or second >= WIDE_AT + back_after_s
        gauges = {
            "watch.3.capacity_bps": 700_000 if narrow else 3_000_000,
            "watch.3.estimate_bps": 600_000 if narrow else 2_500_000,
            "watch.3.queue_us": 120_000 if second == NARROW_AT else 2_000,
            "watch.3.layer": top if best else 2,
            "watch.3.temporal": 0,
            "watch.3.videos": 1,
        }
        switches = (second >= NARROW_AT) + (second >= WIDE_AT + back_after_s)
        totals = {"watch.3.bytes": 250_000 * second, "watch.3.switches": switches}
        samples.append(msgspec.structs.replace(one, gauges={**one.gauges, **gauges}, totals={**one.totals, **totals}))
    changed = msgspec.structs.replace(generator, samples=tuple(samples))
    return msgspec.structs.replace(record, generators=(changed,))


def test_the_curves_stand_beside_each_other() -> None:
    report = assess(watched_run())
    curves = {one.name: one for one in report.series if one.name.startswith("watch_3_")}
    assert {one.group for one in curves.values()} == {"Link of user 3", "Layers to user 3", "Queue to user 3"}
    assert "watch_3_temporal" not in curves
    middle = NARROW_AT + 4
    assert curves["watch_3_capacity"].values[middle] == pytest.approx(0.7)
    assert curves["watch_3_estimate"].values[middle] == pytest.approx(0.6)
    assert curves["watch_3_received"].values[middle] == pytest.approx(2.0, rel=0.1)
    assert curves["watch_3_layer"].values[middle] == 2
    assert max(value or 0 for value in curves["watch_3_queue"].values) == pytest.approx(120)


def test_the_way_back_and_switches_are_measured() -> None:
    evidence = Evidence(watched_run())
    assert adaptation.layer_back_s(evidence) == pytest.approx(4, abs=0.2)
    minutes = (len(evidence.record.generators[0].samples) - 1) / 60
    assert adaptation.switches_per_minute(evidence) == pytest.approx(2 / minutes, rel=0.05)


def test_a_layer_that_never_comes_back_keeps_no_limit() -> None:
    evidence = Evidence(watched_run(back_after_s=1000))
    back = adaptation.layer_back_s(evidence)
    assert back == inf
    assert not meets(back, 1e6, "<=")
    assert told(back, "s") == "never"


@pytest.mark.parametrize("top", [0, 1, 3])
def test_the_layer_on_a_wide_link_is_measured(top: int) -> None:
    evidence = Evidence(watched_run(top=top))
    wide = adaptation.layer_when_wide(evidence)
    assert wide == pytest.approx(top, abs=0.2)
    assert meets(wide, 2.5, ">=") == (top == 3)


def test_who_watches_nobody_has_no_figures() -> None:
    summary = assess(MadeUpRun().record()).summary
    assert summary.layer_back_s is summary.switches_per_minute is None
    assert summary.link_queue_ms.count == 0


@pytest.mark.parametrize(
    ("capacity", "layer", "waits"),
    [
        ([(0, 3.0), (10, 1.0), (20, 3.0)], [(5, 3.0), (15, 1.0), (20, 1.0), (23, 3.0)], [3.0]),
        ([(0, 3.0), (10, 1.0), (20, 2.0)], [(5, 3.0), (25, 1.0)], []),
        ([(0, 3.0)], [], []),
        ([], [], []),
        ([(0, 1.0), (20, 3.0)], [], []),
        ([(0, 1.0), (20, 3.0)], [(5, 2.0), (20, 2.0), (34, 2.0)], []),
        ([(0, 1.0), (20, 3.0)], [(5, 2.0), (20, 2.0), (35, 2.0)], [inf]),
        ([(0, 1.0), (20, 3.0)], [(5, 0.0), (40, 0.0)], [inf]),
        ([(0, 0.0), (10, 1.0), (20, 0.0)], [(5, 3.0), (12, 1.0), (25, 3.0)], [5.0]),
        ([(0, 0.0), (10, 1.0), (20, 2.0)], [(5, 3.0), (40, 1.0)], []),
    ],
)
def test_only_the_widest_link_owes_the_best_layer(
    capacity: list[tuple[int, float]], layer: list[tuple[int, float]], waits: list[float]
) -> None:
    capacity = [(second * US, value) for second, value in capacity]
    layer = [(second * US, value) for second, value in layer]
    assert list(adaptation.returns(capacity, layer, 3.0)) == pytest.approx(waits)


def test_layouts() -> None:
    assert tiles("speaker", 3) == [SCREEN, TILE, TILE]
    assert tiles("speaker", 0) == tiles("gallery", 0) == []
    assert tiles("gallery", 1) == [SCREEN]
    assert tiles("gallery", 4) == [(640, 360)] * 4
    assert tiles("gallery", 5) == [(426, 240)] * 5


def test_what_a_server_says_of_layers_is_understood_however_it_says_it() -> None:
    assert layers_wanted(Said(encodings=[True, False, True])) == 0b101  # type: ignore[arg-type]
    assert layers_wanted(Said(max_spatial_layer=1)) == 0b011  # type: ignore[arg-type]
    assert layers_wanted(Said(max_spatial_layer=-1)) == 0  # type: ignore[arg-type]
    known = {"producer_id": "p", "wanted": [0, 2]} if "wanted" in ProducerLayers.__struct_fields__ else None
    if known is not None:
        assert layers_wanted(ProducerLayers(**known)) == 0b101  # type: ignore[arg-type]


def test_encodings_have_the_rates_that_are_given() -> None:
    three = layers(preset("720p30"), simulcast=False, rates=(150_000, 500_000, 1_500_000))
    assert [(one.rid, one.width, one.bitrate_bps) for one in three] == [
        ("q", 320, 150_000),
        ("h", 640, 500_000),
        ("f", 1280, 1_500_000),
    ]
    assert [one.rid for one in layers(preset("720p30"), simulcast=False, rates=(1, 2))] == ["h", "f"]


def test_a_queue_may_be_told_in_seconds() -> None:
    link = link_conditions(Conditions(rate_bps=700_000, queue_s=0.3))
    assert link is not None
    assert (link["rate_bps"], link["queue_us"]) == (700_000, 300_000)


def test_watched_are_those_with_a_bottleneck() -> None:
    plan = Evidence(watched_run()).plan.user(0)
    assert not has_bottleneck(plan)
    assert has_bottleneck(msgspec.structs.replace(plan, down=Conditions(rate_bps=1)))
