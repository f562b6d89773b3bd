"""A run on the terminal: a view that lives while it goes on, or a line a phase; at the end objectives and verdict."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live as Screen
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from simplestchat.load.live import Live
from simplestchat.load.objectives import told
from simplestchat.load.report import CapacityReport, Report

WIDE_COLUMNS: Final = 76  # from here on, figures stand in two columns
_STYLES: Final = {"pass": "bold green", "fail": "bold red", "void": "bold yellow"}
_PAST: Final = {"ramp": "joined", "hold": "held", "settle": "settled"}
_PHASES: Final = {
    "prepare": "coming up",
    "ramp": "joining",
    "hold": "holding",
    "settle": "settling",
    "done": "finishing",
}


class LiveView:
    """Everything at a glance, drawn anew each second. A context: the terminal is given back at its end."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._screen = Screen(console=console, auto_refresh=False, transient=True)

    def tick(self, live: Live, now_us: int) -> None:
        """See ``coordinate.Observer``."""
        self._screen.update(view(live, now_us, self._console.width), refresh=True)

    def __enter__(self) -> Self:
        self._screen.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._screen.stop()


class PhaseLines:
    """One line before the run and one at the end of each phase, for logs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._phase = ""

    def tick(self, live: Live, now_us: int) -> None:
        """See ``coordinate.Observer``."""
        before, self._phase = self._phase, live.phase(now_us)
        scenario = live.plan.scenario
        if not before:
            words = f"{scenario.name}: {scenario.shape.clients} users, {live.plan.end_s:.0f} s, seed {live.plan.seed}"
            self._console.print(words, soft_wrap=True, highlight=False)
        order = tuple(_PHASES)
        for ended in order[order.index(before or self._phase) : order.index(self._phase)]:  # a short one passes unseen
            if ended in _PAST:
                figures = ", ".join(f"{name} {value}" for name, value in _figures(live))
                words = f"{scenario.name} {live.elapsed_s(now_us):.0f} s, {_PAST[ended]}: {figures}"
                self._console.print(words, soft_wrap=True, highlight=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        """Nothing to give back."""


def view(live: Live, now_us: int, width: int) -> RenderableType:
    """What the terminal shows now, for so many columns."""
    scenario, elapsed_s = live.plan.scenario, live.elapsed_s(now_us)
    head = Text.assemble(
        (scenario.name, "bold"), f"  {_PHASES[live.phase(now_us)]}, {elapsed_s:.0f} s of {live.plan.end_s:.0f} s"
    )
    bar = ProgressBar(total=max(live.plan.end_s, 1.0), completed=min(elapsed_s, live.plan.end_s), width=width - 1)
    line = Table.grid()  # a bar alone ends no line
    line.add_row(bar)
    parts: list[RenderableType] = [head, line, _figure_table(live, width)]
    if faults := live.faults():
        words = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in faults.items())
        parts.append(Text(f"faults: {words}", style="bold red"))
    if live.parts:
        parts.append(_standing_table(live))
    return Group(*parts)


def _figures(live: Live) -> Iterator[tuple[str, str]]:
    """Name and value of everything worth a glance."""
    yield "users", f"{live.gauge('users')} of {live.plan.clients}"
    yield "connected", f"{live.gauge('connected')}"
    yield "received", f"{live.rate('packets'):,.0f} packets/s".replace(",", " ")
    yield "bitrate", f"{live.rate('bytes') * 8 / 1e6:.1f} Mbit/s"
    yield "loss", told(live.loss, "share")
    yield "latency", _spread(live, "latency_audio", "latency_video")
    yield "signaling", _spread(live, "signaling")
    if used := live.server_cpu():
        yield "server cpu", f"{sum(used):.2f} cores, worker {max(live.server_cpu('worker'), default=0.0):.0%}"
        yield "server memory", f"{live.server_rss_mb:.0f} MB"
    yield "generator cpu", f"{live.generator_cpu:.2f} cores, media {live.generator_cpu_max:.0%}"
    yield "generator lag", _spread(live, "lag")


def _spread(live: Live, *names: str) -> str:
    half, most = live.percentile_ms(names, 0.5), live.percentile_ms(names, 0.99)
    return f"{half:.1f} ms, p99 {most:.1f} ms" if most else "none yet"


def _figure_table(live: Live, width: int) -> Table:
    pairs = 2 if width >= WIDE_COLUMNS else 1
    table = Table.grid(padding=(0, 2))
    for _ in range(pairs):
        table.add_column(style="dim", no_wrap=True)
        table.add_column(no_wrap=True)
    cells = [cell for pair in _figures(live) for cell in pair]
    for start in range(0, len(cells), 2 * pairs):
        table.add_row(*cells[start : start + 2 * pairs])
    return table


def _standing_table(live: Live) -> Table:
    table = Table.grid(padding=(0, 1))
    for one in live.standings():
        table.add_row(
            _mark(one.ok),
            one.name.replace("_", " "),
            told(one.value, one.unit),
            Text(f"{one.comparison} {told(one.limit, one.unit)}", style="dim"),
        )
    return table


def _mark(ok: bool) -> Text:
    return Text("✓", style="green") if ok else Text("✗", style="bold red")


def print_report(console: Console, report: Report, files: tuple[Path, ...] = ()) -> None:
    """Objectives, verdict, reasons, and where the report stands."""
    table = Table.grid(padding=(0, 1))
    for one in report.objectives:
        table.add_row(
            _mark(one.ok),
            one.name,
            "not measured" if one.value is None else told(one.value, one.unit),
            Text(f"{one.comparison} {told(one.limit, one.unit)}", style="dim"),
        )
    console.print(table)
    if report.capacity is not None:
        _print_capacity(console, report.capacity)
    for reason in report.reasons:
        _say(console, Text(f"  {reason}"))
    verdict = Text.assemble((report.verdict, _STYLES[report.verdict]), f": {report.title}")
    _say(console, verdict)
    for path in files:
        _say(console, Text(str(path), style="dim"))


def _print_capacity(console: Console, found: CapacityReport) -> None:
    for step in found.steps:
        words = f"  {found.dimension} {step.value}: {step.verdict}"
        if step.broke:
            words += f" ({', '.join(step.broke)})"
        _say(console, Text(f"{words}, server {step.server_cpu_cores:.2f} cores, worker {step.worker_cpu_max:.0%}"))
    _say(console, Text(f"capacity: {found.dimension} {found.highest_good} is carried. {found.why}", style="bold"))


def _say(console: Console, text: Text) -> None:
    console.print(text, soft_wrap=True, highlight=False)
