"""The reference of ``report.json`` and the page's types are what the structs say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from simplestchat.load.docs.__main__ import OUTPUTS
from simplestchat.load.docs.schema import components
from simplestchat.load.report import Report, Summary
from simplestchat.signaling.docs.outputs import ROOT, stale, write


def test_nothing_is_stale() -> None:
    assert stale(OUTPUTS, ROOT) == [], "run python -m simplestchat.load.docs"


def test_the_check_finds_what_is_stale(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    command = [sys.executable, "-m", "simplestchat.load.docs", "--check", "--root", str(tmp_path)]
    missing = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert missing.returncode == 1
    assert "docs/load-report.md is stale" in missing.stderr
    write(OUTPUTS, tmp_path)
    assert subprocess.run(command, capture_output=True, cwd=ROOT, check=False).returncode == 0


def test_everything_is_described() -> None:
    text = OUTPUTS["docs/load-report.md"]()
    for name, schema in components((Report,)).items():
        assert f"## {name}\n\n{schema['description']}" in text
        assert schema["description"]
    assert "`signaling_ms` | [Spread](#spread)" in text
    for field in Summary.__struct_fields__:
        assert f"| `{field}` |" in text
