"""Kept runs: without single rounds, readable by pytest-benchmark; the tables and plots that are made of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from performance.bars import BARS, NOT_MEASURED, Bar, rows
from performance.baseline import BASELINES, machine_name, merged, slimmed
from performance.plots import Chart, drawn
from performance.tables import TABLES

BENCHMARK = """
import pytest

@pytest.mark.parametrize("burst", [1, 10])
def test_steps(benchmark, burst):
    benchmark.pedantic(sum, args=(range({steps} * burst),), rounds=5)
    benchmark.extra_info["ns_per_packet"] = 1234.56789012
"""


def run(folder: Path, *options: str, steps: int = 1000) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(BENCHMARK.format(steps=steps))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_it.py", *options]
    # In a process that says it is one of several, pytest-benchmark measures nothing.
    alone = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    return subprocess.run(command, cwd=folder, env=alone, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    folder = tmp_path_factory.mktemp("run")
    assert run(folder, "--benchmark-json=run.json").returncode == 0
    slim = slimmed(json.loads((folder / "run.json").read_text()))
    (folder / "kept.json").write_text(json.dumps(slim))
    return folder, slim


def test_single_rounds_and_the_machine_s_own_name_are_left_out(kept: tuple[Path, dict[str, Any]]) -> None:
    _, slim = kept
    assert all("data" not in one["stats"] and one["stats"]["median"] > 0 for one in slim["benchmarks"])
    assert "node" not in slim["machine_info"]
    assert slim["machine_info"]["cpu"]["brand_raw"]
    assert slim["benchmarks"][0]["extra_info"] == {"ns_per_packet": 1234.57}


def test_pytest_benchmark_compares_with_it_and_fails_where_told(kept: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = kept
    fair = run(folder, "--benchmark-compare=kept.json", "--benchmark-compare-fail=min:100000%")
    assert fair.returncode == 0, fair.stdout + fair.stderr
    assert "kept" in fair.stdout
    slower = run(folder, "--benchmark-compare=kept.json", "--benchmark-compare-fail=min:300%", steps=100_000)
    assert slower.returncode != 0
    assert "Performance has regressed" in slower.stdout + slower.stderr


@pytest.mark.parametrize(
    ("brand", "name"),
    [
        ("AMD EPYC", "amd-epyc-2-cores"),
        ("AMD EPYC 7763 64-Core Processor", "amd-epyc-7763-2-cores"),
        ("Intel(R) Xeon(R) CPU E5-2670 0 @ 2.60GHz", "intel-xeon-e5-2670-0-2-cores"),
    ],
)
def test_a_machine_has_a_name_for_a_file(brand: str, name: str) -> None:
    assert machine_name({"machine_info": {"cpu": {"brand_raw": brand, "count": 2}}}) == name


def test_what_was_measured_anew_takes_the_place_of_the_old() -> None:
    old = {"benchmarks": [{"fullname": "a", "value": 1}, {"fullname": "b", "value": 1}], "datetime": "1"}
    new = {"benchmarks": [{"fullname": "b", "value": 2}], "datetime": "2"}
    both = merged(old, new)
    assert {one["fullname"]: one["value"] for one in both["benchmarks"]} == {"a": 1, "b": 2}
    assert both["datetime"] == "2"


def test_a_bar_is_reached_or_not_or_not_measured() -> None:
    bar = Bar("CPU", "test_macro.py::test_it", "cpu_us", "µs", 1.25, "cpu_ratio")
    met = bar.row({"test_macro.py::test_it": {"cpu_us": 3.456, "cpu_ratio": 1.2}})
    assert met == ("CPU", "3.46 µs", "1.20", "≤ 1.25 x floor", "yes", "")
    assert bar.row({"test_macro.py::test_it": {"cpu_us": 3.456, "cpu_ratio": 1.3}})[4] == "**no**"
    assert bar.row({})[1] == NOT_MEASURED


def test_more_is_better_where_it_says_so() -> None:
    bar = Bar("rate", "test_macro.py::test_it", "rate", "packets/s", 0.85, "ratio", at_least=True)
    figures = {"test_macro.py::test_it": {"rate": 410_000.0, "ratio": 0.9}}
    assert bar.row(figures)[1:5] == ("410 000 packets/s", "0.90", "≥ 0.85 x floor", "yes")


def test_a_ratio_may_be_of_two_figures_and_a_benchmark_any_of_a_file() -> None:
    bar = Bar("extra", "test_srtp.py::", "extra_ns", "ns", 1.2, "extra_ns/floors_ns", than="that of the floors")
    figures = {"test_srtp.py::test_seal": {"ns": 1}, "test_srtp.py::test_extra[x]": {"extra_ns": 11, "floors_ns": 10}}
    assert bar.row(figures)[1:5] == ("11 ns", "1.10", "≤ 1.2 x that of the floors", "yes")
    assert bar.row({"test_srtp.py::test_seal": {"ns": 1}})[1] == NOT_MEASURED
    worse = Bar("worse by", "test_joins.py::", "herd_ms-calm_ms", "ms", 2)
    assert worse.row({"test_joins.py::test_herd": {"herd_ms": 3.5, "calm_ms": 1}})[1:5] == (
        "2.5 ms",
        "",
        "≤ 2 ms",
        "**no**",
    )


def test_a_benchmark_s_own_bars_are_told_too() -> None:
    info = {"join_ms": 0.7, "join_bar": 0.8, "join_met": True}
    row = rows({"test_latency.py::test_cpu": info})[-1]
    assert row == ("test_cpu: join", "0.7 ms", "", "0.8", "yes", "")
    assert len(rows({})) == len(BARS)


@pytest.mark.parametrize("name", TABLES)
def test_every_table_can_be_made_of_every_kept_run_and_of_none(name: str) -> None:
    runs = [json.loads(path.read_text()) for path in BASELINES.glob("*.json")]
    for each in [{"benchmarks": [], "datetime": "", "machine_info": {}}, *runs]:
        head, lines = TABLES[name](each)
        assert all(len(list(line)) == len(head) for line in lines)


def test_a_plot_has_a_bar_for_each_value() -> None:
    chart = Chart("A & B", "What it shows.", "ms", ("ours", "floor"), [("one", (2.0, 1.0)), ("two", (4.0, None))])
    text = drawn(chart)
    assert text.count('class="series0"') == 1 + 2  # the legend's and two bars
    assert text.count('class="series1"') == 1 + 1
    assert "A &amp; B" in text
    assert "4 ms" in text
    assert "not measured yet" in drawn(Chart("A", "B", "ms", ("ours",), []))
