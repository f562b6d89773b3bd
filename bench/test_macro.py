"""A real worker process on one core with real receivers, beside a floor on the same core and the same sockets.

One publisher sends one VP8 stream of 1100-byte payloads (AES-128-GCM). The worker and the floor have one core, the
others the other. Every receiver went through ICE and DTLS; of each one's packets the sequence and the time are
looked at, and one receiver in 20 opens all and checks every byte. Worker and floor take turns in slices; medians are
reported.

- Paced slices: worker and floor go before everything else on their core (real-time priority, where it may be asked
  for).
- CPU: of the whole process, the kernel's work for it included; nothing is subtracted.
- Added latency: from before the publisher's call that sends the packet's burst until the kernel has the packet at the
  receiver's socket, over all packets of all receivers.
- Missing: not at the receiver's socket 30 ms after the publisher's last packet.

`python -m pytest bench/test_macro.py -q` prints a line for each figure. A bar that is missed fails nothing; lost or
damaged media does.
"""

from __future__ import annotations

import statistics

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from rig.audience import Trial
from rig.figures import Figure, merged
from rig.floor import Paced
from rig.search import enough, highest_rate
from rig.stage import Slice, Stage, stage

SLICES = 8
WEBINAR_SLICES = 5
PACKETS_PER_S = 300
WEBINAR_PER_S, WEBINAR_BURST = 280, 28 / 3  # 2.5 Mbit/s at 30 frames a second
LOWEST, HIGHEST = 0.2, 1.6  # of what the floor allows: where the search begins
TRIAL_S = 1.0
FLOOR_SLICES, FLOOR_PACKETS = 5, 320  # to each receiver; they fit its buffer
LATENCY_BAR, RATE_BAR = 1.3, 0.85


def show(capsys: pytest.CaptureFixture[str], *lines: str) -> None:
    with capsys.disabled():
        print("\n" + "\n".join(lines))


def assert_whole(slices: list[Slice]) -> None:
    """Nothing lost on the way, nothing out of order, nothing of anybody else."""
    for each in slices:
        assert each.trial.lost == 0
        assert each.trial.strange == 0
        assert each.trial.breaks == 0 or each.trial.dropped


def take_turns(
    benchmark: BenchmarkFixture, on: Stage, rate: float, burst: float, slices: int
) -> tuple[list[Slice], list[Paced]]:
    """So many slices of a second of each, the worker's and the floor's, before all else on their core."""
    played: list[Slice] = []
    floors: list[Paced] = []

    def both() -> None:
        floors.append(on.play_floor(rate, burst, 1))
        played.append(on.play(rate, burst, 1))

    with on.undisturbed():
        benchmark.pedantic(both, rounds=slices, warmup_rounds=1)
    del played[0], floors[0]
    assert_whole(played)
    return played, floors


def median(values: list[float]) -> float:
    return statistics.median(values)


def load_line(slices: list[Slice]) -> str:
    wakes = median([each.wakes_per_packet for each in slices])
    return f"  the worker slept {wakes:.2f} times a packet in; " + load_of([each.trial for each in slices])


def load_of(trials: list[Trial]) -> str:
    """How far the other core was from being what was measured."""
    return (
        f"the load used up to {max(trial.load_share for trial in trials):.0%} of its core, "
        f"sent up to {max(trial.late_us for trial in trials) / 1000:.1f} ms late, "
        f"dropped {sum(trial.dropped for trial in trials)}"
    )


def named(receivers: int, burst: float) -> str:
    return f"{receivers} receivers x {PACKETS_PER_S}/s, " + ("evenly paced" if burst == 1 else f"bursts of {burst}")


