"""Rounds of two builds: unchanged passes on a noisy machine, slower is caught, nothing is measured for nothing."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence

import pytest
from compare.timing import LEAST_ROUNDS, MOST_ROUNDS, ROUNDS_IN_NEED, TURNS, WORSE, Measure, rounds, timings

Rows = dict[str, tuple[list[float], list[float]]]
SLICES = TURNS.count("A")
FOREVER = math.inf


class FakeMachine:
    """Measures builds whose ratios are given; a process is off for its whole life, a slice by itself."""

    def __init__(self, ratios: dict[str, float], process: float, slice: float, seed: int) -> None:
        self.ratios, self.process, self.slice = ratios, process, slice
        self.chance = random.Random(seed)
        self.rounds = 0

    def measure(self, names: Sequence[str]) -> Rows:
        self.rounds += 1
        return {name: (self._row(1.0), self._row(self.ratios[name])) for name in names if name in self.ratios}

    def _row(self, ratio: float) -> list[float]:
        process = math.exp(self.chance.gauss(0, self.process))
        return [100 * ratio * process * math.exp(abs(self.chance.gauss(0, self.slice))) for _ in range(SLICES)]


def failing(machine: FakeMachine) -> set[str]:
    found = timings(machine.ratios, machine.measure, FOREVER)
    return {name for name, timed in found.items() if timed.interval.low > WORSE}


@pytest.mark.parametrize(("process", "slice"), [(0.005, 0.01), (0.03, 0.1), (0.1, 0.5)])
def test_unchanged_passes_whatever_the_machine_does(process: float, slice: float) -> None:
    names = {f"workload {number}": 1.0 for number in range(50)}
    failed = [failing(FakeMachine(names, process, slice, seed)) for seed in range(40)]
    assert not any(failed)


def test_six_per_cent_are_caught_where_it_is_quiet() -> None:
    ratios = {"same": 1.0, "slower": 1.06, "faster": 0.9}
    caught = [failing(FakeMachine(ratios, 0.002, 0.005, seed)) for seed in range(40)]
    assert all(names <= {"slower"} for names in caught)
    assert sum(names == {"slower"} for names in caught) >= 38


def test_a_quarter_is_caught_where_it_is_not() -> None:
    caught = [failing(FakeMachine({"slower": 1.25}, 0.04, 0.2, seed)) == {"slower"} for seed in range(40)]
    assert sum(caught) >= 38


def test_what_is_certain_is_not_measured_again() -> None:
    machine = FakeMachine({"same": 1.0, "faster": 0.8}, 0.002, 0.01, 1)
    found = rounds(machine.ratios, machine.measure, FOREVER)
    assert machine.rounds == LEAST_ROUNDS
    assert all(len(timed.ratios) == LEAST_ROUNDS for timed in found.values())


def test_what_stays_uncertain_has_a_bound() -> None:
    machine = FakeMachine({"at the bar": WORSE}, 0.3, 0.2, 1)
    assert len(rounds(machine.ratios, machine.measure, FOREVER)["at the bar"].ratios) == MOST_ROUNDS


def test_when_the_time_is_up_few_rounds_must_do_and_next_to_nothing_fails() -> None:
    machine = FakeMachine({"slower": 1.2}, 0.005, 0.02, 1)
    found = rounds(machine.ratios, machine.measure, 0, clock=lambda: 1.0)["slower"]
    assert len(found.ratios) == ROUNDS_IN_NEED
    assert found.interval.low < WORSE


def test_what_one_build_lacks_is_left_out() -> None:
    machine = FakeMachine({"there": 1.0}, 0.002, 0.01, 1)
    assert set(timings(["there", "not there"], machine.measure, FOREVER)) == {"there"}


def test_what_fails_by_chance_at_first_is_judged_by_fresh_rounds() -> None:
    calm = FakeMachine({"unlucky": 1.0}, 0.001, 0.005, 1).measure
    unlucky = FakeMachine({"unlucky": 1.3}, 0.001, 0.005, 1).measure
    found = timings(["unlucky"], after(LEAST_ROUNDS, unlucky, calm), FOREVER)
    assert found["unlucky"].interval.high < WORSE


def after(number: int, first: Measure, then: Measure) -> Callable[[Sequence[str]], Rows]:
    done = iter(range(number))

    def measure(names: Sequence[str]) -> Rows:
        return (first if next(done, None) is not None else then)(names)

    return measure
