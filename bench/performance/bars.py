"""The figures to reach, where a run holds them, and whether they are reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

Figures = Mapping[str, Mapping[str, Any]]
NOT_MEASURED = "not measured yet"


@dataclass(frozen=True)
class Bar:
    """One line: a figure of a benchmark, and what it is held to: a ratio to its floor, or the figure itself."""

    what: str
    benchmark: str
    value: str
    unit: str
    bar: float
    ratio: str = ""
    """The figure with the ratio to the floor; without it the value itself is held to the bar."""
    scale: float = 1.0
    at_least: bool = False
    mediasoup: str = ""

    @property
    def wanted(self) -> str:
        """What it is held to."""
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {self.bar:g} x floor" if self.ratio else f"{sign} {self.bar:g} {self.unit}"

    def row(self, figures: Figures) -> tuple[str, ...]:
        """What, the value, its ratio, what is wanted, whether that is so, and mediasoup's."""
        info = figures.get(self.benchmark, {})
        if self.value not in info or self.ratio not in {"", *info}:
            return (self.what, NOT_MEASURED, "", self.wanted, "", self.mediasoup)
        value = info[self.value] * self.scale
        held = info[self.ratio] if self.ratio else value
        met = held >= self.bar if self.at_least else held <= self.bar
        ratio = f"{held:.2f}" if self.ratio else ""
        return (
            self.what,
            f"{shown(value)} {self.unit}",
            ratio,
            self.wanted,
            "yes" if met else "**no**",
            self.mediasoup,
        )


def shown(value: float) -> str:
    """Three digits, thousands apart."""
    return f"{value:,.0f}".replace(",", " ") if abs(value) >= 1000 else f"{value:.3g}"


HUNDRED = "test_macro.py::test_hundred[{}]"
HIGHEST = "test_macro.py::test_highest_rate[{}]"

BARS = (
    Bar("CPU a packet, 100 receivers x 300/s, evenly paced", HUNDRED.format("evenly"), "cpu_us", "µs", 1.25,
        "cpu_ratio", mediasoup="8.8 µs"),
    Bar("the same, bursts of 10", HUNDRED.format("bursts"), "cpu_us", "µs", 1.35, "cpu_ratio", mediasoup="7.4 µs"),
    *(
        Bar(f"engine and sends saturated, 200 receivers, trains of {train}",
            f"test_fanout.py::test_fanout[{train}-200]", "ns_per_packet", "µs", 1.2, "ratio_to_floor", 0.001,
            mediasoup="5.3 to 6.2 µs" if train == 1 else "")
        for train in (1, 3, 10, 16)
    ),
    Bar("highest rate with < 0.1 % missing, 200 receivers, evenly paced", HIGHEST.format("evenly"),
        "rate_packets_per_s", "packets/s", 0.85, "rate_ratio", at_least=True, mediasoup="159 000 packets/s"),
    Bar("the same, bursts of 10", HIGHEST.format("bursts"), "rate_packets_per_s", "packets/s", 0.85, "rate_ratio",
        at_least=True, mediasoup="163 000 packets/s"),
    Bar("webinar 1 -> 1000, added latency p99", "test_macro.py::test_webinar", "p99_ms", "ms", 1.3, "p99_ratio",
        mediasoup="more than one core"),
    Bar("added latency p99, 100 receivers x 300/s, evenly paced", HUNDRED.format("evenly"), "p99_ms", "ms", 1.3,
        "p99_ratio", mediasoup="1.1 ms"),
    Bar("the same, bursts of 10", HUNDRED.format("bursts"), "p99_ms", "ms", 1.3, "p99_ratio", mediasoup="8.4 ms"),
)  # fmt: skip


def others(figures: Figures) -> Iterable[tuple[str, ...]]:
    """Rows of what a run holds to a bar of its own beside `BARS`: figures with a `…_bar` and its `…_met`."""
    told = {bar.benchmark for bar in BARS}
    for name, info in figures.items():
        for key in info if name not in told else ():
            if not key.endswith("_bar"):
                continue
            what = key.removesuffix("_bar")
            values = [each for each in info if each.startswith(f"{what}_") and each.split("_")[-1] not in KINDS]
            value = (
                f"{shown(info[values[0]])} {values[0].removeprefix(what).strip('_').replace('_', ' ')}"
                if values
                else ""
            )
            ratio = info.get(f"{what}_ratio")
            yield (
                f"{name.partition('::')[2]}: {what.replace('_', ' ')}",
                value,
                f"{ratio:.2f}" if ratio is not None else "",
                f"{info[key]:g}" + (" x floor" if ratio is not None else ""),
                "yes" if info.get(f"{what}_met") else "**no**",
                "",
            )


KINDS = {"bar", "met", "ratio", "floor"}


def rows(figures: Figures) -> list[tuple[str, ...]]:
    """Return all lines."""
    return [*(bar.row(figures) for bar in BARS), *others(figures)]
