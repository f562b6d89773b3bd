"""The table of a comparison, and its last words."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence

from compare.verdict import Verdict, change

HEAD = ("workload", "instructions", "", "system calls", "ns", "", "ratio of times, 99 %", "")


def _percent(ratio: float) -> str:
    return f"{(ratio - 1) * 100:+.1f} %"


def _row(verdict: Verdict) -> tuple[str, ...]:
    before, after, timed = verdict.before, verdict.after, verdict.timed
    if before is None or after is None:
        return (verdict.name, *[""] * 6, "gone" if before else "new")
    cells = [
        f"{before.instructions:.1f} -> {after.instructions:.1f}",
        _percent(change(before.instructions, after.instructions)),
        f"{before.calls_to_kernel:.2f} -> {after.calls_to_kernel:.2f}" if before.calls_to_kernel else "",
    ]
    if timed is None:
        cells += ["", "", ""]
    else:
        found = timed.interval
        cells += [
            f"{statistics.median(timed.before_ns):.1f} -> {statistics.median(timed.after_ns):.1f}",
            _percent(found.ratio),
            f"{found.low:.3f} .. {found.high:.3f} ({len(timed.ratios)})",
        ]
    return (verdict.name, *cells, f"FAILS: {', '.join(verdict.reasons)}" if verdict.failed else "")


def table(verdicts: Iterable[Verdict]) -> str:
    """Return the table as text. Figures are for one packet, before -> after; in brackets is the number of rounds."""
    rows: list[Sequence[str]] = [HEAD, *(_row(verdict) for verdict in verdicts)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def last_words(verdicts: Sequence[Verdict]) -> str:
    """Return what came of it, in a sentence."""
    failed = [verdict for verdict in verdicts if verdict.failed]
    compared = sum(verdict.before is not None and verdict.after is not None for verdict in verdicts)
    if failed:
        return f"{len(failed)} of {compared} workloads are more than 5 % worse: {', '.join(v.name for v in failed)}"
    return f"none of {compared} workloads is more than 5 % worse"
