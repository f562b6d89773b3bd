"""Prints the table and a line that says it all; exits with 1 when a bar is missed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable

from adapt import cpu, decoding, estimator, links, room, sharing
from adapt.verdict import Row

CASES: dict[str, Callable[[], Iterable[Row]]] = {
    "estimator": estimator.alone,
    "drop": links.capacity_drop,
    "filled": links.steady_filled,
    "layers": links.steady_layers,
    "loss": links.random_loss,
    "repair": links.repair,
    "sharing": sharing.receivers,
    "tcp": sharing.beside_tcp,
    "room": room.conference,
    "cpu": cpu.cost,
    "decoding": decoding.thousand_switches,
}


def _print(cells: tuple[str, ...]) -> None:
    sys.stdout.write(
        "  ".join(text.ljust(width) for text, width in zip(cells, (24, 42, 14, 14, 6), strict=True)).rstrip() + "\n"
    )
    sys.stdout.flush()


def main() -> int:
    """Run the cases that were named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cases", nargs="*", choices=[*CASES, []], help="all when none is named")
    chosen = parser.parse_args().cases or list(CASES)
    rows: list[Row] = []
    _print(("case", "figure", "measured", "wanted", ""))
    for name in chosen:
        for row in CASES[name]():
            rows.append(row)
            _print(row.cells())
    missed = [row for row in rows if not row.met]
    names = ", ".join(sorted({row.case for row in missed}))
    sys.stdout.write(
        f"\nadaptation: {len(rows) - len(missed)} of {len(rows)} figures reached"
        + (f"; missed in: {names}\n" if missed else "\n")
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
