"""A server that forwards wrongly is caught and the fault is named; a generator that cannot keep up claims nothing."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest
from support.load import PATIENT, LoadRun, finish, generators_of, load, start, together
from support.process import ServerProcess
from support.repository import ROOT
from support.server import DEFAULTS

pytestmark = pytest.mark.e2e

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
NAMED = {
    "drop": "packet_loss",
    "duplicate": "duplicate",
    "corrupt": "corrupt",
    "reorder": "reordered",
    "misdeliver": "misdelivered",
}


#: Further lines of the last table: full sockets of the generator may drop some, as on a machine that stood still.
LENIENT = "packet_loss = 0.05\n"
TURNING = '[subscribe]\nmode = "page"\nlimit = 1\n[behaviour]\npages_per_minute = 30\n'
#: The fault, in how many packets it shows once, and the room; by the test's word for it.
ROOMS = {
    **{fault: (fault, 20, SMALL_ROOM) for fault in NAMED},
    # Silence is told of after four seconds, or somewhat later where the machine stands still meanwhile.
    "nothing": ("drop", 1, SMALL_ROOM.replace("hold_s = 4", "hold_s = 9")),
    "keep": ("keep", 1, SMALL_ROOM + LENIENT + TURNING),
}
Runs = dict[str, Future[LoadRun]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("faults")
    with together({word: partial(run_against, word, folder / word) for word in ROOMS}) as found:
        yield found


def write(folder: Path, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "small-room.toml"
    path.write_text(text)
    return path


def run_against(word: str, folder: Path) -> LoadRun:
    fault, every, text = ROOMS[word]
    scenario = write(folder, text + PATIENT)
    command = [sys.executable, ROOT / "tests/support/faulty_worker.py", "serve"]
    environment = {
        "SIMPLESTCHAT_TEST_FAULT": fault,
        "SIMPLESTCHAT_TEST_FAULT_EVERY": str(every),
        "PYTHONPATH": str(ROOT),
    }
    with ServerProcess(command, cwd=ROOT, settings=DEFAULTS, environment=environment) as server:
        return load(folder / "report", scenario, "--server", server.url)


@pytest.mark.parametrize("fault", NAMED)
def test_a_fault_of_the_server_is_caught_and_named(fault: str, runs: Runs) -> None:
    run = runs[fault].result()
    assert run.status == 1, run.output
    assert run.report["verdict"] == "fail"
    assert NAMED[fault] in run.missed, run.output
    if fault in ("drop", "reorder", "duplicate"):
        assert not run.missed & {"corrupt", "misdelivered"}, run.output
    assert run.objective(NAMED[fault])["value"] > 0


def test_a_server_that_forwards_nothing_leaves_streams_silent(runs: Runs) -> None:
    run = runs["nothing"].result()
    assert run.status == 1, run.output
    assert "errors" in run.missed, run.output
    assert set(run.report["faults"]) == {"silent-stream"}
    assert run.summary["errors"] == run.report["faults"]["silent-stream"] > 1


def test_a_server_that_goes_on_with_a_page_that_was_turned_is_caught(runs: Runs) -> None:
    run = runs["keep"].result()
    assert run.status == 1, run.output
    assert "misdelivered" in run.missed, run.output
    assert not run.missed & {"corrupt", "packet_loss"}, run.output


def test_a_sound_server_is_not_accused(tmp_path: Path) -> None:
    # What full sockets of the generator drop is lost, or comes by repair. Such a run proves nothing and is done again.
    scenario = write(tmp_path, SMALL_ROOM + PATIENT.replace("socket_drops = 1_000_000", "socket_drops = 0"))
    for number in range(3):
        run = load(tmp_path / f"report-{number}", scenario)
        if run.report["verdict"] != "void":
            break
        assert all("datagrams to full sockets of its own" in reason for reason in run.report["reasons"]), run.output
        assert run.missed <= {"duplicate", "reordered", "packet_loss"}, run.output
    assert run.status == 0, run.output
    assert run.report["verdict"] == "pass"
    assert run.summary["delivered"] > 1000
    assert run.summary["connection_success"] == 1.0


def test_a_starved_generator_voids_its_run(tmp_path: Path) -> None:
    scenario, folder = write(tmp_path, SMALL_ROOM), tmp_path / "report"
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
