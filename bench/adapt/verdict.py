"""What was measured, beside what was wanted."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Literal


@dataclass(frozen=True)
class Row:
    """One figure of one case."""

    case: str
    what: str
    value: float
    bar: float
    kind: Literal["most", "least"]
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether the bar is reached."""
        return self.value <= self.bar if self.kind == "most" else self.value >= self.bar

    def cells(self) -> tuple[str, str, str, str, str]:
        """Case, figure, measured, wanted, verdict."""
        sign = "<=" if self.kind == "most" else ">="
        return (
            self.case,
            self.what,
            f"{self.value:.4g} {self.unit}".strip(),
            f"{sign} {self.bar:g} {self.unit}".strip(),
            "" if self.met else "MISSED",
        )


def most(case: str, what: str, value: float, bar: float, unit: str = "") -> Row:
    """A figure that must not be larger."""
    return Row(case, what, value, bar, "most", unit)


def least(case: str, what: str, value: float, bar: float, unit: str = "") -> Row:
    """A figure that must not be smaller."""
    return Row(case, what, value, bar, "least", unit)


def percentile(ordered: list[float], share: float) -> float:
    """Of sorted values; not a number, which reaches no bar, when there are none."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else nan


def jain(rates: list[float]) -> float:
    """Jain's index of fairness: 1 when all are equal, 1/n when one has all."""
    squares = sum(rate * rate for rate in rates)
    return sum(rates) ** 2 / (len(rates) * squares) if squares else 0.0
