"""Draws the pictures of docs/adaptation.md from emulated runs: `python scripts/adaptation.py`.

The runs are those of the tests of bandwidth estimation (tests/unit/cc), with seeds, in virtual time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench"), str(ROOT / "tests")]

from performance.plots import STYLE, WIDTH  # noqa: E402
from support.congestion import LAYERS, Row, S, dip  # noqa: E402

from simplestchat._native.testing.probe_cc import Network  # noqa: E402

LEFT, RIGHT, TOP, PANEL, GAP = 64, 20, 70, 190, 34
LINES = """\
    path { fill: none; stroke-width: 1.6; stroke-linejoin: round; }
    .line0 { stroke: var(--one); } .line1 { stroke: var(--three); } .line2 { stroke: var(--two); }
    .bound { stroke: var(--soft); stroke-dasharray: 5 4; } .grid { stroke: var(--edge); }
"""


@dataclass(frozen=True)
class Line:
    """A named curve: seconds and values."""

    name: str
    style: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Panel:
    """Curves over one axis of values."""

    unit: str
    most: float
    lines: Sequence[Line]


def drawn(title: str, about: str, panels: Sequence[Panel], seconds: float) -> str:
    """Return the picture: panels below each other over the same time."""
    height = TOP + len(panels) * (PANEL + GAP) + 16
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-labelledby="title description">',
        f'  <title id="title">{escape(title)}</title>',
        f'  <desc id="description">{escape(about)}</desc>',
        f"  <style>\n{STYLE}{LINES}  </style>",
        f'  <rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="14"/>',
        f'  <text class="title" x="24" y="30">{escape(title)}</text>',
        *_legend(panels),
    ]
    for number, panel in enumerate(panels):
        out += _panel(panel, TOP + number * (PANEL + GAP), seconds)
    return "\n".join([*out, "</svg>", ""])


def _legend(panels: Sequence[Panel]) -> list[str]:
    out, x = [], LEFT
    for line in (line for panel in panels for line in panel.lines):
        out.append(f'  <path class="{line.style}" d="M{x} 48h18"/>')
        out.append(f'  <text class="value" x="{x + 24}" y="52">{escape(line.name)}</text>')
        x += 44 + 7 * len(line.name)
    return out


def _panel(panel: Panel, top: int, seconds: float) -> list[str]:
    across, down = (WIDTH - LEFT - RIGHT) / seconds, PANEL / panel.most
    out = []
    for quarter in range(5):
        y = top + PANEL - quarter * PANEL / 4
        out.append(f'  <path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        out.append(f'  <text class="value end" x="{LEFT - 8}" y="{y + 4:.1f}">{panel.most * quarter / 4:g}</text>')
    out.append(f'  <text class="value" x="{LEFT + 6}" y="{top + 14}">{escape(panel.unit)}</text>')
    for second in range(0, int(seconds) + 1, 10):
        x = LEFT + second * across
        out.append(f'  <text class="value" text-anchor="middle" x="{x:.1f}" y="{top + PANEL + 18}">{second} s</text>')
    for line in panel.lines:
        points = " ".join(
            f"{LEFT + at * across:.1f},{top + PANEL - min(value, panel.most) * down:.1f}" for at, value in line.points
        )
        out.append(f'  <path class="{line.style}" d="M{points}"/>')
    return out


def curve(rows: Sequence[Row], value: Callable[[Row], float], flow: int = 0) -> list[tuple[float, float]]:
    """One number of a flow over time, without points that say nothing new."""
    points = [(row[0] / S, value(row)) for row in rows if row[1] == flow]
    return [
        point
        for number, point in enumerate(points)
        if number in {0, len(points) - 1} or not points[number - 1][1] == point[1] == points[number + 1][1]
    ]


def rate(rows: Sequence[Row], column: int, flow: int = 0, over: int = 10) -> list[tuple[float, float]]:
    """Mbit/s of what a column counts, over half a second."""
    mine = [row for row in rows if row[1] == flow]
    return [
        (now[0] / S, (now[column] - before[column]) * 8 / (now[0] - before[0]))
        for before, now in zip(mine[::over], mine[over::over], strict=False)
    ]


def picture_of_a_dip() -> str:
    """Capacity that falls and comes back, and a source in three layers."""
    network = Network(1, 3_000_000)
    network.add("layers", steps=LAYERS, voice=True)
    rows = dip(network)
    panels = [
        Panel(
            "Mbit/s",
            4,
            [
                Line("capacity", "bound", curve(rows, lambda row: row[2] / 1e6)),
                Line("estimate", "line0", curve(rows, lambda row: row[4] / 1e6)),
                Line("sent: voice and one of three layers", "line1", rate(rows, 7)),
            ],
        ),
        Panel("ms", 320, [Line("queue", "line2", curve(rows, lambda row: row[3] / 1e3))]),
    ]
    about = (
        "The estimate follows capacity down in a second, a probe finds it again, the source takes the layers that fit."
    )
    return drawn("A link of 3 Mbit/s that carries 0.7 for half a minute", about, panels, 90)


def picture_of_sharing() -> str:
    """Two flows, and a TCP-like one that joins them."""
    network = Network(3, 4_000_000)
    network.add("fills")
    network.add("fills", begins_us=20 * S)
    network.add("tcp", begins_us=80 * S)
    rows = network.run(140 * S)
    panels = [
        Panel(
            "Mbit/s",
            4,
            [
                Line("first", "line0", rate(rows, 8, 0, 40)),
                Line("second, from 20 s", "line1", rate(rows, 8, 1, 40)),
                Line("TCP-like, from 80 s", "line2", rate(rows, 8, 2, 40)),
            ],
        ),
        Panel("ms", 320, [Line("queue", "bound", curve(rows[:: 3 * 4], lambda row: row[3] / 1e3))]),
    ]
    about = "Two estimators come to equal shares with a short queue; a flow that fills the queue does not starve them."
    return drawn("Flows that share a link of 4 Mbit/s", about, panels, 140)


def picture_of_loss() -> str:
    """Random loss that begins, grows and ends."""
    network = Network(2, 3_000_000)
    network.add("fills")
    rows = network.run(20 * S)
    edges = [(0.0, 0.0), (20.0, 0.0)]
    for until, loss in ((50, 0.1), (80, 0.2), (110, 0.0)):
        network.set(loss=loss)
        rows += network.run(until * S)
        edges += [(edges[-1][0], 100 * loss), (float(until), 100 * loss)]
    panels = [
        Panel(
            "Mbit/s",
            4,
            [
                Line("capacity", "bound", curve(rows, lambda row: row[2] / 1e6)),
                Line("estimate", "line0", curve(rows, lambda row: row[4] / 1e6)),
            ],
        ),
        Panel("%", 24, [Line("lost at random", "line1", edges)]),
    ]
    about = "When loss begins the rate is lowered for a moment; the loss does not change, so it is not ours."
    return drawn("Random loss on a link of 3 Mbit/s", about, panels, 110)


PICTURES = {
    "adaptation-dip.svg": picture_of_a_dip,
    "adaptation-loss.svg": picture_of_loss,
    "adaptation-sharing.svg": picture_of_sharing,
}


def main() -> None:
    """Write every picture."""
    for name, picture in PICTURES.items():
        (ROOT / "docs/img" / name).write_text(picture())


if __name__ == "__main__":
    main()
