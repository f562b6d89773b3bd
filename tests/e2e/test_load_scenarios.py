"""A short, small run of every scenario that we ship: what it is about happens, and nothing is lost or misplaced."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.load import LoadRun, finish, start
from support.repository import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

AT_ONCE = 4
#: A machine with much to do is no reason to claim nothing, nor to accuse the server of being slow.
PATIENT = (
    "generator.processes=1",
    "generator.lag_p99_ms=5000",
    "generator.wake_p99_ms=5000",
    "generator.signaling_lag_p99_ms=5000",
    "generator.cpu=1.0",
    "generator.socket_drops=1000000",
    'objectives.signaling_p99_ms="off"',
    'objectives.first_frame_p95_ms="off"',
    'objectives.media_latency_p99_ms="off"',
    'objectives.freeze_share="off"',
    'objectives.mos_median="off"',
    'objectives.server_rss_growth_mb="off"',
    "objectives.packet_loss=0.05",
    "ramp.joins_per_s=20",
)
Happened = Callable[[Mapping[str, Any]], bool]


@dataclass(frozen=True)
class Short:
    """A short run of a scenario, and how its report shows that what the scenario is about took place."""

    clients: int
    hold_s: int
    happened: Happened
    more: tuple[str, ...] = ()


def counted(figure: str) -> Happened:
    return lambda report: report["summary"][figure]["count"] > 0


def curve(name: str) -> Happened:
    return lambda report: any(sum(filter(None, one["values"])) > 0 for one in report["series"] if one["name"] == name)


def watched(report: Mapping[str, Any]) -> bool:
    """Something came to a user whose link is drawn."""
    names = {one["name"] for one in report["series"] if sum(filter(None, one["values"])) > 0}
    return any(name.startswith("watch_") and name.endswith("_received") for name in names)


def both(*parts: Happened) -> Happened:
    return lambda report: all(part(report) for part in parts)


SHORT = {
    "conference": Short(4, 4, counted("first_frame_ms")),
    "webinar": Short(12, 4, counted("first_frame_ms")),
    "audio": Short(10, 4, counted("mos")),
    "churn": Short(8, 8, counted("first_frame_ms"), ("churn.stay_s=2",)),
    "unstable": Short(
        4,
        6,
        both(lambda report: report["summary"]["repaired"] > 0, curve("audio_only"), curve("ice_restarts")),
        ("network.steps=[{at_s=2, event='address-change', restart_share=1.0}]",),
    ),
    "gallery": Short(6, 5, curve("pages_turned"), ("subscribe.limit=2", "behaviour.pages_per_minute=20")),
    # Too short for its links to change, and for a rate of switches.
    "adaptive": Short(
        4,
        6,
        watched,
        (
            *(
                f'objectives.{name}="off"'
                for name in ("layer_back_s", "layer_when_wide", "switches_per_minute", "queue_p95_ms")
            ),
        ),
    ),
    "codecs": Short(4, 6, lambda report: report["summary"]["first_frame_ms"]["count"] >= 4 * 3),
    "spotlight": Short(6, 5, counted("first_frame_ms"), ("subscribe.limit=2", "churn.stay_s=1.5", "churn.away_s=0.3")),
    "chat-storm": Short(10, 4, curve("chat_received")),
    "reconnect-herd": Short(10, 6, counted("reconnect_ms"), ("behaviour.reconnect_at_s=3",)),
    "soak": Short(5, 4, counted("mos")),
    # A limit of traffic half way between what a room of four (some 60 kB/s) and one of six (some 100) cost each.
    "capacity": Short(
        4,
        3,
        lambda report: report["capacity"]["highest_good"] in (4, 5),
        (
            "capacity.low=2",
            "capacity.high=6",
            "capacity.tolerance=0.4",
            "objectives.kbytes_per_s_per_participant=78",
        ),
    ),
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LoadRun]:
    """All of them, a few at a time: each leaves most of the machine idle."""
    folder = tmp_path_factory.mktemp("scenarios")
    done: dict[str, LoadRun] = {}
    names = list(SHORT)
    for first in range(0, len(names), AT_ONCE):
        wave = {name: begin(name, folder / name) for name in names[first : first + AT_ONCE]}
        for name, process in wave.items():
            done[name] = finish(process, folder / name)
    return done


def begin(name: str, folder: Path) -> Any:
    short = SHORT[name]
    settings = [word for one in (*PATIENT, *short.more) for word in ("--set", one)]
    return start(folder, name, "--clients", str(short.clients), "--duration", str(short.hold_s), *settings)


def test_every_scenario_has_its_short_run() -> None:
    assert {path.stem for path in (ROOT / "scenarios").glob("*.toml")} == set(SHORT)


@pytest.mark.parametrize("name", [name for name in SHORT if name != "capacity"])
def test_it_passes_and_does_what_it_is_about(name: str, runs: dict[str, LoadRun]) -> None:
    run = runs[name]
    assert run.status == 0, run.output
    assert run.report["verdict"] == "pass"
    assert run.summary["connection_success"] == 1.0
    assert run.summary["corrupt"] == run.summary["misdelivered"] == 0
    assert SHORT[name].happened(run.report)


def test_a_search_finds_where_a_limit_breaks(runs: dict[str, LoadRun]) -> None:
    run = runs["capacity"]
    found = run.report["capacity"]
    assert SHORT["capacity"].happened(run.report), run.output
    assert found["lowest_bad"] in (5, 6)
    assert "kbytes_per_s_per_participant" in {name for step in found["steps"] for name in step["broke"]}
