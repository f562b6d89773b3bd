"""The two builds: the working tree as it is, and a revision in a git worktree of its own under build/compare."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
KEPT = 3
"""Builds of other revisions that stay, so that comparing with one again costs nothing."""


class TreeError(Exception):
    """A revision is unknown or does not build."""


@dataclass(frozen=True)
class Tree:
    """A checkout with its native core built in place."""

    name: str
    path: Path

    def environment(self) -> dict[str, str]:
        """What makes a process import this build and this checkout's workloads, and do the same in each run."""
        return {
            **os.environ,
            "PYTHONPATH": f"{self.path}{os.pathsep}{ROOT / 'bench'}",
            "PYTHONHASHSEED": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
        }


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise TreeError(done.stderr.strip() or f"git {arguments[0]} failed")
    return done.stdout.strip()


def _start_from_here(path: Path) -> None:
    """Give a fresh checkout what the working tree has built: then only what differs is built there.

    A build looks at times. So files that are the same get the time that they have here, and all others are as new as
    the checkout. Where setup.py differs, everything may: nothing is taken over.
    """
    if (path / "setup.py").read_bytes() != (ROOT / "setup.py").read_bytes():
        return
    for file in (path / "setup.py", *(path / "_native").rglob("*")):
        here = ROOT / file.relative_to(path)
        if file.is_file() and here.is_file() and here.read_bytes() == file.read_bytes():
            os.utime(file, ns=(here.stat().st_atime_ns, here.stat().st_mtime_ns))
    for built in ("c", "cimport", "release"):
        if (ROOT / "build" / built).exists():
            shutil.copytree(ROOT / "build" / built, path / "build" / built)


def _build(path: Path) -> None:
    compiler = os.environ.get("CC", "cc")
    if shutil.which("ccache") and not compiler.startswith("ccache"):
        compiler = f"ccache {compiler}"
    environment = {**os.environ, "CC": compiler, "SIMPLESTCHAT_BUILD": "release"}
    done = subprocess.run(
        [sys.executable, "setup.py", "--quiet", "build_ext", "--inplace"],
        cwd=path,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode:
        raise TreeError(f"{path.name} does not build:\n{done.stderr[-4000:]}")


def _forget_old(folder: Path, keep: Path) -> None:
    others = sorted((path for path in folder.iterdir() if (path / "built").exists() and path != keep), key=_last_used)
    for path in others[: max(0, len(others) + 1 - KEPT)]:
        shutil.rmtree(path)
    _git("worktree", "prune")


def _last_used(path: Path) -> float:
    return (path / "built").stat().st_mtime


def revision(name: str) -> Tree:
    """Return the build of a revision, made if it is not there."""
    commit = _git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}") if name else ""
    if not commit:
        raise TreeError(f"there is no revision {name!r}")
    folder = ROOT / "build" / "compare"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / commit[:12]
    if not (path / "built").exists():
        if path.exists():
            shutil.rmtree(path)
        _git("worktree", "prune")
        _git("worktree", "add", "--detach", "--force", str(path), commit)
        _start_from_here(path)
        _build(path)
    (path / "built").touch()
    _forget_old(folder, path)
    return Tree(f"{name} ({commit[:8]})", path)


def working_tree() -> Tree:
    """Return this checkout, which `make` has built."""
    return Tree("working tree", ROOT)
