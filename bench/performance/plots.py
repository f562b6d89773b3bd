"""The plots of docs/performance.md, as SVG that is legible in light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from performance.bars import Figures, shown
from performance.baseline import Run, figures

WIDTH, LABELS, VALUES = 860, 250, 110
BAR, GAP, GROUP_GAP, TOP, LEGEND = 16, 4, 14, 56, 30
STYLE = """\
    svg { --ground: #ffffff; --edge: #d5dbe5; --ink: #18202e; --soft: #55617a; --one: #2f6fde; --two: #a9b6cc;
          --three: #c9862b; font-family: system-ui, -apple-system, "Segoe UI", sans-serif; }
    @media (prefers-color-scheme: dark) {
      svg { --ground: #12161f; --edge: #343d4f; --ink: #eef2f9; --soft: #a6b2c8; --one: #7fabff; --two: #56627a;
            --three: #e3ab5c; }
    }
    .ground { fill: var(--ground); stroke: var(--edge); }
    .title { fill: var(--ink); font-size: 16px; font-weight: 600; }
    .label { fill: var(--ink); font-size: 13px; } .value { fill: var(--soft); font-size: 12.5px; }
    .series0 { fill: var(--one); } .series1 { fill: var(--two); } .series2 { fill: var(--three); }
    .end { text-anchor: end; }
"""


@dataclass(frozen=True)
class Chart:
    """Bars in groups: a value for each series, None where there is none."""

    title: str
    about: str
    unit: str
    series: tuple[str, ...]
    groups: Sequence[tuple[str, Sequence[float | None]]]


def drawn(chart: Chart) -> str:
    """Return the picture."""
    largest = max((value for _, values in chart.groups for value in values if value is not None), default=1.0)
    scale = (WIDTH - LABELS - VALUES - 40) / largest
    lines: list[str] = []
    y = TOP + LEGEND
    for name, values in chart.groups:
        there = [(number, value) for number, value in enumerate(values) if value is not None]
        middle = y + (len(there) * (BAR + GAP) - GAP) / 2 + 4
        lines.append(f'  <text class="label end" x="{LABELS}" y="{middle:.0f}">{escape(name)}</text>')
        for number, value in there:
            width = max(1.0, value * scale)
            lines.append(
                f'  <rect class="series{number}" x="{LABELS + 12}" y="{y}" width="{width:.1f}" height="{BAR}" rx="3"/>'
            )
            lines.append(
                f'  <text class="value" x="{LABELS + 20 + width:.1f}" y="{y + 13}">{shown(value)} {chart.unit}</text>'
            )
            y += BAR + GAP
        y += GROUP_GAP
    if not chart.groups:
        lines.append(f'  <text class="value" x="24" y="{y + 13}">not measured yet</text>')
        y += BAR
    return "\n".join([*_head(chart, y + 6), *lines, "</svg>", ""])


def _head(chart: Chart, height: int) -> list[str]:
    legend = []
    x = LABELS + 12
    for number, name in enumerate(chart.series):
        legend.append(f'  <rect class="series{number}" x="{x}" y="{TOP - 10}" width="12" height="12" rx="3"/>')
        legend.append(f'  <text class="value" x="{x + 18}" y="{TOP}">{escape(name)}</text>')
        x += 40 + 7 * len(name)
    return [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-labelledby="title description">',
        f'  <title id="title">{escape(chart.title)}</title>',
        f'  <desc id="description">{escape(chart.about)}</desc>',
        f"  <style>\n{STYLE}  </style>",
        f'  <rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="14"/>',
        f'  <text class="title" x="24" y="30">{escape(chart.title)}</text>',
        *legend,
    ]


def _value(figures_of: Mapping[str, Any], key: str, scale: float = 1.0) -> float | None:
    return figures_of[key] * scale if key in figures_of else None


def trains(found: Figures) -> Chart:
    """CPU a packet by the length of the train."""
    groups = [
        (f"trains of {train}", (_value(info, "ns_per_packet", 0.001), _value(info, "floor_ns_per_packet", 0.001)))
        for train in (1, 3, 10, 16)
        if (info := found.get(f"test_fanout.py::test_fanout[{train}-200]"))
    ]
    return Chart(
        "CPU time of a forwarded packet, 200 receivers, saturated",
        "For each length of a train: the engine with real sends, and the bare loop that seals and sends as many.",
        "µs",
        ("engine and sends", "floor"),
        groups,
    )


def latency(found: Figures) -> Chart:
    """How long media stays in the server."""
    names = {
        "100 receivers, evenly paced": "test_macro.py::test_hundred[evenly]",
        "100 receivers, bursts of 10": "test_macro.py::test_hundred[bursts]",
        "webinar 1 -> 1000": "test_macro.py::test_webinar",
    }
    groups = [
        (label, (_value(info, "p50_ms"), _value(info, "p99_ms")))
        for label, name in names.items()
        if (info := found.get(name))
    ]
    return Chart(
        "Added latency",
        "From before the publisher's call that sends a packet until the kernel has its copy at the receiver's socket.",
        "ms",
        ("p50", "p99"),
        groups,
    )


def signaling(found: Figures) -> Chart:
    """How long answers of the node take."""
    groups = [
        (name.partition("::test_")[2].replace("_", " "), (_value(info, "answer_p50_ms"), _value(info, "answer_p99_ms")))
        for name, info in found.items()
        if "answer_p99_ms" in info
    ]
    return Chart(
        "Answers of the node",
        "From a client's request until its answer, for each benchmark of signaling.",
        "ms",
        ("p50", "p99"),
        groups,
    )


PLOTS = {"performance-trains": trains, "performance-latency": latency, "performance-signaling": signaling}


def pictures(run: Run) -> dict[str, str]:
    """Return every picture by its file's name."""
    return {f"{name}.svg": drawn(make(figures(run))) for name, make in PLOTS.items()}
