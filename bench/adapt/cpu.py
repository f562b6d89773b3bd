"""What estimation and selection cost the server's CPU, beside forwarding: instructions, counted exactly by callgrind.

A call in virtual time runs in a process of its own under valgrind (``adapt.counted``); only what the engine does is counted,
not the synthetic users. What a function does itself belongs to its module. Opening and sealing RTCP is counted to
estimation whole, for it is feedback for the most part, and so is the reading of every codec's descriptors.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from compare.callgrind import OPTIONS, Profile, read_profiles
from compare.counting import compiled_marks

from adapt.verdict import Row, most

ESTIMATION = frozenset(
    "aimd allocator arrival bwe delay fallback groups history ladder loss overuse probe rate trendline "  # _native/cc
    "selector speakers temporal vp9svc av1dd "  # _native/select
    "allocation estimation inspect pacing voices events telling rates pidmap "  # what the engine calls them for
    "av1 vp8 vp9 h264 twcc".split()  # and what it reads
)
RTCP = "srtcp"
FOREIGN = ("python", "libffi", "_ctypes", "ld-linux", "marks", "_asyncio", "select.")


def _is_counted(library: str) -> bool:
    return bool(library) and not library.startswith((*FOREIGN, "libpython", "???"))


def shares(profile: Profile) -> tuple[int, int]:
    """Instructions of (estimation and selection, everything else that the engine does)."""
    own = {function: cost for function, cost in profile.own.items() if _is_counted(function.library)}
    estimating = sum(cost for function, cost in own.items() if function.library in ESTIMATION)
    opened = sum(
        cost
        for (caller, callee), cost in profile.calls.items()
        if callee.library == RTCP and caller.library not in (RTCP, *ESTIMATION)
    )
    return estimating + opened, sum(own.values()) - estimating - opened


def cost() -> Iterable[Row]:
    """Six people with three encodings each, everybody behind 4 Mbit/s."""
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
        packets = json.loads(done.stdout)["packets"]
        (profile,) = read_profiles(stem)
    estimating, forwarding = shares(profile)
    case = "CPU, six people"
    yield most(case, "estimation and selection, of forwarding", 100 * estimating / forwarding, 10, "%")
    yield most(case, "instructions a packet, of both", (estimating + forwarding) / packets, 10_000)
