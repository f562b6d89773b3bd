from __future__ import annotations

import io

import msgspec
import pytest
from rich.console import Console
from support.runs import START_US, MadeUpRun

from simplestchat.load.judge import assess
from simplestchat.load.live import Live
from simplestchat.load.plan import Plan
from simplestchat.load.report import CapacityReport, CapacityStep
from simplestchat.load.terminal import LiveView, PhaseLines, print_report, view

MADE_UP = MadeUpRun(clients=20, hold_s=6)
RECORD = MADE_UP.record()
REPORT = assess(RECORD)


def fresh() -> Live:
    return Live(Plan(RECORD.scenario, RECORD.seed), START_US)


def after(seconds: int) -> Live:
    """The made-up run after so many seconds."""
    live = fresh()
    for generator in RECORD.generators:
        for sample in generator.samples[:seconds]:
            live.heard(sample)
    for sample in RECORD.server[:seconds]:
        live.seen(sample)
    return live


def shown(live: Live, second: int, width: int) -> list[str]:
    """What the terminal shows, line by line."""
    console = Console(file=io.StringIO(), width=width)
    with console.capture() as capture:
        console.print(view(live, START_US + second * 1_000_000, width))
    return capture.get().splitlines()


def test_a_glance_tells_where_a_run_stands() -> None:
    text = "\n".join(shown(after(8), 8, 100))
    assert "conference  holding, 8 s of 12 s" in text
    assert "20 of 20" in text
    for word in ("packets/s", "Mbit/s", "loss", "latency", "signaling", "server cpu", "generator cpu", "generator lag"):
        assert word in text
    assert "✓ connection success" in text
    assert "faults" not in text


@pytest.mark.parametrize("width", [40, 60, 100, 200])
def test_it_fits_the_terminal(width: int) -> None:
    lines = shown(after(8), 8, width)
    assert max(map(len, lines)) <= width
    assert any("users" in line for line in lines)
    assert any("signaling" in line for line in lines)


def test_before_anything_came_it_says_so() -> None:
    live = Live(Plan(RECORD.scenario, RECORD.seed))
    text = "\n".join(shown(live, 0, 80))
    assert "coming up" in text
    assert "none yet" in text
    assert "✓" not in text


def test_faults_and_missed_objectives_stand_out() -> None:
    live = after(8)
    for part in live.parts.values():
        assert part.last is not None
        totals = {**part.last.totals, "misdelivered": 3, "lost": part.last.totals["delivered"]}
        part.last = msgspec.structs.replace(part.last, totals=totals)
    text = "\n".join(shown(live, 8, 100))
    assert "faults: misdelivered 6" in text
    assert "✗ packet loss" in text
    assert "✗ misdelivered" in text


def test_the_view_gives_the_terminal_back() -> None:
    output = io.StringIO()
    console = Console(file=output, force_terminal=True, width=80)
    with LiveView(console) as screen:
        screen.tick(after(3), START_US + 3_000_000)
    assert output.getvalue().rstrip("\n").endswith("\x1b[2K")  # the last line is wiped
    assert "\x1b[?25h" in output.getvalue()  # and the cursor is shown


def test_quiet_tells_each_phase_once() -> None:
    console = Console(file=io.StringIO(), width=80)
    with console.capture() as capture, PhaseLines(console) as lines:
        lines.tick(Live(fresh().plan), 0)
        for second in range(14):
            lines.tick(after(second), START_US + second * 1_000_000)
    text = capture.get().splitlines()
    assert [line.partition(":")[0] for line in text] == [
        "conference",
        "conference 4 s, joined",
        "conference 10 s, held",
        "conference 12 s, settled",
    ]
    assert text[0] == "conference: 20 users, 12 s, seed 1"


def test_the_end_tells_objectives_verdict_and_files() -> None:
    console = Console(file=io.StringIO(), width=60)
    step = CapacityStep(
        value=30,
        verdict="fail",
        broke=("packet_loss",),
        server_cpu_cores=1.0,
        worker_cpu_max=0.97,
        packet_loss=0.2,
        generator_lag_p99_ms=1.0,
    )
    capacity = CapacityReport(
        dimension="clients", highest_good=20, lowest_bad=30, bottleneck="cpu", why="At 30, it was full.", steps=(step,)
    )
    report = msgspec.structs.replace(REPORT, verdict="void", reasons=("a reason " * 20,), capacity=capacity)
    with console.capture() as capture:
        print_report(console, report)
    text = capture.get()
    for objective in REPORT.objectives:
        assert objective.name in text
    assert f"void: {REPORT.title}" in text
    assert "a reason " * 20 in text  # one line, however long
    assert "clients 30: fail (packet_loss), server 1.00 cores, worker 97%" in text
    assert "capacity: clients 20 is carried. At 30, it was full." in text


def test_a_phase_that_passes_between_two_looks_is_told_too() -> None:
    live = Live(Plan(RECORD.scenario, RECORD.seed))
    console = Console(file=io.StringIO(), width=300)
    lines = PhaseLines(console)
    with console.capture() as capture:
        lines.tick(live, START_US)
        live.start_us = START_US
        lines.tick(live, START_US + round(live.plan.end_s * 1_000_000))
    told = [line.partition(":")[0].rpartition(" ")[2] for line in capture.get().splitlines()]
    assert told == [RECORD.scenario.name, "joined", "held", "settled"]
