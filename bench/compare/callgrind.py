"""Reads what callgrind writes: the costs of each function by itself, and of each call with all that it led to.

Expects files without compressed names and positions (`OPTIONS`), one for each `mark_end` of marks.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

OPTIONS = (
    "--tool=callgrind",
    "--instr-atstart=no",
    "--collect-systime=msec",
    "--compress-strings=no",
    "--compress-pos=no",
)
REQUEST = "desc: Trigger: Client Request: "
# A function of Cython's is named after its package, its module and itself, each with its length before it.
MANGLED = re.compile(r"__pyx_(?:f|pf|pw|fuse_\d+_?\w*?)_(\d+simplestchat\w*)")


@dataclass(frozen=True)
class Function:
    """A function, and the name of the file that its code is in."""

    library: str
    name: str


@dataclass
class Profile:
    """What was counted between two marks."""

    name: str = ""
    instructions: int = 0
    calls_to_kernel: int = 0
    own: dict[Function, int] = field(default_factory=dict)
    """Instructions of a function itself."""
    calls: dict[tuple[Function, Function], int] = field(default_factory=dict)
    """Instructions of all calls of the second one by the first one, with everything below them."""


def plain_name(symbol: str) -> str:
    """Return a symbol as its source has it: Cython's prefixes of package and module are left out."""
    symbol = symbol.split("'")[0]  # recursion levels
    if not (match := MANGLED.match(symbol)):
        return symbol
    rest, parts = match[1], []
    while (sized := re.match(r"(\d+)", rest)) and len(rest) >= sized.end() + int(sized[1]):
        parts.append(rest[sized.end() : sized.end() + int(sized[1])])
        rest = rest[sized.end() + int(sized[1]) :].removeprefix("_")
    return (rest or parts[-1]).lstrip("0123456789")  # Python's own methods are numbered


def _function(library: str, name: str) -> Function:
    return Function(Path(library).name.split(".")[0], plain_name(name))


def read_profile(lines: Iterable[str]) -> Profile:
    """Return what one file says."""
    profile = Profile()
    columns: list[str] = []
    library = callee_library = ""
    caller = callee = Function("", "")
    called = False  # the next line of costs belongs to a call

    for line in (line.rstrip("\n") for line in lines):
        key, found, value = line.partition("=")
        if line.startswith(REQUEST):
            profile.name = line.removeprefix(REQUEST)
        elif line.startswith("events: "):
            columns = line.split()[1:]
        elif line[:1].isdigit():
            costs = dict(zip(columns, map(int, line.split()[1:]), strict=False))
            if called:
                profile.calls[caller, callee] = profile.calls.get((caller, callee), 0) + costs.get("Ir", 0)
            else:
                profile.own[caller] = profile.own.get(caller, 0) + costs.get("Ir", 0)
                profile.instructions += costs.get("Ir", 0)
                profile.calls_to_kernel += costs.get("sysCount", 0)
            called = False
        elif not found:
            continue
        elif key == "ob":
            library = callee_library = value
        elif key == "fn":
            caller, callee_library = _function(library, value), library
        elif key == "cob":
            callee_library = value
        elif key == "cfn":
            callee = _function(callee_library, value)
        elif key == "calls":
            called = True
            callee_library = library  # the next call's, unless it says another
    return profile


def read_profiles(stem: Path) -> Iterator[Profile]:
    """Yield the profiles of all marks of a run, in their order; `stem` is what `--callgrind-out-file` named."""
    number = 1
    while (path := stem.with_name(f"{stem.name}.{number}")).exists():
        with path.open() as lines:
            yield read_profile(lines)
        number += 1
