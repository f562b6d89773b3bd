"""Where the checkout is and what it tracks."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file that git tracks and that is still there, as absolute paths."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return tuple(path for name in listing.split("\0") if name and (path := ROOT / name).is_file())


def native_sources() -> list[Path]:
    """Every Cython module of the native core, relative to ``_native``."""
    sources = ROOT / "_native"
    return sorted(path.relative_to(sources) for path in sources.rglob("*.pyx"))


def module_name(source: Path) -> str:
    """The import path of a Cython module that is given relative to ``_native``."""
    return ".".join(("simplestchat", "_native", *source.with_suffix("").parts))
