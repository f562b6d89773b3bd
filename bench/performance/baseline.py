"""Kept benchmark runs: pytest-benchmark's own format, without the single rounds, one file for each kind of machine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

BASELINES = Path(__file__).resolve().parents[1] / "baselines"
DIGITS = 6
"""Significant ones that are kept."""

Run = dict[str, Any]


def machine_name(run: Run) -> str:
    """Return a file's name for the machine of a run, such as `amd-epyc-2-cores`."""
    cpu = run["machine_info"]["cpu"]
    brand = re.sub(r"\([^)]*\)|\d+-Core Processor|CPU|@.*", " ", cpu["brand_raw"])
    return "-".join(re.findall(r"[a-z0-9]+", brand.lower())) + f"-{cpu['count']}-cores"


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}")
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return [_rounded(each) for each in value] if isinstance(value, list) else value


def slimmed(run: Run) -> Run:
    """Return what is worth keeping of a run; `pytest --benchmark-compare` reads it all the same."""
    machine = {key: value for key, value in run["machine_info"].items() if key not in ("node", "cpu")}
    cpu = {key: value for key, value in run["machine_info"]["cpu"].items() if key not in ("flags",)}
    benchmarks = [
        {**one, "stats": {key: value for key, value in one["stats"].items() if key != "data"}}
        for one in run["benchmarks"]
    ]
    kept = {key: run[key] for key in ("datetime", "version", "commit_info") if key in run}
    return {"machine_info": {**machine, "cpu": cpu}, **kept, "benchmarks": [_rounded(one) for one in benchmarks]}


def merged(old: Run, new: Run) -> Run:
    """Return a run in which what was measured anew has taken the place of what was known."""
    fresh = {one["fullname"] for one in new["benchmarks"]}
    return {**new, "benchmarks": [one for one in old["benchmarks"] if one["fullname"] not in fresh] + new["benchmarks"]}


def newest() -> Run:
    """Return the latest of the kept runs; one without benchmarks when there is none."""
    runs: list[Run] = [json.loads(path.read_text()) for path in sorted(BASELINES.glob("*.json"))]
    nothing: Run = {"benchmarks": [], "datetime": "", "machine_info": {}}
    return max(runs, key=lambda run: run["datetime"], default=nothing)


def figures(run: Run) -> dict[str, dict[str, Any]]:
    """Return the extra figures of each benchmark, by its name with its file: `test_fanout.py::test_fanout[10-200]`."""
    return {one["fullname"].rpartition("/")[2]: one["extra_info"] for one in run["benchmarks"]}
