"""A server that forwards wrongly is caught and the fault is named; a generator that cannot keep up claims nothing."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from support.load import LoadRun, finish, generators_of, load, start
from support.process import ServerProcess
from support.repository import ROOT
from support.server import DEFAULTS

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

SMALL_ROOM = """
name = "small-room"
[shape]
clients = 3
[publish]
audio = true
video = "360p30"
bitrate_bps = 400_000
[ramp]
joins_per_s = 10
hold_s = 4
settle_s = 2.5
[objectives]
signaling_p99_ms = "off"
duplicate = 0
reordered = 0
"""
# What is asked of the faults does not depend on how busy the machine is.
PATIENT = """
[generator]
lag_p99_ms = 5000
wake_p99_ms = 5000
signaling_lag_p99_ms = 5000
cpu = 1.0
socket_drops = 1_000_000
"""
NAMED = {
    "drop": "packet_loss",
    "duplicate": "duplicate",
    "corrupt": "corrupt",
    "reorder": "reordered",
    "misdeliver": "misdelivered",
}


@pytest.fixture
def scenario(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "small-room.toml"
    path.write_text(SMALL_ROOM + PATIENT)
    return path


def run_against(fault: str, scenario: Path, every: int = 20) -> LoadRun:
    command = [sys.executable, ROOT / "tests/support/faulty_worker.py", "serve"]
    environment = {
        "SIMPLESTCHAT_TEST_FAULT": fault,
        "SIMPLESTCHAT_TEST_FAULT_EVERY": str(every),
        "PYTHONPATH": str(ROOT),
    }
    with ServerProcess(command, cwd=ROOT, settings=DEFAULTS, environment=environment) as server:
        return load(scenario.parent / "report", scenario, "--server", server.url)


@pytest.mark.parametrize("fault", NAMED)
def test_a_fault_of_the_server_is_caught_and_named(fault: str, scenario: Path) -> None:
    run = run_against(fault, scenario)
    assert run.status == 1, run.output
    assert run.report["verdict"] == "fail"
    assert NAMED[fault] in run.missed, run.output
    if fault in ("drop", "reorder", "duplicate"):
        assert not run.missed & {"corrupt", "misdelivered"}, run.output
    assert run.objective(NAMED[fault])["value"] > 0


def test_a_server_that_forwards_nothing_leaves_streams_silent(scenario: Path) -> None:
    scenario.write_text(scenario.read_text().replace("hold_s = 4", "hold_s = 6"))
    run = run_against("drop", scenario, every=1)
    assert run.status == 1, run.output
    assert "errors" in run.missed, run.output
    assert set(run.report["faults"]) == {"silent-stream"}
    assert run.summary["errors"] == run.report["faults"]["silent-stream"] > 1


def test_a_server_that_goes_on_with_a_page_that_was_turned_is_caught(scenario: Path) -> None:
    turning = '[subscribe]\nmode = "page"\nlimit = 1\n[behaviour]\npages_per_minute = 30\n'
    scenario.write_text(SMALL_ROOM + turning + PATIENT)
    run = run_against("keep", scenario, every=1)
    assert run.status == 1, run.output
    assert "misdelivered" in run.missed, run.output
    assert not run.missed & {"corrupt", "packet_loss"}, run.output


def test_a_sound_server_is_not_accused(scenario: Path) -> None:
    run = load(scenario.parent / "report", scenario)
    assert run.status == 0, run.output
    assert run.report["verdict"] == "pass"
    assert run.summary["delivered"] > 1000
    assert run.summary["connection_success"] == 1.0


def test_a_starved_generator_voids_its_run(scenario: Path) -> None:
    scenario.write_text(SMALL_ROOM)
    folder = scenario.parent / "report"
    process = start(folder, scenario)
    [generator, *_] = generators_of(process.pid)
    # It has its share of the machine taken away again and again, as on a machine with too much to do.
    with suppress(ProcessLookupError):
        while process.poll() is None:
            os.kill(generator, signal.SIGSTOP)
            time.sleep(0.3)
            os.kill(generator, signal.SIGCONT)
            time.sleep(0.1)
    run = finish(process, folder)
    assert run.status == 3, run.output
    assert run.report["verdict"] == "void"
    assert any("generator" in reason for reason in run.report["reasons"]), run.report["reasons"]
