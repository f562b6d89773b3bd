"""The machine's description: what it reads out of the kernel's files, and that it never fails."""

from __future__ import annotations

import subprocess
from pathlib import Path

import msgspec

from simplestchat.load.machine import commit, cpu_model, describe, memory_mb, versions


def test_this_machine_is_described_in_plain_values() -> None:
    told = describe()
    assert told["cores"] >= told["cores_allowed"] >= 1
    assert told["memory_mb"] > 100
    assert told["cpu"]
    assert msgspec.json.decode(msgspec.json.encode(told)) == told


def test_versions_name_what_matters() -> None:
    found = versions()
    assert found["python"].startswith(("CPython 3.", "PyPy"))
    assert "SSL" in found["openssl"]
    assert "unknown" not in found.values()


def test_the_kernels_files_are_read_and_missing_lines_are_no_fault() -> None:
    assert cpu_model("processor\t: 0\nmodel name\t: Some  CPU @ 3.00GHz\n") == "Some CPU @ 3.00GHz"
    assert cpu_model("") == ""
    assert memory_mb("MemTotal:       16384000 kB\nMemFree: 1 kB\n") == 16777
    assert memory_mb("") == 0


def test_a_commit_is_told_with_a_mark_when_files_differ(tmp_path: Path) -> None:
    assert commit(tmp_path) == ""

    def git(*arguments: str) -> None:
        identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        subprocess.run(["git", "-C", str(tmp_path), *identity, *arguments], check=True, capture_output=True)

    git("init")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-m", "one")
    clean = commit(tmp_path)
    assert len(clean) == 40
    (tmp_path / "file").write_text("two")
    assert commit(tmp_path) == clean + "+"
