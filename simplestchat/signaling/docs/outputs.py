"""Files that are rendered out of the code, and the command that writes them or says which of them are stale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, TypeAlias

ROOT: Final = Path(__file__).resolve().parents[3]
#: Paths below the root, and what renders each.
Outputs: TypeAlias = Mapping[str, Callable[[], str]]


def stale(outputs: Outputs, root: Path) -> list[str]:
    """The outputs under ``root`` that are not what the code says."""
    return [
        path
        for path, render in outputs.items()
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != render()
    ]


def write(outputs: Outputs, root: Path) -> None:
    """Write every output under ``root``."""
    for path, render in outputs.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(render(), encoding="utf-8")


def run(outputs: Outputs, module: str, description: str | None) -> int:
    """Run the command of ``python -m module``; 1 when ``--check`` finds something stale."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when an output is stale")
    parser.add_argument("--root", type=Path, default=ROOT, help="the source tree (default: %(default)s)")
    arguments = parser.parse_args()
    if not (arguments.root / "pyproject.toml").is_file():
        parser.error(f"{arguments.root} is no source tree; say which with --root")
    if not arguments.check:
        write(outputs, arguments.root)
        return 0
    outdated = stale(outputs, arguments.root)
    for path in outdated:
        print(f"{path} is stale: run python -m {module}", file=sys.stderr)
    return 1 if outdated else 0
