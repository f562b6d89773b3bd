"""Whole runs by the coordinator, with a real server and generators that only say that they generate."""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import psutil
import pytest
import support
import trio

from simplestchat.load import coordinate, crew
from simplestchat.load.coordinate import Coordinator, Interrupted, Job, now_us
from simplestchat.load.crew import CrewFailed
from simplestchat.load.live import Live
from simplestchat.load.process import python
from simplestchat.load.record import RunRecord
from simplestchat.load.scenario import GeneratorLimits, Ramp, Scenario, Shape
from simplestchat.load.staff import LocalStaff

STUB = Path(support.__path__[0]) / "stub_generator.py"
SHORT = Scenario(
    name="short",
    shape=Shape(clients=5),
    ramp=Ramp(joins_per_s=40, hold_s=4, settle_s=0.2),
    generator=GeneratorLimits(processes=2),
    server={"workers": "1"},
)


class Watcher:
    """Remembers what it was shown, and may do something then."""

    def __init__(self) -> None:
        self.phases: list[str] = []
        self.ticks = 0
        self.at_tick: dict[int, trio.Event] = {}
        self.heard = trio.Event()

    def tick(self, live: Live, at_us: int) -> None:
        self.phases.append(live.phase(at_us))
        if live.parts:
            self.heard.set()
        if self.ticks in self.at_tick:
            self.at_tick[self.ticks].set()
        self.ticks += 1


def staff(trick: str = "") -> partial[LocalStaff]:
    return partial(LocalStaff, words=python(str(STUB), trick))


def run(scenario: Scenario = SHORT, trick: str = "") -> tuple[RunRecord, Watcher]:
    watcher = Watcher()
    record = trio.run(Coordinator(Job(scenario=scenario, command="load short"), staff(trick), [watcher]).run)
    assert not psutil.Process().children(recursive=True)
    return record, watcher


@pytest.fixture(scope="module")
def good() -> tuple[RunRecord, Watcher]:
    return run()


def test_a_run_leaves_a_whole_record(good: tuple[RunRecord, Watcher]) -> None:
    record, watcher = good
    assert record.void == record.failures == ()
    assert [one.part for one in record.generators] == [0, 1]
    assert [one.users for one in record.generators] == [3, 2]
    assert all(one.finished and len(one.finished.users) == one.users for one in record.generators)
    assert all(len(one.samples) >= 2 for one in record.generators)
    assert all(sample.at_us > record.start_us for one in record.generators for sample in one.samples)
    assert [name for name, _at in record.phases] == ["ramp", "hold", "settle", "done"]
    assert record.phases[0][1] == record.start_us
    assert watcher.phases[0] == "prepare"
    assert watcher.phases[-1] == "done"
    assert record.command == "load short"
    assert record.machine["cores"] >= 1


def test_the_server_is_looked_at_before_during_and_after(good: tuple[RunRecord, Watcher]) -> None:
    record, _watcher = good
    assert record.server_local
    assert record.server[0].at_us < record.start_us
    assert len(record.server) >= 3
    for sample in record.server:
        assert [process.name for process in sample.processes] == ["node", "worker 0"]
        assert all(process.rss_bytes > 0 for process in sample.processes)
        assert sample.metrics["workers"] == 1
    seconds = [(sample.at_us - record.start_us) / 1e6 for sample in record.server[1:-1]]
    assert all(abs(second - round(second)) < 0.5 for second in seconds)


def test_who_was_pinned_where_is_in_the_record(good: tuple[RunRecord, Watcher]) -> None:
    record, _watcher = good
    own = sorted(os.sched_getaffinity(0))
    if len(own) > 1:
        assert all(set(one.cores) < set(own) for one in record.generators)
        assert record.pinning.startswith("the server's media on core" if len(own) < 4 else "server on core")
    else:
        assert "nothing is pinned" in record.pinning


@pytest.mark.parametrize(
    ("trick", "reason"),
    [
        ("die", "was lost: ended by signal 9: out of memory"),
        ("slow", "sent media late: 99 % within 8"),
    ],
)
def test_a_generator_that_fails_voids_the_run(trick: str, reason: str) -> None:
    record, _watcher = run(trick=trick)
    assert any(text.startswith("generator 0 ") and reason in text for text in record.void), record.void
    assert record.failures == ()


def test_a_generator_that_never_finishes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordinate, "FINISH_SLACK_S", 0.3)
    monkeypatch.setattr(coordinate, "STOP_GRACE_S", 0.3)
    record, _watcher = run(trick="stay")
    assert "generator 1 did not finish in time" in record.void
    assert all(one.finished is None and one.samples for one in record.generators)


def test_generators_that_do_not_come_up_end_it_before_it_begins(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CrewFailed, match="generator 0: no file is left to open; generator 1: no file"):
        run(trick="refuse")
    monkeypatch.setattr(crew, "READY_TIMEOUT_S", 1.0)
    with pytest.raises(CrewFailed, match="generator 1 is not ready after 1 s"):
        run(trick="deaf")


LONG = Scenario(
    name="long",
    shape=Shape(clients=2),
    ramp=Ramp(hold_s=300),
    generator=GeneratorLimits(processes=1),
    server={"workers": "1"},
)


def test_an_interrupt_ends_it_in_order_and_void() -> None:
    async def main() -> RunRecord:
        watcher = Watcher()
        coordinator = Coordinator(Job(scenario=LONG, command=""), staff(), [watcher])
        watcher.at_tick[2] = trio.Event()
        found: list[RunRecord] = []
        async with trio.open_nursery() as nursery:

            async def measure() -> None:
                found.append(await coordinator.run())

            nursery.start_soon(measure)
            await watcher.at_tick[2].wait()
            await watcher.heard.wait()  # a generator that never spoke is a fault of its own
            await coordinator.interrupt()
        return found[0]

    record = trio.run(main)
    assert record.void == ("the run was interrupted",)
    assert record.generators[0].finished is not None
    assert [name for name, _at in record.phases] == ["ramp", "hold"]


def test_an_interrupt_before_the_start_leaves_nothing_behind() -> None:
    async def main() -> None:
        watcher = Watcher()
        coordinator = Coordinator(Job(scenario=LONG, command=""), staff("deaf"), [watcher])
        async with trio.open_nursery() as nursery:
            nursery.start_soon(coordinator.interrupt)
            with pytest.raises(Interrupted):
                await coordinator.run()

    trio.run(main)
    assert not psutil.Process().children(recursive=True)


def test_a_server_that_ends_fails_the_run_at_once() -> None:
    class Killer(Watcher):
        def tick(self, live: Live, at_us: int) -> None:
            super().tick(live, at_us)
            if self.ticks == 3:
                assert live.server is not None
                os.kill(live.server.processes[0].pid, signal.SIGKILL)

    record = trio.run(Coordinator(Job(scenario=LONG, command=""), staff(), [Killer()]).run)
    assert record.failures == ("the server ended by signal 9",)
    assert record.generators[0].finished is not None
    assert now_us() - record.start_us < 60_000_000
