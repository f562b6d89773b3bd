"""A server that tells too little, or too much, of who is in a room: the run fails, and names who was told what."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest
from support.load import PATIENT, LoadRun, load, together
from support.process import ServerProcess
from support.repository import ROOT
from support.server import DEFAULTS

pytestmark = pytest.mark.e2e

ROOM = (
    """
name = "room"
[shape]
clients = 3
[publish]
audio = true
video = "360p15"
bitrate_bps = 100_000
[ramp]
joins_per_s = 5
hold_s = 9
settle_s = 2.5
[objectives]
signaling_p99_ms = "off"
packet_loss = 0.05
"""
    + PATIENT
)
COMING_AND_GOING = (
    ROOM
    + """
[churn]
share = 1.0
stay_s = 1
away_s = 0.5
"""
)


#: What the server gets wrong, and in which room; by the test's word for it.
ROOMS = {
    "track": ("track", ROOM),
    "peer": ("peer", ROOM),
    "refuse": ("refuse", ROOM),
    "make-up": ("make-up", ROOM),
    "hang": ("hang", ROOM),
    "two generators": (
        "track",
        ROOM.replace("processes = 1", "processes = 2").replace("hold_s = 9", "hold_s = 15"),
    ),
    "keep": ("keep", COMING_AND_GOING),
}
Runs = dict[str, Future[LoadRun]]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("announcements")
    with together({word: partial(run_against, word, folder / word) for word in ROOMS}) as found:
        yield found


def run_against(word: str, folder: Path) -> LoadRun:
    fault, text = ROOMS[word]
    folder.mkdir()
    scenario = folder / "room.toml"
    scenario.write_text(text)
    command = [sys.executable, ROOT / "tests/support/faulty_node.py", "serve"]
    environment = {"SIMPLESTCHAT_TEST_NODE_FAULT": fault, "PYTHONPATH": str(ROOT)}
    with ServerProcess(command, cwd=ROOT, settings=DEFAULTS, environment=environment) as server:
        return load(folder / "report", scenario, "--server", server.url)


@pytest.mark.parametrize(
    ("fault", "found", "told"),
    [
        ("track", {"not-announced": 2}, "not-announced (user 1): that user 2 has a camera"),
        ("peer", {"not-announced": 1}, "not-announced (user 1): that user 2 is there"),
        ("refuse", {"not-subscribed": 2}, "not-subscribed (user 1): producer "),
        ("make-up", {"ghost": 3}, "ghost (user 1): user 999 belongs into another room"),
    ],
)
def test_what_one_user_is_not_told_is_missed(fault: str, found: dict[str, int], told: str, runs: Runs) -> None:
    run = runs[fault].result()
    assert run.status == 1, run.output
    assert run.report["faults"] == found, run.output
    assert run.missed == {"errors"}, run.output
    assert run.objective("errors")["value"] == sum(found.values())
    assert any(reason.startswith(told) for reason in run.report["reasons"]), run.report["reasons"]


def test_requests_that_are_never_answered_are_found(runs: Runs) -> None:
    run = runs["hang"].result()
    assert run.status == 1, run.output
    assert "refused-timeout (user 1): consumer.create: timeout" in run.report["reasons"], run.output
    assert set(run.report["faults"]) == {"refused-timeout"}


def test_users_of_other_generators_are_missed_by_the_plan(runs: Runs) -> None:
    run = runs["two generators"].result()
    assert run.status == 1, run.output
    assert run.report["faults"] == {"not-announced": 2}, run.output
    assert len(run.report["agents"]) == 2


def test_people_who_are_not_told_to_have_left_are_ghosts(runs: Runs) -> None:
    run = runs["keep"].result()
    assert run.status == 1, run.output
    assert set(run.report["faults"]) == {"ghost"}, run.output
    assert any("has ended and is still there" in reason for reason in run.report["reasons"])
