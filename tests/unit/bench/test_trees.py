"""A revision's build: in a worktree of its own, made once, and only a few of them are kept."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from compare import trees
from compare.trees import KEPT, TreeError, revision

NOBODY = {f"GIT_{who}_{what}": "nobody" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(folder: Path, *arguments: str) -> str:
    environment = {**os.environ, **NOBODY}
    return subprocess.run(
        ["git", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=True
    ).stdout.strip()


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A repository with five revisions; the folders that were built."""
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    for number in range(5):
        (tmp_path / "file").write_text(str(number))
        (tmp_path / "setup.py").write_text("")
        git(tmp_path, "add", "file", "setup.py")
        git(tmp_path, "commit", "--quiet", "--message", str(number))
    done: list[Path] = []
    monkeypatch.setattr(trees, "ROOT", tmp_path)
    monkeypatch.setattr(trees, "_build", done.append)
    return done


def test_is_checked_out_apart_and_built_once(tmp_path: Path, built: list[Path]) -> None:
    tree = revision("main~2")
    assert (tree.path / "file").read_text() == "2"
    assert (tmp_path / "file").read_text() == "4"
    assert tree.path.is_relative_to(tmp_path / "build" / "compare")
    assert revision(git(tmp_path, "rev-parse", "main~2")).path == tree.path
    assert built == [tree.path]


def test_what_is_the_same_is_not_built_again(tmp_path: Path, built: list[Path]) -> None:
    for name, text in (("setup.py", "flags"), ("_native/same.pyx", "same"), ("_native/changed.pyx", "old")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "sources")
    (tmp_path / "_native/changed.pyx").write_text("new")
    (tmp_path / "build/release").mkdir(parents=True)
    (tmp_path / "build/release/same.o").write_text("object")
    for name in ("setup.py", "_native/same.pyx", "_native/changed.pyx"):
        os.utime(tmp_path / name, (1000, 1000))
    tree = revision("main").path
    assert (tree / "build/release/same.o").read_text() == "object"
    assert (tree / "_native/same.pyx").stat().st_mtime == 1000
    assert (tree / "_native/changed.pyx").stat().st_mtime > 1000
    assert (tree / "_native/changed.pyx").read_text() == "old"


def test_other_ways_of_building_begin_from_nothing(tmp_path: Path, built: list[Path]) -> None:
    (tmp_path / "setup.py").write_text("flags")
    git(tmp_path, "add", "setup.py")
    git(tmp_path, "commit", "--quiet", "--message", "sources")
    (tmp_path / "setup.py").write_text("other flags")
    (tmp_path / "build/release").mkdir(parents=True)
    assert not (revision("main").path / "build").exists()


def test_what_an_interrupted_build_left_is_made_anew(built: list[Path]) -> None:
    tree = revision("main")
    (tree.path / "built").unlink()
    (tree.path / "half").touch()
    assert revision("main").path == tree.path
    assert len(built) == 2
    assert not (tree.path / "half").exists()


def test_old_ones_go(tmp_path: Path, built: list[Path]) -> None:
    for number in range(5):
        tree = revision(f"main~{number}")
        os.utime(tree.path / "built", (number, number))
    assert len(built) == 5
    left = list((tmp_path / "build" / "compare").iterdir())
    assert len(left) == KEPT
    assert tree.path in left


@pytest.mark.parametrize("name", ["no-such-branch", "", "--help"])
def test_an_unknown_revision_is_told(built: list[Path], name: str) -> None:
    with pytest.raises(TreeError, match=r"no revision|failed"):
        revision(name)
    assert not built
