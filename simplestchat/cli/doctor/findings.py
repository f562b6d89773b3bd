"""What checks find, and what they are asked about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from simplestchat.config import Settings

Verdict: TypeAlias = Literal["green", "amber", "red"]
Purpose: TypeAlias = Literal["serve", "load"]
_ORDER: tuple[Verdict, ...] = ("green", "amber", "red")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing: as it is, and unless it is green what follows of it and the command (or the deed) that mends it."""

    verdict: Verdict
    name: str
    what: str
    why: str = ""
    mend: str = ""
    values: Mapping[str, object] = field(default_factory=dict)
    """The figures behind it, for programs."""


@dataclass(frozen=True, slots=True)
class Use:
    """What the machine is to be used for, with the server's settings."""

    settings: Settings
    purposes: frozenset[Purpose]

    @property
    def serves(self) -> bool:
        """Whether it is to run the server."""
        return "serve" in self.purposes

    @property
    def loads(self) -> bool:
        """Whether it is to run the load tester."""
        return "load" in self.purposes


def worst(findings: Iterable[Finding]) -> Verdict:
    """Return the worst verdict; green when there is none."""
    return max((finding.verdict for finding in findings), key=_ORDER.index, default="green")
