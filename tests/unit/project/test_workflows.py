"""What the workflows run is there: scripts, targets, commands and their options."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.repository import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def test_there_are_some() -> None:
    assert WORKFLOWS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_what_is_named_exists(path: Path) -> None:
    text = path.read_text()
    for script in re.findall(r"\bscripts/[\w-]+\.sh", text):
        assert (ROOT / script).stat().st_mode & 0o111, f"{script} cannot be run"
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", text)) <= targets
    for module in re.findall(r"simplestchat load (compare|trend)\b", text):
        assert (ROOT / f"simplestchat/load/{module}.py").exists()
    for action in re.findall(r"uses: (\S+)", text):
        assert re.fullmatch(r"[\w-]+/[\w/-]+@v\d+", action), "an action is named with its version"
