"""Times two builds against each other, in rounds.

A round starts a fresh process of each build: where its memory happens to lie is a matter of some per cent, and the
same for a process's whole life. It takes each workload's slices in turn, A B B A A B B A, and says one ratio. Rounds
go on for those workloads of which it is not certain yet on which side of the bar they are, up to a bound. What seems
to fail is measured again, by fresh rounds alone: so chance would have to fail it twice.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from compare.statistics import Interval, interval, ratio_of_pairs
from compare.trees import Tree

TURNS = "ABBAABBA"
LEAST_ROUNDS = 4
MOST_ROUNDS = 12
ROUNDS_IN_NEED = 2
"""Where the time is up: next to nothing is certain after so few, so next to nothing fails."""
WORSE = 1.05
KNOWN_WELL = 0.005
"""An interval that wide to each side is narrow enough."""


class TimingError(Exception):
    """A process that times a build ended."""


class Build:
    """A process of one build."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "compare.worker", "time"],
            env=tree.environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ns(self, name: str) -> float | None:
        """Return the cost of a packet in one slice, None where the build has no such workload."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(f"{name}\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise TimingError(f"{self._tree.name}: the process ended at {name!r}")
        answer: dict[str, float] = json.loads(line)
        return answer.get("ns")

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        if self._process.stdout:
            self._process.stdout.close()


@dataclass
class Timed:
    """What rounds told of one workload."""

    ratios: list[float] = field(default_factory=list)
    before_ns: list[float] = field(default_factory=list)
    after_ns: list[float] = field(default_factory=list)

    @property
    def interval(self) -> Interval:
        """The ratio after / before."""
        return interval(self.ratios)

    def is_known(self) -> bool:
        """Say whether it is certain by now on which side of the bar it lies, or known as well as it will be."""
        if len(self.ratios) < LEAST_ROUNDS:
            return False
        now = self.interval
        return now.high < WORSE or now.low > WORSE or now.width <= KNOWN_WELL


Measure = Callable[[Sequence[str]], dict[str, tuple[list[float], list[float]]]]
"""One round: for each name that both builds have, its costs before and after, slice by slice."""


def measure_once(before: Tree, after: Tree) -> Measure:
    """Return what takes a round of two builds."""

    def round_of(names: Sequence[str]) -> dict[str, tuple[list[float], list[float]]]:
        builds = {"A": Build(before), "B": Build(after)}
        taken: dict[str, tuple[list[float], list[float]]] = {}
        try:
            for name in names:
                rows: dict[str, list[float]] = {"A": [], "B": []}
                for turn in TURNS:
                    ns = builds[turn].ns(name)
                    if ns is None:
                        break
                    rows[turn].append(ns)
                else:
                    taken[name] = rows["A"], rows["B"]
        finally:
            for build in builds.values():
                build.close()
        return taken

    return round_of


def rounds(
    names: Iterable[str], measure: Measure, until: float, clock: Callable[[], float] = time.monotonic
) -> dict[str, Timed]:
    """Measure until all is known, the bound of rounds is met, or the time is up."""
    found: dict[str, Timed] = {}
    open_names = list(names)
    for number in range(MOST_ROUNDS):
        if not open_names or (number >= ROUNDS_IN_NEED and clock() > until):
            break
        taken = measure(open_names)
        for name, (before, after) in taken.items():
            timed = found.setdefault(name, Timed())
            timed.ratios.append(ratio_of_pairs(before, after))
            timed.before_ns += before
            timed.after_ns += after
        open_names = [name for name in taken if not found[name].is_known()]
    return found


def timings(
    names: Iterable[str], measure: Measure, seconds: float, clock: Callable[[], float] = time.monotonic
) -> dict[str, Timed]:
    """Measure everything, then once more what seems to fail: that counts alone. A third of the time is kept for it."""
    begun = clock()
    found = rounds(names, measure, begun + seconds * 2 / 3, clock)
    suspects = [name for name, timed in found.items() if timed.interval.low > WORSE]
    return found | rounds(suspects, measure, begun + seconds, clock)
