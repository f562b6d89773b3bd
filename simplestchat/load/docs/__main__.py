"""Writes ``docs/load-report.md`` and the page's ``shapes.ts``, or with ``--check`` says what is stale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from simplestchat.load.docs import markdown, typescript

ROOT: Final = Path(__file__).resolve().parents[3]
OUTPUTS: Final[dict[str, Callable[[], str]]] = {
    "docs/load-report.md": markdown.render,
    "simplestchat/web/src/report/shapes.ts": typescript.render,
}


def stale(root: Path) -> list[str]:
    """The outputs under ``root`` that are not what the structs say."""
    return [
        path
        for path, render in OUTPUTS.items()
        if not (root / path).is_file() or (root / path).read_text(encoding="utf-8") != render()
    ]


def write(root: Path) -> None:
    """Write every output under ``root``."""
    for path, render in OUTPUTS.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(render(), encoding="utf-8")


def main() -> int:
    """Run the command; 1 when ``--check`` finds something stale."""
    parser = argparse.ArgumentParser(prog="python -m simplestchat.load.docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail when an output is stale")
    parser.add_argument("--root", type=Path, default=ROOT, help="the source tree (default: %(default)s)")
    arguments = parser.parse_args()
    if not (arguments.root / "pyproject.toml").is_file():
        parser.error(f"{arguments.root} is no source tree; say which with --root")
    if not arguments.check:
        write(arguments.root)
        return 0
    outdated = stale(arguments.root)
    for path in outdated:
        print(f"{path} is stale: run python -m simplestchat.load.docs", file=sys.stderr)
    return 1 if outdated else 0


if __name__ == "__main__":
    sys.exit(main())
