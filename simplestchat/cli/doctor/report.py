"""Findings as lines for people, or as JSON for programs."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Sequence
from typing import TextIO

from simplestchat import __version__

from .findings import Finding, Verdict, worst

_COLOURS: dict[Verdict, str] = {"green": "\x1b[32m", "amber": "\x1b[33m", "red": "\x1b[31m"}
_PLAIN = "\x1b[0m"
_NAME_WIDTH = 19
_INDENT = " " * 7
_SUMMARIES: dict[Verdict, str] = {
    "green": "All is well.",
    "amber": "It runs, but not as well as it could.",
    "red": "It could not run.",
}


def wants_colours(stream: TextIO) -> bool:
    """Whether a person looks at it, who has not asked for none (no-color.org)."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def as_text(findings: Sequence[Finding], *, coloured: bool = False) -> str:
    """Return a line for each finding; what is not green has two more, what follows of it and how to mend it."""
    lines = [line for finding in findings for line in _lines(finding, coloured)]
    verdict = worst(findings)
    return "\n".join([*lines, "", f"{_painted(verdict, coloured)}  {_SUMMARIES[verdict]}", ""])


def _lines(finding: Finding, coloured: bool) -> Iterable[str]:
    yield f"{_painted(finding.verdict, coloured)}  {finding.name:{_NAME_WIDTH}} {finding.what}"
    if finding.why:
        yield f"{_INDENT}{'':{_NAME_WIDTH}} {finding.why}"
    if finding.mend:
        yield f"{_INDENT}{'':{_NAME_WIDTH}} mend: {finding.mend}"


def _painted(verdict: Verdict, coloured: bool) -> str:
    word = f"{verdict:5}"
    return f"{_COLOURS[verdict]}{word}{_PLAIN}" if coloured else word


def as_json(findings: Sequence[Finding], purpose: str) -> str:
    """Return one object: the worst verdict and every finding with its figures."""
    rows = [
        {
            "verdict": finding.verdict,
            "name": finding.name,
            "what": finding.what,
            "why": finding.why,
            "mend": finding.mend,
            "values": {name: _finite(value) for name, value in finding.values.items()},
        }
        for finding in findings
    ]
    report = {"version": __version__, "for": purpose, "verdict": worst(findings), "checks": rows}
    return json.dumps(report, indent=2, allow_nan=False) + "\n"


def _finite(value: object) -> object:
    """JSON knows no infinity: no limit is null."""
    return None if isinstance(value, float) and math.isinf(value) else value
