"""A figure beside what it should be: one printed line, and the same for the machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Figure:
    """`value` and `floor` in one unit. Met when value / floor is at most `bar`, or at least where `least` says so."""

    key: str
    what: str
    unit: str
    value: float
    floor: float
    bar: float
    least: bool = False
    paired: float | None = None
    """The ratio, where it was taken slice by slice."""

    @property
    def ratio(self) -> float:
        """To the floor."""
        return self.value / self.floor if self.paired is None else self.paired

    @property
    def met(self) -> bool:
        """Whether it is as good as it should be."""
        return self.ratio >= self.bar if self.least else self.ratio <= self.bar

    def line(self) -> str:
        """For people."""
        sign = ">=" if self.least else "<="
        return (
            f"{self.what}: {self.value:.4g} {self.unit}, floor {self.floor:.4g} {self.unit}, ratio {self.ratio:.2f}, "
            f"bar {sign} {self.bar:.2f}: {'met' if self.met else 'NOT MET'}"
        )

    def info(self) -> dict[str, Any]:
        """For the benchmark's record."""
        return {
            f"{self.key}_{self.unit.replace('/', '_per_')}": round(self.value, 4),
            f"{self.key}_floor": round(self.floor, 4),
            f"{self.key}_ratio": round(self.ratio, 4),
            f"{self.key}_bar": self.bar,
            f"{self.key}_met": self.met,
        }


def merged(figures: Sequence[Figure]) -> dict[str, Any]:
    """The records of several in one."""
    return {key: value for figure in figures for key, value in figure.info().items()}
