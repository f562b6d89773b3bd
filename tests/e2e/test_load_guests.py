"""Load tests with more than one process of users: real browsers in the room, and generators of two agents."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from support.load import COMMAND, load
from support.redis import redis_server
from support.repository import ROOT

pytestmark = pytest.mark.e2e

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
# What is asked here does not depend on how busy the machine is.
[generator]
lag_p99_ms = 5000
wake_p99_ms = 5000
signaling_lag_p99_ms = 5000
[objectives]
signaling_p99_ms = 5000
"""


def test_a_real_browser_gets_what_synthetic_users_get(tmp_path: Path) -> None:
    scenario = tmp_path / "room.toml"
    scenario.write_text(ROOM.format(hold_s=14))
    run = load(tmp_path / "report", scenario, "--browsers", "1")
    assert run.report["verdict"] == "pass", run.output
    (browser,) = run.report["browsers"]
    # Each of the four receives three others; the browser receives four, and they not it.
    synthetic = run.summary["kbytes_per_s_per_participant"] * 4 / 3
    assert 0.6 * synthetic < browser["received_kbytes_per_s"] < 1.5 * synthetic, browser
    assert browser["packet_loss"] < 0.05, browser


def test_two_agents_generate_one_run(tmp_path: Path) -> None:
    scenario = tmp_path / "room.toml"
    scenario.write_text(ROOM.format(hold_s=3))
    with redis_server(tmp_path) as url:
        words = [*COMMAND, "agent", "--redis", url, "--processes", "1", "--name"]
        agents = [subprocess.Popen([*words, name], cwd=ROOT) for name in ("oak", "elm")]
        try:
            run = load(tmp_path / "report", scenario, "--agents", "2", "--redis", url)
        finally:
            for agent in agents:
                agent.send_signal(signal.SIGINT)
            statuses = [agent.wait(timeout=30) for agent in agents]
    assert statuses == [0, 0]
    assert run.report["verdict"] == "pass", run.output
    assert sorted(one["machine"] for one in run.report["agents"]) == ["elm", "oak"]
    assert [one["users"] for one in run.report["agents"]] == [2, 2]
    # Three others of each four, and media of both agents reached the users of both.
    assert run.summary["delivered"] > 4 * 3 * 50 * 3
    assert run.summary["misdelivered"] == run.summary["corrupt"] == 0
