"""``simplestchat load compare A B``: two reports, or two folders of them, side by side.

Exit statuses: 0 nothing got worse, 1 something did, 2 a side that cannot be read or has nothing in common with the
other.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from simplestchat.errors import ConfigError
from simplestchat.load.changes import compare, percent
from simplestchat.load.figures import size_of
from simplestchat.load.files import ReportError, find_reports, read_report, write_whole
from simplestchat.load.history import Change, Comparison, Comparisons
from simplestchat.load.objectives import told
from simplestchat.load.page import compare_page
from simplestchat.load.report import Report

if TYPE_CHECKING:
    from rich.console import Console

DEFAULT_TOLERANCE: Final = 5.0
EXIT_OK, EXIT_WORSE, EXIT_USAGE = 0, 1, 2
Key: TypeAlias = tuple[str, int]
"""Runs are compared when they are of one scenario and one number of users."""

_SIGNS: Final = {
    "worse": "[bold red]worse",
    "better": "[green]better",
    "same": "same",
    "unclear": "[yellow]chance",
    "unknown": "?",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("before", type=Path, metavar="A", help="a report.json, or a folder with some in it")
    parser.add_argument("after", type=Path, metavar="B", help="the same of what is held against it")
    add_common(parser)


def add_common(parser: argparse.ArgumentParser) -> None:
    """Add what ``compare`` and ``trend`` share."""
    parser.add_argument(
        "--tolerance",
        type=_percent,
        default=DEFAULT_TOLERANCE,
        metavar="PERCENT",
        help="a figure may get worse by so much (default: %(default)g)",
    )
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with plots as well")


def _percent(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no percentage from 0 to 1000")
    return value


def main(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    try:
        found = compare_folders(options.before, options.after, options.tolerance / 100)
        if options.html:
            write_whole(options.html, compare_page(found).encode())
    except (ConfigError, OSError) as error:
        print(f"simplestchat: {error}", file=sys.stderr)
        return EXIT_USAGE
    from rich.console import Console

    show(found, Console())
    return EXIT_WORSE if any(one.alerts for one in found.comparisons) else EXIT_OK


def compare_folders(before: Path, after: Path, tolerance: float) -> Comparisons:
    """Compare all that two files or folders have in common. Raises ``ReportError`` when that is nothing."""
    first, second = runs_by_scenario(before), runs_by_scenario(after)
    if len(first) == len(second) == 1 and first.keys() != second.keys():
        # One kind of run a side: whoever names these two wants them compared, whatever they are.
        second = dict(zip(first, second.values(), strict=True))
    comparisons, unmatched = [], []
    for key in dict.fromkeys([*first, *second]):
        name = f"{key[0]}, {key[1]} users" if key[1] else key[0]
        usable = [[run for run in side.get(key, []) if run.verdict != "void"] for side in (first, second)]
        if usable[0] and usable[1]:
            comparisons.append(compare(*usable, labels=(str(before), str(after)), tolerance=tolerance))
        for side, runs, path in zip((first, second), usable, (before, after), strict=True):
            if not runs:
                why = "only void runs" if key in side else "no run"
                unmatched.append(f"{name}: {path} has {why} of it")
    if not comparisons:
        raise ReportError(f"{before} and {after} have nothing in common: " + "; ".join(unmatched or ["no reports"]))
    return Comparisons(
        before=str(before),
        after=str(after),
        tolerance=tolerance,
        comparisons=tuple(comparisons),
        unmatched=tuple(unmatched),
    )


def runs_by_scenario(path: Path) -> dict[Key, list[Report]]:
    """The reports of a file, or of a folder and the folders in it, by what was run; the oldest first."""
    found: defaultdict[Key, list[Report]] = defaultdict(list)
    for report in sorted(_reports(path), key=lambda report: report.started):
        found[report.scenario.name, size_of(report)].append(report)
    return dict(found)


def _reports(path: Path) -> Iterator[Report]:
    files = list(find_reports(path)) if path.is_dir() else [path]
    if not files:
        raise ReportError(f"{path}: there is no report.json in it. Name a report or a folder with some.")
    for file in files:
        yield read_report(file)


def show(found: Comparisons, console: Console) -> None:
    """Print every comparison as a table, and what got worse at the end."""
    for one in found.comparisons:
        _table(one, console)
        for remark in one.remarks:
            console.print(f"[yellow]note:[/] {_plain(remark)}")
    for words in found.unmatched:
        console.print(f"[yellow]left out:[/] {_plain(words)}")
    alerts = [(one.title, alert) for one in found.comparisons for alert in one.alerts]
    for title, alert in alerts:
        console.print(f"[bold red]worse:[/] {_plain(title)}: {_plain(alert)}")
    if not alerts:
        console.print(f"[green]Nothing got worse by more than {found.tolerance * 100:g} %.[/]")


def _table(one: Comparison, console: Console) -> None:
    from rich.table import Table

    table = Table(title=_plain(one.title), title_justify="left", caption=_caption(one), caption_justify="left")
    for name in ("figure", "before", "after", "change", "99 % interval", ""):
        table.add_column(name, justify="left" if name in ("figure", "") else "right")
    for change in one.changes:
        table.add_row(*_row(change))
    console.print(table)


def _caption(one: Comparison) -> str:
    sides = (
        f"{side.label}: {side.runs} run(s) of {side.version} {side.commit[:10]}" for side in (one.before, one.after)
    )
    return _plain("; ".join(sides))


def _row(change: Change) -> tuple[str, ...]:
    values = ["none" if value is None else told(value, change.unit) for value in (change.before, change.after)]
    interval = ""
    if change.low is not None and change.high is not None:
        interval = f"{percent(change.low)} … {percent(change.high)}"
    ratio = "" if change.ratio is None else percent(change.ratio)
    return change.title, *values, ratio, interval, _SIGNS[change.outcome]


def _plain(text: str) -> str:
    """Text in which nothing is a mark of rich's."""
    return text.replace("[", r"\[")
