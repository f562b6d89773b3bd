"""What the macro benchmarks measure with: it counts what arrives, opens what it says, and notices what is wrong."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from support import faulty_worker
from support.repository import ROOT

sys.path.insert(0, str(ROOT / "bench"))

from rig import audience
from rig.audience import UnsoundMedia
from rig.figures import Figure
from rig.stage import stage

FAULTY = (sys.executable, str(Path(faulty_worker.__file__)))
RECEIVERS = 4


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has not come yet is not lost on a machine that stands still for a while."""
    monkeypatch.setattr(audience, "_QUIET_S", 20.0)


@pytest.mark.parametrize("trains", [False, True])
def test_everybody_gets_every_packet_in_order(trains: bool) -> None:
    with stage(RECEIVERS, check_every=2, trains=trains) as on:
        played = on.play(300, 28 / 3, 0.5)
        trial = played.trial
        assert trial.sent == 149  # 16 frames of 9, 9 and 10 packets
        assert trial.in_time + trial.late == trial.expected == trial.sent * RECEIVERS
        assert (trial.lost, trial.breaks, trial.strange, trial.dropped) == (0, 0, 0, 0)
        assert trial.latency.count == trial.expected
        assert 0 < trial.latency.minimum < 10_000_000
        assert played.ns_per_packet > 0


def test_each_play_counts_anew() -> None:
    with stage(RECEIVERS) as on:
        assert [on.play(500, 1, 0.1).trial.lost for _ in range(3)] == [0, 0, 0]
        assert [sum(row[:2]) for row in on.audience.counts()] == [50] * RECEIVERS


def test_what_comes_long_after_the_end_is_late_and_not_lost() -> None:
    with stage(RECEIVERS) as on:
        publisher = on.audience._publisher
        assert publisher is not None
        last = publisher.index + 50

        def go_on() -> None:
            while publisher.index < last:
                time.sleep(0.01)
            time.sleep(0.3)
            os.kill(on.worker.pid, signal.SIGCONT)

        os.kill(on.worker.pid, signal.SIGSTOP)
        thread = threading.Thread(target=go_on)
        thread.start()
        trial = on.play(500, 1, 0.1).trial
        thread.join()
        assert (trial.in_time, trial.late, trial.lost) == (0, trial.expected, 0)
        assert trial.missing_share == 1.0


def test_the_floor_reaches_the_same_sockets() -> None:
    with stage(RECEIVERS) as on:
        paced = on.play_floor(1000, 28 / 3, 0.1)
        assert paced.packets == 93
        assert len(paced.bursts_ns) == 10
        assert [(row[0], row[3]) for row in on.audience.counts()] == [(0, 93)] * RECEIVERS
        assert on.saturate_floor(16, 48) > 0
        assert [(row[0], row[3]) for row in on.audience.counts()] == [(0, 48)] * RECEIVERS
        # And the worker is heard again after that.
        assert on.play(300, 1, 0.1).trial.lost == 0


@pytest.mark.parametrize("fault", ["drop", "duplicate", "reorder"])
def test_what_is_not_the_next_in_the_row_shows(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(faulty_worker.FAULT, fault)
    monkeypatch.setenv(faulty_worker.EVERY, "10")
    if fault == "drop":
        monkeypatch.setattr(audience, "_QUIET_S", 0.5)  # what is lost would be waited for each time
    with stage(RECEIVERS, command=FAULTY) as on:
        trial = on.play(300, 10, 0.5).trial
        assert trial.breaks > 0
        assert (trial.lost > 0) == (fault == "drop")


def test_what_is_damaged_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(faulty_worker.FAULT, "corrupt")
    monkeypatch.setenv(faulty_worker.EVERY, "10")
    with pytest.raises(UnsoundMedia, match="corrupt"), stage(RECEIVERS, check_every=2, command=FAULTY) as on:
        assert on.play(300, 10, 0.5).trial.lost == 0


@pytest.mark.parametrize(
    ("value", "least", "met"), [(1.29, False, True), (1.31, False, False), (1.31, True, True), (1.29, True, False)]
)
def test_a_figure_is_held_against_its_bar(value: float, least: bool, met: bool) -> None:
    figure = Figure("cpu", "CPU", "us", value, 1.0, 1.3, least=least)
    assert figure.info()["cpu_met"] is met
    assert ("NOT MET" in figure.line()) is not met
