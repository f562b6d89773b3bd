"""Load tests with more than one process of users: real browsers in the room, and generators of two agents."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

import psutil
import pytest
from support.load import COMMAND, PATIENT, load
from support.redis import redis_server
from support.repository import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

ROOM = """
name = "small-room"
[shape]
clients = 4
[publish]
audio = true
talk = "always"
video = "360p30"
bitrate_bps = 300_000
[ramp]
joins_per_s = 10
hold_s = {hold_s}
[server]
workers = "1"
[objectives]
signaling_p99_ms = 5000
packet_loss = 0.05
"""


def test_a_real_browser_gets_what_synthetic_users_get(tmp_path: Path) -> None:
    scenario = tmp_path / "room.toml"
    scenario.write_text(ROOM.format(hold_s=14) + PATIENT)
    run = load(tmp_path / "report", scenario, "--browsers", "1")
    assert run.report["verdict"] == "pass", run.output
    (browser,) = run.report["browsers"]
    # Each of the four receives three others; the browser receives four, and they not it.
    synthetic = run.summary["kbytes_per_s_per_participant"] * 4 / 3
    assert 0.4 * synthetic < browser["received_kbytes_per_s"] < 2 * synthetic, browser
    assert browser["packet_loss"] < 0.1, browser


DAY_S = 86_400


def other_clock() -> list[str]:
    """The command that runs another one where the monotonic clock is a day ahead, as if it began earlier."""
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    return ["unshare", *user, "--time", "--monotonic", str(DAY_S), "--fork", "--kill-child"]


def test_two_agents_generate_one_run_although_their_clocks_differ(tmp_path: Path) -> None:
    scenario = tmp_path / "room.toml"
    scenario.write_text(ROOM.format(hold_s=3) + PATIENT)
    with redis_server(tmp_path) as url:
        words = [*COMMAND, "agent", "--redis", url, "--processes", "1", "--name"]
        oak = subprocess.Popen([*words, "oak"], cwd=ROOT)
        elm = subprocess.Popen([*other_clock(), *words, "elm"], cwd=ROOT)
        try:
            run = load(tmp_path / "report", scenario, "--agents", "2", "--redis", url)
        finally:
            (inside,) = psutil.Process(elm.pid).children()
            for agent in (inside, oak):
                agent.send_signal(signal.SIGINT)
            statuses = [agent.wait(timeout=30) for agent in (elm, oak)]
    assert statuses == [0, 0]
    assert run.report["verdict"] == "pass", run.output
    found = {one["machine"]: one for one in run.report["agents"]}
    assert {name: one["users"] for name, one in found.items()} == {"elm": 2, "oak": 2}
    assert all(one["cpu"] and one["cores"] != "not pinned" for one in found.values())
    for name, ahead_s in (("elm", DAY_S), ("oak", 0)):
        wrong_ms = abs(found[name]["clock_offset_ms"] - ahead_s * 1000)
        assert wrong_ms <= found[name]["known_to_ms"] + 1 < 1000, found[name]
    # Three others of each four, media of both agents reached the users of both, and latency counts on one clock.
    assert run.summary["delivered"] > 4 * 3 * 50 * 3
    assert run.summary["misdelivered"] == run.summary["corrupt"] == 0
    assert run.summary["media_latency_ms"]["max"] < 10_000
    assert run.summary["media_latency_ms"]["p50"] < 1000
