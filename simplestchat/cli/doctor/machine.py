"""A machine as the checks see it: files of /proc and /sys to read, and a few things to try. Nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from .probes import Probes


@dataclass(frozen=True, slots=True)
class Machine:
    """The one this program runs on, or one whose files lie in another folder and whose probes answer as told."""

    root: Path = Path("/")
    probes: Probes = field(default_factory=Probes)

    def text(self, path: str) -> str | None:
        """Return a file without the white space around it, None when it is not there or may not be read."""
        try:
            return (self.root / path.lstrip("/")).read_text("utf-8", "replace").strip()
        except OSError:
            return None

    def numbers(self, path: str) -> list[int]:
        """Return the numbers in a file up to the first word that is none."""
        found = []
        for word in (self.text(path) or "").split():
            if not word.isdecimal():
                break
            found.append(int(word))
        return found

    def number(self, path: str) -> int | None:
        """Return the first number in a file."""
        return next(iter(self.numbers(path)), None)

    def paths(self, pattern: str) -> list[str]:
        """Return the files that match a pattern, in the order of their names."""
        return sorted("/" + str(path.relative_to(self.root)) for path in self.root.glob(pattern.lstrip("/")))

    def groups(self) -> list[str]:
        """Return the folders of this process's control group (version 2) and of those around it, innermost first."""
        for line in (self.text("/proc/self/cgroup") or "").splitlines():
            if line.startswith("0::/"):
                inner = PurePosixPath("/sys/fs/cgroup", line.removeprefix("0::/"))
                around = [folder for folder in inner.parents if len(folder.parts) >= len(("/", "sys", "fs", "cgroup"))]
                return [str(folder) for folder in (inner, *around)]
        return []
