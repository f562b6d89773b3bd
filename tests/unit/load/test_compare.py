"""Comparisons flag what got slower and leave noise alone; trends do so against what was usual."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from support.runs import MadeUpRun

from simplestchat.load import compare, trend
from simplestchat.load.changes import judge as judge_change
from simplestchat.load.figures import FIGURES, Figure
from simplestchat.load.files import ReportError, write_report
from simplestchat.load.history import Change, Comparison, Trend
from simplestchat.load.judge import assess
from simplestchat.load.report import CapacityReport, Report
from simplestchat.load.resample import Interval

SHORT: dict[str, Any] = {"clients": 20, "hold_s": 20}


@cache
def report(seed: int, *, day: int = 1, **how: Any) -> Report:
    made = assess(MadeUpRun(seed, **{**SHORT, **how}).record())
    return msgspec.structs.replace(made, started=f"2026-03-{day:02d}T10:00:00Z", commit=f"{day:040x}")


def change(found: Comparison, name: str) -> Change:
    return next(one for one in found.changes if one.name == name)


def side_by_side(before: Sequence[Report], after: Sequence[Report]) -> Comparison:
    return compare.compare(before, after, labels=("a", "b"), tolerance=0.05)


def test_a_tenth_slower_is_flagged() -> None:
    found = side_by_side([report(1)], [report(2, slower=1.1)])
    for name in ("server_cpu", "server_cpu_us_per_packet"):
        one = change(found, name)
        assert one.outcome == "worse", one
        assert one.method == "seconds"
        assert one.low is not None
        assert one.low > 1
    assert [alert for alert in found.alerts if alert.startswith("Server CPU: ")]
    assert change(side_by_side([report(2, slower=1.1)], [report(1)]), "server_cpu").outcome == "better"


@pytest.mark.parametrize("seed", range(3, 9))
def test_noise_is_not(seed: int) -> None:
    assert side_by_side([report(seed)], [report(100 + seed)]).alerts == ()


def test_runs_tell_more_than_one() -> None:
    before = [report(seed) for seed in (1, 2, 3)]
    found = side_by_side(before, [report(seed, slower=1.12) for seed in (4, 5, 6)])
    assert change(found, "server_cpu").method == "runs"
    assert change(found, "server_cpu").outcome == "worse"
    assert not [remark for remark in found.remarks if "One run a side" in remark]
    assert side_by_side(before, [report(seed) for seed in (7, 8, 9)]).alerts == ()


def test_a_fault_is_a_fault_whatever_the_tolerance() -> None:
    good = report(1)
    bad = msgspec.structs.replace(good, summary=msgspec.structs.replace(good.summary, misdelivered=1))
    found = side_by_side([good], [bad])
    assert found.alerts == ("Misdelivered packets: 0 → 1",)
    assert change(side_by_side([bad], [good]), "misdelivered").outcome == "better"


def test_an_objective_that_is_missed_now_is_told() -> None:
    found = side_by_side([report(1)], [report(2, loss=0.03)])
    assert found.alerts[0] == "Objective missed that was met before: Packets lost, after repair"


def search(highest: int, day: int = 1) -> Report:
    """The outcome of a capacity search; its size is that of the best step."""
    capacity = CapacityReport(
        dimension="room_size", highest_good=highest, lowest_bad=None, bottleneck="cpu", why="", steps=()
    )
    return msgspec.structs.replace(report(1, day=day, clients=highest), capacity=capacity)


def test_a_search_is_held_against_what_was_carried(tmp_path: Path) -> None:
    for name, highest in (("a", 40), ("b", 38), ("c", 30)):
        write_report(search(highest), tmp_path / name / "capacity")
        write_report(report(2, clients=10), tmp_path / name / "capacity" / "step-10")
    (same,) = compare.compare_folders(tmp_path / "a", tmp_path / "b", 0.05).comparisons
    assert [(one.name, one.outcome) for one in same.changes] == [("carried", "same")]
    (fewer,) = compare.compare_folders(tmp_path / "a", tmp_path / "c", 0.05).comparisons
    assert fewer.alerts == ("Carried: 40 → 30 (-25.0 %)",)
    assert one_trend([search(40, 1), search(42, 2), search(30, 3)]).alerts == ("Carried: 30, 41 was usual (-26.8 %)",)


def test_other_machines_are_remarked() -> None:
    other = msgspec.structs.replace(report(1), machine={"cpu": "Another", "cores": 64})
    assert "Another, 64 cores" in side_by_side([report(1)], [other]).remarks[0]


LATENCY = Figure("a", "a", "ms", lambda report: None, 1.0)


@pytest.mark.parametrize(
    ("before", "after", "interval", "outcome"),
    [
        (None, 1.0, None, "unknown"),
        (100.0, 104.9, Interval(1.049, 1.04, 1.06), "same"),
        (100.0, 120.0, Interval(1.2, 1.1, 1.3), "worse"),
        (100.0, 120.0, Interval(1.2, 0.9, 1.5), "unclear"),
        (100.0, 120.0, None, "unclear"),
        (100.0, 80.0, Interval(0.8, 0.7, 0.9), "better"),
        (1.0, 1.9, Interval(1.9, 1.8, 2.0), "same"),
        (0.0, 5.0, None, "worse"),
    ],
)
def test_tolerance_floor_and_chance(
    before: float | None, after: float | None, interval: Interval | None, outcome: str
) -> None:
    assert judge_change(before, after, interval, LATENCY, 0.05) == outcome


def run(command: Any, *words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    status: int = command.main(parser.parse_args(words))
    return status


def test_the_command_compares_folders_scenario_by_scenario(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_report(report(1), tmp_path / "a" / "conference")
    write_report(report(1, clients=10), tmp_path / "a" / "small")
    write_report(report(2, slower=1.15), tmp_path / "b" / "conference")
    page = tmp_path / "compare.html"
    assert run(compare, str(tmp_path / "a"), str(tmp_path / "b"), "--html", str(page)) == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "worse: Conference, rooms of ten with video, 20 users: Server CPU" in said
    assert "left out: conference, 10 users" in said
    assert '"page":"compare"' in page.read_text()
    assert run(compare, str(tmp_path / "a"), str(tmp_path / "a")) == 0
    assert run(compare, str(tmp_path / "a"), str(tmp_path / "b"), "--tolerance", "60") == 0


def test_two_runs_of_different_sizes_are_compared_with_a_remark(tmp_path: Path) -> None:
    write_report(report(1), tmp_path / "a")
    write_report(report(1, clients=10), tmp_path / "b")
    (found,) = compare.compare_folders(tmp_path / "a", tmp_path / "b", 0.05).comparisons
    assert "The sizes differ: 20 and 10 users." in found.remarks


def test_what_cannot_be_compared_is_a_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_report(report(1), tmp_path / "a")
    write_report(msgspec.structs.replace(report(1), verdict="void"), tmp_path / "void")
    (tmp_path / "empty").mkdir()
    for other in ("nowhere", "empty", "void"):
        assert run(compare, str(tmp_path / "a"), str(tmp_path / other)) == 2
    assert "only void runs" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        run(compare, "a", "b", "--tolerance", "much")
    assert ended.value.code == 2


def one_trend(reports: Sequence[Report]) -> Trend:
    return trend.trend([(str(index), one) for index, one in enumerate(reports)], 0.05)


def test_the_last_run_is_held_against_what_was_usual() -> None:
    usual = [report(seed, day=seed) for seed in range(1, 6)]
    assert one_trend([*usual, report(50, day=6)]).alerts == ()
    slower = one_trend([*usual, report(50, day=6, slower=1.12)])
    assert [alert for alert in slower.alerts if alert.startswith("Server CPU: ")]
    assert {one.name for one in slower.figures if one.outcome == "worse"} >= {"server_cpu", "signaling_p50"}


def test_void_runs_say_nothing_and_failed_ones_are_not_usual() -> None:
    usual = [report(seed, day=seed) for seed in range(1, 4)]
    void = msgspec.structs.replace(report(9, day=4, slower=3), verdict="void")
    failed = msgspec.structs.replace(report(9, day=5, slower=3), verdict="fail")
    found = one_trend([*usual, void, failed, report(6, day=6)])
    assert found.alerts == ()
    assert found.runs[3].values["server_cpu"] is None
    last_void = one_trend([*usual, void])
    assert {one.outcome for one in last_void.figures} == {"unknown"}


CPU = next(one for one in FIGURES if one.name == "server_cpu")


SURE, CHANCE = Interval(1.2, 1.1, 1.3), Interval(1.2, 0.9, 1.5)


@pytest.mark.parametrize(
    ("usual", "last", "interval", "outcome"),
    [
        ([1.0, 1.3, 0.8, 1.1, 0.9], 1.4, SURE, "unclear"),
        ([1.0, 1.01, 0.99, 1.0], 1.2, SURE, "worse"),
        ([1.0, 1.01, 0.99, 1.0], 1.2, CHANCE, "unclear"),
        ([1.0, 1.01, 0.99, 1.0], 1.2, None, "worse"),
        ([1.0, 1.01, 0.99, 1.0], 1.04, SURE, "same"),
        ([1.0], 1.2, SURE, "worse"),
        ([1.0], 0.8, SURE, "better"),
        ([1.0], 1.2, None, "unclear"),
        ([], 1.2, SURE, "unknown"),
    ],
)
def test_what_is_usual(usual: list[float], last: float, interval: Interval | None, outcome: str) -> None:
    assert trend.judge(CPU, usual, last, interval, 0.05) == outcome


def test_the_trend_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for day in range(1, 5):
        write_report(report(day, day=day), tmp_path / f"night-{day}" / "conference")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "report.json").write_text("{")
    page = tmp_path / "trend.html"
    assert run(trend, str(tmp_path), "--html", str(page)) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "4 runs" in said
    assert "No last run is worse" in said
    assert "left out:" in said
    assert '"page":"trend"' in page.read_text()
    write_report(report(5, day=5, slower=1.2), tmp_path / "night-5")
    assert run(trend, str(tmp_path)) == 1
    assert run(trend, str(tmp_path / "nothing")) == 2


def test_runs_of_several_machines_are_not_mixed(tmp_path: Path) -> None:
    write_report(report(1), tmp_path / "a")
    write_report(msgspec.structs.replace(report(2, slower=2), machine={"cpu": "Slow", "cores": 1}), tmp_path / "b")
    found = trend.trends(tmp_path, 0.05)
    assert len(found.trends) == 2
    assert not [alert for one in found.trends for alert in one.alerts]
    with pytest.raises(ReportError, match="no report that can be read"):
        trend.trends(tmp_path / "nowhere", 0.05)


def test_a_line_of_bars() -> None:
    assert trend.sparkline([0, 1, None, 7]) == "▁▂ █"
    assert trend.sparkline([5.0, 5.0]) == "▁▁"
    assert trend.sparkline([None]) == ""


def without_server(made: Report) -> Report:
    summary = msgspec.structs.replace(made.summary, server_mb_per_participant=None, freeze_share=None)
    return msgspec.structs.replace(made, summary=summary)


def test_what_one_side_did_not_measure_is_unknown_and_no_change() -> None:
    found = side_by_side([report(1)], [without_server(report(2))])
    assert (change(found, "freeze_share").after, change(found, "freeze_share").outcome) == (None, "unknown")
    both = side_by_side([without_server(report(1))], [without_server(report(2))])
    assert "freeze_share" not in {one.name for one in both.changes}
    made = one_trend([report(1), without_server(report(2, day=2)), without_server(report(3, day=3))])
    shown = {one.name: one for one in made.figures}
    assert (shown["freeze_share"].last, shown["freeze_share"].outcome) == (None, "unknown")
