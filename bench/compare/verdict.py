"""What fails: more than 5 % worse, for certain.

Instructions and system calls are counted exactly, so their ratio itself decides. A time is known within an interval,
and fails when even its better end is beyond the bar. Both decide, for either alone is blind: time to six per cent on a
noisy machine, instructions to cache misses and to what the kernel does. Loops of a few nanoseconds fail by instructions
alone: where the linker happens to put them changes their time by more than the bar.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field

from compare.counting import Count
from compare.timing import WORSE, Timed

SHORT_NS = 20
"""Below this, a time is told and does not decide."""
RARE_CALLS = 0.01
"""A packet. Below this, system calls are the allocator's, which asks for memory once more or less from run to run."""


@dataclass(frozen=True)
class Verdict:
    """One workload on both builds; what a build does not have is None."""

    name: str
    before: Count | None
    after: Count | None
    timed: Timed | None = None
    reasons: list[str] = field(default_factory=list)

    @property
    def failed(self) -> bool:
        """Whether something is worse."""
        return bool(self.reasons)


def change(before: float, after: float) -> float:
    """Return after / before; from nothing to something is as bad as it can be."""
    if before == 0:
        return 1.0 if after == 0 else float("inf")
    return after / before


def judge(name: str, before: Count | None, after: Count | None, timed: Timed | None) -> Verdict:
    """Return whether a workload fails, and why."""
    verdict = Verdict(name, before, after, timed)
    if before and after:
        for what, ratio in (
            ("instructions", change(before.instructions, after.instructions)),
            ("system calls", change(*(max(RARE_CALLS, count.calls_to_kernel) for count in (before, after)))),
        ):
            if ratio > WORSE:
                verdict.reasons.append(f"{(ratio - 1) * 100:.1f} % more {what}")
    if timed and timed.interval.low > WORSE and statistics.median(timed.before_ns) >= SHORT_NS:
        verdict.reasons.append(f"at least {(timed.interval.low - 1) * 100:.1f} % more time")
    return verdict
