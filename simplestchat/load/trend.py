"""``simplestchat load trend DIR``: all reports under a folder over time, and whether the last ones are worse.

The last run of each scenario is held against the median of the runs before it. Exit statuses: 0 none is worse, 1 one
is, 2 there is nothing to read.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final

from simplestchat.errors import ConfigError
from simplestchat.load.changes import interval_of, machine, percent
from simplestchat.load.compare import EXIT_OK, EXIT_USAGE, EXIT_WORSE, add_common
from simplestchat.load.figures import Figure, figures_of, size_of
from simplestchat.load.files import ReportError, find_reports, read_report, write_whole
from simplestchat.load.history import Outcome, Trend, TrendFigure, TrendRun, Trends
from simplestchat.load.objectives import told
from simplestchat.load.page import trend_page
from simplestchat.load.report import Report
from simplestchat.load.resample import Interval

if TYPE_CHECKING:
    from rich.console import Console

#: So many runs before the last one say what is usual; older ones were of another time.
WINDOW: Final = 10
#: How far from the median still is usual: so many standard deviations, told from the median deviation of
#: at least so many runs.
USUAL_SIGMAS: Final = 3.0
SIGMA_OF_MAD: Final = 1.4826
LEAST_FOR_SPREAD: Final = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="a folder with reports in it, at any depth")
    add_common(parser)


def main(options: argparse.Namespace) -> int:
    """Run the command and return its exit status."""
    try:
        found = trends(options.folder, options.tolerance / 100)
        if options.html:
            write_whole(options.html, trend_page(found).encode())
    except (ConfigError, OSError) as error:
        print(f"simplestchat: {error}", file=sys.stderr)
        return EXIT_USAGE
    from rich.console import Console

    show(found, Console())
    return EXIT_WORSE if any(one.alerts for one in found.trends) else EXIT_OK


def trends(folder: Path, tolerance: float) -> Trends:
    """The trends of every scenario, size and machine under a folder. Raises ``ReportError`` when it has no report."""
    found: defaultdict[tuple[str, int, str], list[tuple[str, Report]]] = defaultdict(list)
    skipped = []
    for path in find_reports(folder):
        try:
            report = read_report(path)
        except ReportError as error:
            skipped.append(str(error))
            continue
        key = (report.scenario.name, size_of(report), machine(report))
        found[key].append((str(path.relative_to(folder)), report))
    if not found:
        raise ReportError(f"{folder}: there is no report that can be read. " + "; ".join(skipped[:3]))
    machines = {key[2] for key in found}
    made = [
        trend(sorted(runs, key=lambda run: run[1].started), tolerance, where=key[2] if len(machines) > 1 else "")
        for key, runs in sorted(found.items())
    ]
    return Trends(folder=str(folder), tolerance=tolerance, trends=tuple(made), skipped=tuple(skipped))


def trend(runs: Sequence[tuple[str, Report]], tolerance: float, *, where: str = "") -> Trend:
    """The trend of runs of one kind, the oldest first."""
    rows = tuple(
        TrendRun(
            path=path,
            started=report.started,
            version=report.version,
            commit=report.commit,
            verdict=report.verdict,
            values={figure.name: _value(figure, report) for figure in figures_of(report)},
        )
        for path, report in runs
    )
    reports = [report for _, report in runs]
    # What never was anything but zero is no news.
    shown = [figure for figure in figures_of(reports[-1]) if any(row.values[figure.name] for row in rows)]
    figures = tuple(_figure(figure, reports, tolerance) for figure in shown)
    last = reports[-1]
    return Trend(
        scenario=last.scenario.name,
        title=f"{last.title} ({where})" if where else last.title,
        clients=size_of(last),
        runs=rows,
        figures=figures,
        alerts=tuple(_words(one) for one in figures if one.outcome == "worse"),
    )


def _figure(figure: Figure, runs: Sequence[Report], tolerance: float) -> TrendFigure:
    told_of = [(run, value) for run in runs[:-1] if (value := _value(figure, run)) is not None]
    usual = ([one for one in told_of if one[0].verdict == "pass"] or told_of)[-WINDOW:]
    values = [value for _, value in usual]
    last = _value(figure, runs[-1])
    interval = None
    if usual and last is not None:
        middle = median(values)
        nearest, value = min(usual, key=lambda one: abs(one[1] - middle))
        interval, _ = interval_of(figure, [nearest], [runs[-1]], [value], [last])
    return TrendFigure(
        name=figure.name,
        title=figure.title,
        unit=figure.unit,
        better=figure.better,
        median=median(values) if values else None,
        last=last,
        outcome=judge(figure, values, last, interval, tolerance),
    )


def _value(figure: Figure, report: Report) -> float | None:
    """What a generator that fell behind has measured says nothing."""
    return None if report.verdict == "void" else figure.value(report)


def judge(
    figure: Figure, usual: Sequence[float], last: float | None, interval: Interval | None, tolerance: float
) -> Outcome:
    """Whether the last value is worse than usual: past the tolerance, past the floor, and past chance.

    Chance is what the runs before wavered by, where there are enough of them, and what seconds or events waver by in
    ``interval``: the last run against the one nearest to the median. Where neither can be told, it stays unclear.
    """
    if not usual or last is None:
        return "unknown"
    middle = median(usual)
    share = figure.share if figure.exact else max(figure.share, tolerance)
    room = max(figure.floor, share * abs(middle))
    if abs(last - middle) <= room:
        return "same"
    if not figure.exact:
        spread_known = len(usual) >= LEAST_FOR_SPREAD
        deviation = median(abs(value - middle) for value in usual)
        wavers = min(usual) <= last <= max(usual) or abs(last - middle) <= USUAL_SIGMAS * SIGMA_OF_MAD * deviation
        by_chance = interval.low <= 1 <= interval.high if interval else not spread_known
        if by_chance or (spread_known and wavers):
            return "unclear"
    return "worse" if (last > middle) == (figure.better == "lower") else "better"


def _words(one: TrendFigure) -> str:
    words = f"{one.title}: {told(one.last or 0.0, one.unit)}, {told(one.median or 0.0, one.unit)} was usual"
    return f"{words} ({percent((one.last or 0.0) / one.median)})" if one.median else words


def show(found: Trends, console: Console) -> None:
    """Print one line for each figure of each trend, and what is worse at the end."""
    from rich.table import Table
    from rich.text import Text

    for one in found.trends:
        table = Table(title=Text(f"{_name(one)}: {len(one.runs)} runs"), title_justify="left")
        for name in ("figure", "usual", "last", "change", "", "runs"):
            table.add_column(name, justify="left" if name in ("figure", "", "runs") else "right")
        for figure in one.figures:
            values = ["none" if value is None else told(value, figure.unit) for value in (figure.median, figure.last)]
            ratio = percent(figure.last / figure.median) if figure.median and figure.last is not None else ""
            line = sparkline([run.values[figure.name] for run in one.runs])
            style = {"worse": "bold red", "better": "green", "unclear": "yellow"}.get(figure.outcome, "")
            table.add_row(Text(figure.title), *values, ratio, Text(figure.outcome, style), line)
        console.print(table)
    for words in found.skipped:
        console.print(Text(f"left out: {words}", "yellow"))
    alerts = [f"worse: {_name(one)}: {alert}" for one in found.trends for alert in one.alerts]
    for alert in alerts:
        console.print(Text(alert, "bold red"))
    if not alerts:
        console.print(Text("No last run is worse than those before it.", "green"))


def _name(one: Trend) -> str:
    return f"{one.title}, {one.clients} users" if one.clients else one.title


def sparkline(values: Sequence[float | None], width: int = 24) -> str:
    """The last values as a row of bars, from the least to the most; a gap where there is none."""
    shown = values[-width:]
    known = [value for value in shown if value is not None]
    if not known:
        return ""
    low, span = min(known), max(known) - min(known)
    bars = "▁▂▃▄▅▆▇█"
    return "".join(" " if value is None else bars[int((value - low) / span * 7) if span else 0] for value in shown)
