"""The floor in a process of its own, on the server's core: it sends to the same receivers' sockets as the server does.

`FloorProcess` starts this file as a program, which answers a line of JSON with another one.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import Any, Self

from simplestchat._native.testing.floor import Floor


@dataclass(frozen=True)
class Paced:
    """What a paced floor came to."""

    ns_per_packet: float
    packets: int
    """To each receiver."""
    bursts_ns: list[int]
    """How long each burst took, to all receivers."""

    @property
    def burst_ms(self) -> float:
        """On average, for bursts need not be of one size."""
        return statistics.fmean(self.bursts_ns) / 1e6

    def slow_burst_ms(self, share: float) -> float:
        """What that share of the bursts did not exceed: on no machine does each take as long as the next."""
        ordered = sorted(self.bursts_ns)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] / 1e6


class FloorProcess:
    """A floor that waits for orders; it inherits the cores of the thread that makes it."""

    def __init__(self, receivers: list[tuple[str, int]], payload: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.pid = self._process.pid
        self.port: int = self._ask([receivers, payload])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def _ask(self, order: list[Any]) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError("the floor has ended")
        return json.loads(answer)

    def saturated(self, burst: int, rounds: int) -> float:
        """CPU ns a packet."""
        cost: float = self._ask(["saturated", burst, rounds])
        return cost

    def paced(self, rate: float, burst: float, seconds: float) -> Paced:
        """Asleep between bursts."""
        return Paced(*self._ask(["paced", rate, burst, seconds]))


def main() -> None:
    receivers, payload = json.loads(sys.stdin.readline())
    floor = Floor([(host, port) for host, port in receivers], payload)
    print(floor.port, flush=True)
    for line in sys.stdin:
        method, *arguments = json.loads(line)
        print(json.dumps(getattr(floor, method)(*arguments)), flush=True)
    floor.close()


if __name__ == "__main__":
    main()
