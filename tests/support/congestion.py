"""What the tests of bandwidth estimation ask of an emulated run."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from simplestchat._native.testing.probe_cc import Network

#: What ``Network.run`` notes of a flow every 50 ms.
Row = tuple[int, ...]

S = 1_000_000
LAYERS = (150_000, 500_000, 1_500_000)
#: As an SFU's source: voice, and the highest of these that fits.
TOP = len(LAYERS) - 1


@dataclass(frozen=True)
class Stretch:
    """One flow over some time."""

    sent_bps: float
    delivered_bps: float
    probed_bps: float
    lost: int
    queue_p95_us: int
    least_bps: int
    most_bps: int


def part(rows: Sequence[Row], begin_s: float, end_s: float, flow: int = 0) -> list[Row]:
    """The rows of one flow between two moments."""
    return [row for row in rows if row[1] == flow and begin_s * S <= row[0] <= end_s * S]


def stretch(rows: Sequence[Row], begin_s: float, end_s: float, flow: int = 0) -> Stretch:
    """Sum a flow up between two moments."""
    chosen = part(rows, begin_s, end_s, flow)
    first, last = chosen[0], chosen[-1]
    seconds = (last[0] - first[0]) / S
    queues = sorted(row[3] for row in chosen)
    return Stretch(
        sent_bps=(last[7] - first[7]) * 8 / seconds,
        delivered_bps=(last[8] - first[8]) * 8 / seconds,
        probed_bps=(last[9] - first[9]) * 8 / seconds,
        lost=last[10] - first[10],
        queue_p95_us=queues[len(queues) * 95 // 100],
        least_bps=min(row[4] for row in chosen),
        most_bps=max(row[4] for row in chosen),
    )


def changes(rows: Sequence[Row], flow: int = 0) -> list[tuple[float, int]]:
    """When a flow's source took another step, and which."""
    mine = [row for row in rows if row[1] == flow]
    return [(now[0] / S, now[11]) for before, now in itertools.pairwise(mine) if before[11] != now[11]]


def first_time(rows: Sequence[Row], begin_s: float, holds: Callable[[Row], bool]) -> float:
    """Seconds from a moment until a row of which something holds."""
    return next(row[0] / S - begin_s for row in rows if row[0] >= begin_s * S and holds(row))


def jain(values: Sequence[float]) -> float:
    """Jain's fairness index: 1 when all are equal, 1/n when one has all (Jain, Chiu, Hawe: DEC-TR-301, 1984)."""
    return sum(values) ** 2 / (len(values) * sum(value * value for value in values))


def dip(network: Network, low_bps: int = 700_000, high_bps: int = 3_000_000) -> list[Row]:
    """Capacity high for 30 s, low for 30 s, high for 30 s."""
    rows = network.run(30 * S)
    network.set(rate_bps=low_bps)
    rows += network.run(60 * S)
    network.set(rate_bps=high_bps)
    return rows + network.run(90 * S)
