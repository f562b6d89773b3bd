"""The figures to reach, where a run holds them, and whether they are reached."""

from __future__ import annotations

import re
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
    than: str = "floor"
    """What the ratio is to."""

    @property
    def wanted(self) -> str:
        """What it is held to."""
        sign = "≥" if self.at_least else "≤"
        return f"{sign} {self.bar:g} x {self.than}" if self.ratio else f"{sign} {self.bar:g} {self.unit}"

    def row(self, figures: Figures) -> tuple[str, ...]:
        """What, the value, its ratio, what is wanted, whether that is so, and mediasoup's."""
        info = found(figures, self.benchmark, self.value)
        value = told(info, self.value)
        held = told(info, self.ratio) if self.ratio else value
        if value is None or held is None:
            return (self.what, NOT_MEASURED, "", self.wanted, "", self.mediasoup)
        value *= self.scale
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


def found(figures: Figures, benchmark: str, key: str) -> Mapping[str, Any]:
    """Return a benchmark's figures; of a file, such as `test_joins.py::`, those of the one that has this figure."""
    if not benchmark.endswith("::"):
        return figures.get(benchmark, {})
    infos = (info for name, info in figures.items() if name.startswith(benchmark))
    return next((info for info in infos if told(info, key) is not None), {})


def told(info: Mapping[str, Any], key: str) -> float | None:
    """Return a figure, `one/other` or `one-other` of two; None where one is not there."""
    one, sign, other = re.fullmatch(r"(\w+)(?:([/-])(\w+))?", key).groups()  # type: ignore[union-attr]
    if one not in info or (sign and other not in info):
        return None
    if sign == "/":
        return float(info[one] / info[other])
    return float(info[one] - info[other]) if sign else float(info[one])


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
    Bar("memory of a receiving transport, connected", "test_memory.py::", "connected", "KiB", 40,
        mediasoup="72 KiB"),
    Bar("the same after 5 s of media", "test_memory.py::", "after_media", "KiB", 64, mediasoup="122 KiB"),
    Bar("CPU of a join", "test_joins.py::", "cpu_ms_per_join", "ms", 0.8, mediasoup="1.04 ms"),
    Bar("joins on a core", "test_joins.py::", "joins_per_s", "a second", 700, at_least=True),
    Bar("media p99 beside a herd of joins: worse by", "test_joins.py::", "herd_p99_ms-calm_p99_ms", "ms", 2),
    Bar("AES-CM with HMAC-SHA1: the extra over GCM", "test_srtp.py::", "extra_ns", "ns", 1.2,
        "extra_ns/floors_extra_ns", than="that of the floors", mediasoup="1.13 x GCM"),
    Bar("signaling, 1000 users x 5 messages/s: answers p99", "test_signaling.py::test_talking[5000]",
        "answer_p99_ms", "ms", 10),
    Bar("the same: notices p99", "test_signaling.py::test_talking[5000]", "notice_p99_ms", "ms", 10),
    Bar("a big room over two workers: summed CPU a packet", "test_pipe.py::", "two_workers_us_per_packet", "µs", 1.1,
        "ratio", than="one worker's", mediasoup="a room has one core"),
)  # fmt: skip


def others(figures: Figures) -> Iterable[tuple[str, ...]]:
    """Rows of what a run holds to a bar of its own beside `BARS`: figures with a `…_bar` and its `…_met`."""
    files = {bar.benchmark.partition("::")[0] for bar in BARS}
    for name, info in figures.items():
        for key in info if name.partition("::")[0] not in files else ():
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
