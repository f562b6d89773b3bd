"""`simplestchat doctor`: looks at a machine as server and load tester will use it, and says how to mend it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from simplestchat.config import Settings

from . import network, report, system
from .findings import Finding, Purpose, Use, worst
from .machine import Machine

__all__ = ["CHECKS", "PURPOSES", "examine", "main"]

EXIT_OK, EXIT_RED = 0, 1


@dataclass(frozen=True, slots=True)
class Check:
    """A look at one thing, and what that thing is needed for."""

    look: Callable[[Machine, Use], Iterator[Finding]]
    purposes: frozenset[str] = frozenset({"serve", "load"})


_SERVE, _LOAD = frozenset({"serve"}), frozenset({"load"})
#: In the order in which they are told.
CHECKS: tuple[Check, ...] = (
    Check(system.native_core),
    Check(system.openssl),
    Check(system.srtp, _SERVE),
    Check(system.cores),
    Check(system.frequency),
    Check(system.steal),
    Check(system.memory),
    Check(system.clock),
    Check(system.files),
    Check(network.buffers),
    Check(network.offload),
    Check(network.arrival_times),
    Check(network.port_range, _LOAD),
    Check(network.reserved_ports, _SERVE),
    Check(network.free_ports, _SERVE),
    Check(network.backlog, _SERVE),
    Check(network.tracking),
    Check(network.addresses, _SERVE),
)
#: What `--for` takes.
PURPOSES: dict[str, frozenset[Purpose]] = {
    "serve": frozenset({"serve"}),
    "load": frozenset({"load"}),
    "both": frozenset({"serve", "load"}),
}


def examine(machine: Machine, use: Use) -> list[Finding]:
    """Return what every check that matters for this use has found."""
    return [finding for check in CHECKS if check.purposes & use.purposes for finding in check.look(machine, use)]


def main(settings: Settings, purpose: str = "both", *, as_json: bool = False) -> int:
    """Print what was found; 1 when something is red: the server or the load tester could not run."""
    findings = examine(Machine(), Use(settings, PURPOSES[purpose]))
    if as_json:
        sys.stdout.write(report.as_json(findings, purpose))
    else:
        sys.stdout.write(report.as_text(findings, coloured=report.wants_colours(sys.stdout)))
    sys.stdout.flush()
    return EXIT_RED if worst(findings) == "red" else EXIT_OK
