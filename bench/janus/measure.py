"""What is measured of both, in a process of its own: ``python -m janus.measure NAME NUMBER...`` prints a line of JSON.

Janus leaves loopback interfaces alone, so this runs in a network that has another one (tests/support/namespace.py).
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from rig.audience import Trial
from rig.processes import cpu_ns, resident_kib
from rig.search import enough, highest_rate

from .contest import Contestant, ours, theirs

SLICES = 5
TRIAL_S = 1.0
MEDIA_S = 5.0
FIRST = 10
DRAIN_S, IDLE_LOOK_S, IDLE_SHARE = 60.0, 0.2, 0.1
PACKETS_PER_S = 300
# Packets/s of the publisher to 200 receivers between which the highest rate is looked for.
RATES = {"ours": (200.0, 3200.0), "janus": (20.0, 1000.0)}

Figures = dict[str, dict[str, float]]


@contextmanager
def _ready(receivers: int, *contexts: AbstractContextManager[Contestant]) -> Iterator[list[Contestant]]:
    """Everybody is connected and has got a keyframe; in the end, what was opened was whole."""
    with ExitStack() as stack:
        contestants = [stack.enter_context(one) for one in contexts]
        for one in contestants:
            one.invite(receivers)
            one.connect()
            one.audience.anchor()
        yield contestants
        for one in contestants:
            one.audience.assert_sound()


def _cost(one: Contestant, rate: float, burst: float) -> tuple[Trial, float]:
    """A play, and what the server's process used for each packet that it should have forwarded, in us."""
    before = cpu_ns(one.pid)
    trial = one.audience.play(rate=rate, burst=burst, seconds=TRIAL_S)
    return trial, (cpu_ns(one.pid) - before) / trial.expected / 1000


def forwarding(receivers: int, burst: float) -> Figures:
    """CPU and latency at 300 packets/s, slices in turn; Janus also as it comes, with a thread for each user."""
    played: dict[str, list[tuple[Trial, float]]] = {"ours": [], "janus": [], "janus_threads": []}
    with _ready(receivers, ours(), theirs(), theirs(loops=0)) as contestants:
        for _ in range(SLICES):
            for one in contestants:
                played[one.name].append(_cost(one, PACKETS_PER_S, burst))
    return {name: _forwarded(slices) for name, slices in played.items()}


def _forwarded(slices: list[tuple[Trial, float]]) -> dict[str, float]:
    trials = [trial for trial, _ in slices]
    return {
        "cpu_us": statistics.median(cost for _, cost in slices),
        "p50_ms": statistics.median(trial.latency_ms(0.5) for trial in trials),
        "p99_ms": statistics.median(trial.latency_ms(0.99) for trial in trials),
        "missing": sum(trial.missing for trial in trials),
        "lost": sum(trial.lost for trial in trials),
        "strange": sum(trial.strange for trial in trials),
        "expected": sum(trial.expected for trial in trials),
    }


def highest(receivers: int, burst: float) -> Figures:
    """The highest rate with < 0.1 % missing, in packets/s to all receivers together, and what a packet costs there."""
    with _ready(receivers, ours(), theirs()) as contestants:
        return {one.name: _highest(one, receivers, burst) for one in contestants}


def _until_idle(pid: int) -> None:
    """What a server could not send in time it still sends long after, and the next trial would meet it."""
    deadline = time.monotonic() + DRAIN_S
    while time.monotonic() < deadline:
        before = cpu_ns(pid)
        time.sleep(IDLE_LOOK_S)
        if cpu_ns(pid) - before < IDLE_SHARE * IDLE_LOOK_S * 1e9:
            return


def _highest(one: Contestant, receivers: int, burst: float) -> dict[str, float]:
    passed: dict[float, float] = {}

    def play(rate: float) -> Trial:
        _until_idle(one.pid)
        trial, cost = _cost(one, rate, burst)
        if enough(trial):
            passed[rate] = cost
        return trial

    rate = highest_rate(play, *RATES[one.name])
    return {"packets_per_s": rate * receivers, "cpu_us": passed.get(rate, 0.0)}


def joins(receivers: int) -> Figures:
    """CPU of ICE and DTLS for each transport, and the memory that each takes, connected and after some media."""
    figures: Figures = {}
    for contestant in (ours, theirs):
        with contestant() as one:
            one.invite(FIRST)  # threads, heaps and tables are there
            one.connect()
            empty = resident_kib(one.pid)
            one.invite(receivers)
            before = cpu_ns(one.pid)
            one.connect()
            cpu_ms = (cpu_ns(one.pid) - before) / receivers / 1e6
            connected = resident_kib(one.pid)
            one.audience.anchor()
            one.audience.play(rate=PACKETS_PER_S, burst=10, seconds=MEDIA_S)
            one.audience.assert_sound()
            figures[one.name] = {
                "cpu_ms": cpu_ms,
                "connected_kib": (connected - empty) / receivers,
                "after_media_kib": (resident_kib(one.pid) - empty) / receivers,
            }
    return figures


def whole(receivers: int) -> Figures:
    """What Janus's receivers find when each opens all it gets and looks at every byte."""
    with theirs(check_every=1) as janus:
        janus.invite(receivers)
        janus.connect()
        janus.audience.anchor()
        trial = janus.audience.play(rate=PACKETS_PER_S, burst=10, seconds=TRIAL_S)
        totals = janus.audience.sink.swarm.sample()["totals"]
        janus.audience.assert_sound()
    seen = {name: float(totals[name]) for name in ("delivered", "frames", "frames_broken", "keyframes", "duplicate")}
    return {"janus": {"sent": trial.sent, "expected": trial.expected, "lost": trial.lost, **seen}}


MEASURES: dict[str, Callable[..., Figures]] = {
    "forwarding": forwarding,
    "highest": highest,
    "joins": joins,
    "whole": whole,
}


def main(name: str, *arguments: str) -> None:
    print(json.dumps(MEASURES[name](*map(int, arguments))))


if __name__ == "__main__":
    main(*sys.argv[1:])