@pytest.mark.alone
@pytest.mark.parametrize(("burst", "bar"), [(1, 1.25), (10, 1.35)], ids=["evenly", "bursts"])
def test_hundred(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], burst: int, bar: float) -> None:
    receivers = 100
    with stage(receivers) as on:
        played, floors = take_turns(benchmark, on, PACKETS_PER_S, burst, SLICES)
    what = named(receivers, burst)
    cost, floor = median([each.ns_per_packet for each in played]), median([each.ns_per_packet for each in floors])
    ratio = median([s.ns_per_packet / f.ns_per_packet for s, f in zip(played, floors, strict=True)])
    p50, p99 = (median([each.trial.latency_ms(share) for each in played]) for share in (0.5, 0.99))
    figures = [
        Figure("cpu", f"CPU per forwarded packet, {what}", "us", cost / 1000, floor / 1000, bar, paired=ratio),
        Figure("p99", f"added latency p99, {what}", "ms", p99, receivers * burst * floor / 1e6, LATENCY_BAR),
    ]
    slow = median([each.slow_burst_ms(0.99) for each in floors])
    benchmark.extra_info |= {**merged(figures), "p50_ms": round(p50, 3), "floor_slow_burst_ms": round(slow, 3)}
    show(
        capsys,
        *(figure.line() for figure in figures),
        f"  added latency p50 {p50:.3f} ms; one in a hundred of the floor's own bursts takes {slow:.3f} ms or more",
        load_line(played),
    )


@pytest.mark.alone
def test_webinar(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> None:
    """720p at 2.5 Mbit/s to a thousand."""
    with stage(1000) as on:
        played, floors = take_turns(benchmark, on, WEBINAR_PER_S, WEBINAR_BURST, WEBINAR_SLICES)
    p50, p99 = (median([each.trial.latency_ms(share) for each in played]) for share in (0.5, 0.99))
    cost, floor = median([each.ns_per_packet for each in played]), median([each.ns_per_packet for each in floors])
    figure = Figure(
        "p99",
        "added latency p99, webinar 1 -> 1000",
        "ms",
        p99,
        median([each.burst_ms for each in floors]),
        LATENCY_BAR,
    )
    benchmark.extra_info |= {
        **figure.info(),
        "p50_ms": round(p50, 3),
        "cpu_us": round(cost / 1000, 4),
        "cpu_ratio": round(median([s.ns_per_packet / f.ns_per_packet for s, f in zip(played, floors, strict=True)]), 4),
    }
    show(
        capsys,
        figure.line(),
        f"  added latency p50 {p50:.3f} ms; CPU {cost / 1000:.3f} us a packet, floor {floor / 1000:.3f} us",
        load_line(played),
    )


@pytest.mark.alone
@pytest.mark.parametrize(("burst", "train"), [(1, 3), (10, 16)], ids=["evenly", "bursts"])
def test_highest_rate(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str], burst: int, train: int) -> None:
    receivers = 200
    trials: list[Trial] = []
    costs: list[float] = []
    rates: list[float] = []
    with stage(receivers) as on:

        def play(rate: float) -> Trial:
            trials.append(on.play(rate, burst, TRIAL_S).trial)
            assert trials[-1].strange == 0
            return trials[-1]

        def search() -> None:
            costs.extend(on.saturate_floor(train, FLOOR_PACKETS) for _ in range(FLOOR_SLICES))
            allowed = 1e9 / median(costs) / receivers
            rates.append(highest_rate(play, LOWEST * allowed, HIGHEST * allowed))
            costs.extend(on.saturate_floor(train, FLOOR_PACKETS) for _ in range(FLOOR_SLICES))

        benchmark.pedantic(search, rounds=1)
    pace = "evenly paced" if burst == 1 else f"bursts of {burst}"
    figure = Figure(
        "rate",
        f"highest rate with < 0.1 % missing, {receivers} receivers, {pace}",
        "packets/s",
        rates[0] * receivers,
        1e9 / median(costs),
        RATE_BAR,
        least=True,
    )
    benchmark.extra_info |= figure.info()
    show(capsys, figure.line(), f"  {len(trials)} trials; {load_of(trials)}", *latency_line(trials, receivers))


def latency_line(trials: list[Trial], receivers: int) -> list[str]:
    """What the trial of the highest rate that passed added; nothing when none did."""
    passed = sorted((trial for trial in trials if enough(trial)), key=lambda trial: trial.rate)
    return [
        f"  at {trial.rate * receivers:.0f} packets/s: added latency p50 {trial.latency_ms(0.5):.2f} ms, "
        f"p99 {trial.latency_ms(0.99):.2f} ms"
        for trial in passed[-1:]
    ]
