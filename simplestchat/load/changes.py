"""Two sides of one scenario, figure by figure: what changed, by how much, and whether chance explains it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from simplestchat.load.figures import Figure, events, figures_of, hold, title_of
from simplestchat.load.history import Change, Comparison, Method, Outcome, Overlay, Side
from simplestchat.load.objectives import told
from simplestchat.load.report import Report, Series
from simplestchat.load.resample import Interval, of_events, of_runs, of_seconds

#: Curves that are drawn on top of each other, in this order.
OVERLAID: Final = (
    "server_cpu",
    "server_rss",
    "latency_audio_p99",
    "latency_video_p99",
    "server_forward_latency_p99",
    "signaling_p99",
    "loss_lost",
    "received",
    "users",
)


def compare(
    before: Sequence[Report], after: Sequence[Report], *, labels: tuple[str, str], tolerance: float
) -> Comparison:
    """Compare the runs of two sides; neither may be empty. ``tolerance`` is a share."""
    changes = tuple(
        change
        for figure in figures_of(after[0])
        if (change := _change(figure, before, after, tolerance)).before is not None or change.after is not None
    )
    alerts = [_words(one) for one in changes if one.outcome == "worse"]
    return Comparison(
        title=title_of(after[0]),
        before=_side(before, labels[0]),
        after=_side(after, labels[1]),
        changes=changes,
        alerts=(*_verdicts(before, after), *alerts),
        remarks=tuple(_remarks(before, after)),
        overlays=tuple(_overlays(before[0], after[0])),
    )


def judge(
    before: float | None, after: float | None, interval: Interval | None, figure: Figure, tolerance: float
) -> Outcome:
    """Whether a figure got worse: past the tolerance, past its floor, and past chance."""
    if before is None or after is None:
        return "unknown"
    tolerance = figure.share if figure.exact else max(tolerance, figure.share)
    changed = abs(after - before)
    if changed <= figure.floor or changed <= tolerance * abs(before):
        return "same"
    direction: Outcome = "worse" if (after > before) == (figure.better == "lower") else "better"
    if figure.exact or before == 0:
        return direction
    if interval is None or interval.low <= 1 <= interval.high:
        return "unclear"
    return direction


def _change(figure: Figure, before: Sequence[Report], after: Sequence[Report], tolerance: float) -> Change:
    first = [value for report in before if (value := figure.value(report)) is not None]
    second = [value for report in after if (value := figure.value(report)) is not None]
    mean_before = sum(first) / len(first) if first else None
    mean_after = sum(second) / len(second) if second else None
    interval, method = interval_of(figure, before, after, first, second)
    ratio = mean_after / mean_before if mean_before and mean_after is not None else None
    return Change(
        name=figure.name,
        title=figure.title,
        unit=figure.unit,
        better=figure.better,
        before=mean_before,
        after=mean_after,
        ratio=ratio,
        low=interval.low if interval else None,
        high=min(interval.high, 1e6) if interval else None,
        method=method,
        outcome=judge(mean_before, mean_after, interval, figure, tolerance),
    )


def interval_of(
    figure: Figure, before: Sequence[Report], after: Sequence[Report], first: Sequence[float], second: Sequence[float]
) -> tuple[Interval | None, Method]:
    """How sure the ratio of a figure is, whose values on both sides are ``first`` and ``second``, and what told it."""
    if figure.exact or not first or not second:
        return None, "none"
    if interval := of_runs(first, second):
        return interval, "runs"
    if len(before) + len(after) > 2:
        return None, "none"
    if figure.seconds:
        curves = [hold(report, figure.seconds(report)) for report in (before[0], after[0])]
        interval = of_seconds(curves[0], curves[1])
        return interval, "seconds" if interval else "none"
    if figure.events:
        found = [events(report, figure.events) for report in (before[0], after[0])]
        if found[0] and found[1]:
            interval = of_events(found[0].buckets, found[1].buckets)
            return interval, "events" if interval else "none"
    return None, "none"


def _words(change: Change) -> str:
    before = told(change.before or 0.0, change.unit)
    after = told(change.after or 0.0, change.unit)
    words = f"{change.title}: {before} → {after}"
    if change.ratio is None:
        return words
    words += f" ({percent(change.ratio)}"
    if change.low is not None and change.high is not None:
        words += f", 99 % sure of {percent(change.low)} to {percent(change.high)}"
    return words + ")"


def percent(ratio: float) -> str:
    """A ratio as a change: ``+12 %``."""
    return f"{(ratio - 1) * 100:+.1f} %"


def _verdicts(before: Sequence[Report], after: Sequence[Report]) -> list[str]:
    """An objective that is missed now and was met before is worse, however little its figure changed."""
    missed_before = {one.name for report in before for one in report.objectives if not one.ok}
    missed = Counter(
        one.title for report in after for one in report.objectives if not one.ok and one.name not in missed_before
    )
    runs = f" in {{}} of {len(after)} runs" if len(after) > 1 else ""
    return [f"Objective missed that was met before{runs.format(times)}: {title}" for title, times in missed.items()]


def _side(reports: Sequence[Report], label: str) -> Side:
    first = reports[0]
    return Side(
        label=label,
        runs=len(reports),
        verdicts=tuple(report.verdict for report in reports),
        started=first.started,
        version=first.version,
        commit=first.commit,
        cpu=machine(first),
        clients=first.summary.clients,
    )


def machine(report: Report) -> str:
    """The machine that a report is of, as far as it matters for comparing."""
    cores = report.machine.get("cores", "?")
    return f"{report.machine.get('cpu', 'unknown')}, {cores} cores"


def _remarks(before: Sequence[Report], after: Sequence[Report]) -> list[str]:
    remarks = []
    first, second = {machine(one) for one in before}, {machine(one) for one in after}
    if first != second:
        remarks.append(f"The machines differ: {'; '.join(sorted(first))} and {'; '.join(sorted(second))}.")
    if before[0].summary.clients != after[0].summary.clients:
        remarks.append(f"The sizes differ: {before[0].summary.clients} and {after[0].summary.clients} users.")
    elif before[0].scenario != after[0].scenario:
        remarks.append("The scenarios differ; both are in their reports.")
    if len(before) == len(after) == 1:
        remarks.append(
            "One run a side: the intervals know how much seconds waver, and not how much runs do. Three runs or more "
            "in a folder tell that, too."
        )
    return remarks


def _overlays(before: Report, after: Report) -> list[Overlay]:
    first, second = _by_name(before), _by_name(after)
    length = max(len(before.seconds), len(after.seconds))
    longer = before if len(before.seconds) == length else after
    return [
        Overlay(
            name=name,
            title=f"{second[name].group}: {second[name].title}",
            unit=second[name].unit,
            seconds=tuple(longer.seconds),
            before=_padded(first[name], length),
            after=_padded(second[name], length),
        )
        for name in OVERLAID
        if name in first and name in second
    ]


def _by_name(report: Report) -> dict[str, Series]:
    return {one.name: one for one in report.series}


def _padded(series: Series, length: int) -> tuple[float | None, ...]:
    return (*series.values, *[None] * (length - len(series.values)))
