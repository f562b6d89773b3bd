"""What runs say beside each other: the shapes of a comparison and of a trend, as pages and tables are made of them."""

from __future__ import annotations

from typing import Literal, TypeAlias

from simplestchat.load.report import Part, Verdict

Better: TypeAlias = Literal["lower", "higher"]
Outcome: TypeAlias = Literal["worse", "better", "same", "unclear", "unknown"]
"""``unclear``: changed past the tolerance, but chance explains it; ``unknown``: one side has no value."""
Method: TypeAlias = Literal["runs", "seconds", "events", "none"]
"""What the confidence interval was drawn from: whole runs, blocks of seconds, single events, or there is ``none``."""


class Change(Part, frozen=True, kw_only=True):
    """One figure on both sides."""

    name: str
    title: str
    unit: str
    better: Better
    before: float | None
    after: float | None
    ratio: float | None
    """After by before; None where it means nothing (a zero before)."""
    low: float | None
    """Lower end of the ratio's 99 % confidence interval."""
    high: float | None
    method: Method
    outcome: Outcome


class Side(Part, frozen=True, kw_only=True):
    """One side of a comparison."""

    label: str
    runs: int
    verdicts: tuple[Verdict, ...]
    started: str
    """Of its first run; UTC, ISO 8601."""
    version: str
    commit: str
    cpu: str
    clients: int


class Overlay(Part, frozen=True, kw_only=True):
    """One curve of both sides, in the second of each run."""

    name: str
    title: str
    unit: str
    seconds: tuple[float, ...]
    before: tuple[float | None, ...]
    after: tuple[float | None, ...]


class Comparison(Part, frozen=True, kw_only=True):
    """Both sides of one scenario at one size, figure by figure."""

    title: str
    before: Side
    after: Side
    changes: tuple[Change, ...]
    alerts: tuple[str, ...]
    """What got worse, in words; empty: nothing did."""
    remarks: tuple[str, ...]
    """Why the sides may not be comparable."""
    overlays: tuple[Overlay, ...]


class Comparisons(Part, frozen=True, kw_only=True):
    """Two folders of runs, scenario by scenario."""

    before: str
    after: str
    tolerance: float
    """A share: 0.05 for 5 %."""
    comparisons: tuple[Comparison, ...]
    unmatched: tuple[str, ...]
    """What only one of the two has, in words."""


class TrendRun(Part, frozen=True, kw_only=True):
    """One run of a trend."""

    path: str
    started: str
    version: str
    commit: str
    verdict: Verdict
    values: dict[str, float | None]
    """By the names of ``Trend.figures``."""


class TrendFigure(Part, frozen=True, kw_only=True):
    """A figure that is followed."""

    name: str
    title: str
    unit: str
    better: Better
    median: float | None
    """Of the runs before the last that passed, or of all before it when none did."""
    last: float | None
    outcome: Outcome


class Trend(Part, frozen=True, kw_only=True):
    """All runs of one scenario at one size, in the order of time."""

    scenario: str
    title: str
    clients: int
    """0 for a capacity search."""
    runs: tuple[TrendRun, ...]
    figures: tuple[TrendFigure, ...]
    alerts: tuple[str, ...]


class Trends(Part, frozen=True, kw_only=True):
    """Everything under one folder."""

    folder: str
    tolerance: float
    trends: tuple[Trend, ...]
    skipped: tuple[str, ...]
    """Files that could not be read, and why."""
