"""Counts instructions and system calls of every workload, exactly: callgrind runs each of two builds once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from compare.callgrind import OPTIONS, Profile, read_profiles
from compare.trees import Tree

MARKS = Path(__file__).with_name("marks.c")


class CountingError(Exception):
    """callgrind, the compiler or a workload failed."""


@dataclass(frozen=True)
class Count:
    """What one packet of a workload cost."""

    instructions: float
    calls_to_kernel: float
    profile: Profile
    packets: int


def compiled_marks(folder: Path) -> Path:
    """Return the library of marks.c."""
    library = folder / "marks.so"
    done = subprocess.run(
        ["cc", "-O2", "-shared", "-fPIC", "-o", str(library), str(MARKS)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise CountingError(f"marks.c does not compile; valgrind's headers are needed:\n{done.stderr}")
    return library


class Counting:
    """A run of callgrind over one build; several run beside each other, for no clock matters to them."""

    def __init__(self, tree: Tree, names: Sequence[str], folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for stale in folder.glob("callgrind.*"):
            stale.unlink()
        self._tree = tree
        self._stem = folder / "callgrind"
        command = ["valgrind", *OPTIONS, f"--callgrind-out-file={self._stem}", sys.executable, "-P", "-m"]
        self._process = subprocess.Popen(
            [*command, "compare.worker", "count", str(compiled_marks(folder)), *names],
            env=tree.environment(),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def result(self) -> dict[str, Count]:
        """Return what each workload that this build has cost."""
        output, errors = self._process.communicate()
        if self._process.returncode:
            raise CountingError(f"{self._tree.name} under callgrind:\n{errors[-4000:]}")
        answers = [json.loads(line) for line in output.splitlines()]
        packets = {answer["name"]: answer["ns"] for answer in answers if "ns" in answer}
        return {
            profile.name: Count(
                profile.instructions / packets[profile.name],
                profile.calls_to_kernel / packets[profile.name],
                profile,
                packets[profile.name],
            )
            for profile in read_profiles(self._stem)
            if profile.name in packets
        }
