"""Runs of `simplestchat load` as its users make them: a command, its exit status and its report."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.repository import ROOT

COMMAND = (sys.executable, "-m", "simplestchat", "load")
TIMEOUT_S = 120.0
AT_ONCE = 3
#: The end of a scenario that asks nothing of how busy the machine of the generator is.
PATIENT = """
[generator]
processes = 1
lag_p99_ms = 5000
wake_p99_ms = 5000
signaling_lag_p99_ms = 5000
cpu = 1.0
socket_drops = 1_000_000
"""


@dataclass(frozen=True)
class LoadRun:
    """An ended run."""

    status: int
    output: str
    report: dict[str, Any]
    folder: Path

    def objective(self, name: str) -> dict[str, Any]:
        """The objective of that name."""
        return next(one for one in self.report["objectives"] if one["name"] == name)

    @property
    def missed(self) -> set[str]:
        """Names of the objectives that were missed."""
        return {one["name"] for one in self.report["objectives"] if not one["ok"]}

    @property
    def summary(self) -> dict[str, Any]:
        """The figures."""
        found: dict[str, Any] = self.report["summary"]
        return found


def start(folder: Path, *arguments: str | Path, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """Begin a run whose report goes to `folder`; `finish` waits for it."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SIMPLESTCHAT_")}
    return subprocess.Popen(
        [*COMMAND, *map(str, arguments), "--quiet", "--report", str(folder)],
        cwd=ROOT,
        env={**clean, **(environment or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str], folder: Path) -> LoadRun:
    """The run at its end; it must end by itself."""
    try:
        output, _ = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        output, _ = process.communicate()
        raise AssertionError(f"the run did not end within {TIMEOUT_S:.0f} s:\n{output}") from None
    report = folder / "report.json"
    assert report.exists(), output
    return LoadRun(process.returncode, output, json.loads(report.read_text("utf-8")), folder)


def load(folder: Path, *arguments: str | Path, environment: dict[str, str] | None = None) -> LoadRun:
    """A whole run."""
    return finish(start(folder, *arguments, environment=environment), folder)


@contextmanager
def together(runs: Mapping[str, Callable[[], LoadRun]]) -> Iterator[dict[str, Future[LoadRun]]]:
    """Several runs, a few at a time, for each leaves most of the machine idle; each has its outcome by its name."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {name: pool.submit(run) for name, run in runs.items()}


def generators_of(coordinator: int, within_s: float = 20.0) -> list[int]:
    """The generator processes of a run, once they are there."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        found = [pid for pid in _children(coordinator) if b"simplestchat.load.generator" in _command(pid)]
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError("no generator came up")


def _children(pid: int) -> Sequence[int]:
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += map(int, (task / "children").read_text().split())
    return found


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
