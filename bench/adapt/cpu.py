"""What estimation and selection cost the server's CPU, beside forwarding: instructions, counted exactly by callgrind.

A call in virtual time runs in a process of its own under valgrind (``adapt.counted``); only what the engine does is
counted, not the synthetic users. What a function does itself belongs to its module. Opening and sealing RTCP counts
as estimation, for it is feedback for the most part. Reading a payload's descriptor is forwarding's: whoever begins
to receive begins with a keyframe.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from compare.callgrind import OPTIONS, Profile, read_profiles
from compare.counting import compiled_marks

from adapt.verdict import Row, most

OF_CC = "aimd allocator arrival bwe delay fallback groups history ladder loss overuse probe rate trendline"
OF_SELECT = "selector speakers temporal vp9svc av1dd"
OF_ENGINE = "allocation estimation inspect pacing voices events telling rates pidmap twcc"  # and what it calls for them
ESTIMATION = frozenset(f"{OF_CC} {OF_SELECT} {OF_ENGINE}".split())
RTCP = "srtcp"
HARNESS = "addresses"  # what only a call in memory has: addresses that are written as text


def _is_python(library: str) -> bool:
    return not library or library.startswith(("libpython", "python", "_", "libffi", "marks", "ld-", "???"))


def _is_library(library: str) -> bool:
    """Whether it is somebody else's: its costs are told by the call of ours that led there."""
    return library.startswith("lib")


def shares(profile: Profile) -> tuple[int, int]:
    """Instructions of (estimation and selection, everything else that the engine does)."""
    sums = {True: 0, False: 0}
    for function, cost in profile.own.items():
        if not _is_python(function.library) and not _is_library(function.library) and function.library != HARNESS:
            sums[function.library in ESTIMATION or function.library == RTCP] += cost
    for (caller, callee), cost in profile.calls.items():
        ours = not _is_python(caller.library) and not _is_library(caller.library) and caller.library != HARNESS
        if ours and _is_library(callee.library) and not _is_python(callee.library):
            sums[caller.library in ESTIMATION or caller.library == RTCP] += cost
    return sums[True], sums[False]


def cost() -> Iterable[Row]:
    """Ten people with three encodings each, everybody behind 4 Mbit/s."""
    with tempfile.TemporaryDirectory() as folder:
        stem = Path(folder) / "callgrind"
        command = ["valgrind", *OPTIONS, "--collect-atstart=no", f"--callgrind-out-file={stem}"]
        marks = compiled_marks(Path(folder))
        done = subprocess.run(
            [*command, sys.executable, "-P", "-m", "adapt.counted", str(marks)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"the call under callgrind failed:\n{done.stderr[-4000:]}")
        (profile,) = read_profiles(stem)
    estimating, forwarding = shares(profile)
    yield most("CPU, ten people", "estimation and selection, of forwarding", 100 * estimating / forwarding, 10, "%")
