"""Agents as processes of their own, a run shared out over two of them, and what happens when one is lost."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
import support
from support.redis import redis_server
from support.repository import ROOT

from simplestchat.load.process import python

STUB = Path(support.__path__[0]) / "stub_generator.py"
SCENARIO = """
name = "shared"
[shape]
clients = 5
[ramp]
joins_per_s = 40
hold_s = {hold_s}
settle_s = 0.1
[generator]
processes = 2
[server]
workers = "1"
"""


def command(*words: str | Path) -> list[str]:
    """``simplestchat`` with generators that only say that they generate, and with little patience."""
    code = (
        "import sys\n"
        "from simplestchat.load import redis, staff\n"
        "redis.ALIVE_S, redis.HEARTBEAT_S, redis.POLL_S = 3, 0.3, 0.3\n"
        f"staff.GENERATOR = {tuple(python(str(STUB)))!r}\n"
        "from simplestchat.cli.main import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    return [sys.executable, "-c", code, *map(str, words)]


@contextmanager
def agents(url: str, *names: str) -> Iterator[list[subprocess.Popen[str]]]:
    """Agents that are ready; they must end when told, with all of their generators."""
    words = [command("load", "agent", "--redis", url, "--name", name) for name in names]
    started = [subprocess.Popen(one, cwd=ROOT, stdout=subprocess.PIPE, text=True) for one in words]
    try:
        for process, name in zip(started, names, strict=True):
            assert process.stdout is not None
            assert f"agent {name}: ready" in process.stdout.readline()
        yield started
    finally:
        alive = [process for process in started if process.poll() is None]
        generators = [child for process in alive for child in psutil.Process(process.pid).children()]
        for process in alive:
            process.send_signal(signal.SIGINT)
        statuses = [process.wait(timeout=30) for process in alive]
        for process in started:
            process.communicate()
        _gone, left = psutil.wait_procs(generators, timeout=10)
    assert set(statuses) <= {0}
    assert not left


def scenario(folder: Path, hold_s: float) -> Path:
    path = folder / "shared.toml"
    path.write_text(SCENARIO.format(hold_s=hold_s))
    return path


def run(url: str, folder: Path, hold_s: float) -> subprocess.Popen[str]:
    words = ["load", scenario(folder, hold_s), "--quiet", "--agents", "2", "--redis", url]
    return subprocess.Popen(command(*words, "--report", folder / "report"), cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_two_agents_share_a_run(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url, agents(url, "oak", "elm"):
        output, _ = run(url, tmp_path, 1.0).communicate(timeout=60)
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["verdict"] == "pass", output
    assert "agent elm: generators 0 to 1" in output
    assert "agent oak: generators 2 to 3" in output
    assert report["summary"]["clients"] == 5
    assert [one["machine"] for one in report["agents"]] == ["elm", "elm", "oak", "oak"]
    for one in report["agents"]:
        # Both run on this machine, whose clock is one: the offset must be found to be 0 within what is claimed.
        assert abs(one["clock_offset_ms"]) <= one["known_to_ms"] < 1000, one


def test_an_agent_that_is_lost_voids_the_run_by_name(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url, agents(url, "oak", "elm") as (lost, _other):
        coordinator = run(url, tmp_path, 8.0)
        assert coordinator.stdout is not None
        for line in coordinator.stdout:
            if "joined" in line:
                break
        lost.kill()
        output, _ = coordinator.communicate(timeout=60)
    assert coordinator.returncode == 3, output
    report = json.loads((tmp_path / "report" / "report.json").read_text())
    assert report["verdict"] == "void"
    assert any("agent oak is gone" in reason for reason in report["reasons"]), report["reasons"]
    assert not any("elm" in reason for reason in report["reasons"])


def test_generators_end_with_their_coordinator(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url, agents(url, "oak", "elm") as (oak, _elm):
        coordinator = run(url, tmp_path, 300)
        assert coordinator.stdout is not None
        for line in coordinator.stdout:
            if "joined" in line:
                break
        generators = psutil.Process(oak.pid).children()
        assert len(generators) == 2
        coordinator.kill()
        coordinator.communicate(timeout=30)
        _gone, left = psutil.wait_procs(generators, timeout=30)
        assert not left


def test_two_agents_of_one_name_are_not_two(tmp_path: Path) -> None:
    with redis_server(tmp_path) as url, agents(url, "oak"):
        done = subprocess.run(
            command("load", "agent", "--redis", url, "--name", "oak"),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.returncode == 2
    assert "an agent called oak is there already" in done.stderr


@pytest.mark.parametrize("words", [["agent"], ["conference", "--agents", "1"]])
def test_no_redis_is_a_wrong_option(words: list[str]) -> None:
    nowhere = ["--redis", "redis://127.0.0.1:1/0"]
    done = subprocess.run(command("load", *words, *nowhere), cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("simplestchat: Redis cannot be reached: ")
