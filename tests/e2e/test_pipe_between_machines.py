"""A pipe between workers in two network namespaces, over real sockets and a path that loses and disorders packets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support import two_machines
from support.namespace import Namespace
from support.repository import ROOT

pytestmark = pytest.mark.e2e
SECONDS, LOSS = 6, 0.05


@pytest.fixture(scope="module")
def outcome() -> dict[str, Any]:
    """What people at the other machine got."""
    with Namespace() as namespace:
        done = subprocess.run(
            [*namespace.enter, sys.executable, two_machines.__file__, str(SECONDS), str(LOSS)],
            env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(Path(ROOT, "tests"))))},
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_every_packet_comes_in_spite_of_loss(outcome: dict[str, Any], kind: str) -> None:
    totals = outcome["tracks"][kind]
    assert totals["delivered"] > SECONDS * 40
    assert {name: totals[name] for name in ("lost", "corrupt", "misdelivered", "frames_broken")} == {
        "lost": 0, "corrupt": 0, "misdelivered": 0, "frames_broken": 0
    }  # fmt: skip


def test_the_path_did_lose_and_the_pipe_did_ask(outcome: dict[str, Any]) -> None:
    relay, (near, far) = outcome["relay"], outcome["workers"]
    assert relay["lost"] > 20
    assert relay["delayed"] > 5
    assert near["piped_out"] == near["media_in"] == far["piped_in"] == far["piped_expected"]
    assert (near["forwarded"], far["media_in"]) == (0, 0)
    assert far["dropped_auth"] == near["dropped_auth"] == 0
