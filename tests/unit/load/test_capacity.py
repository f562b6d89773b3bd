from __future__ import annotations

import math
import re

import msgspec
import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from support.runs import MadeUpRun

from simplestchat.load.capacity import Found, Outcome, Resources, at, name_bottleneck, resources, search
from simplestchat.load.judge import assess
from simplestchat.load.report import Objective, Verdict
from simplestchat.load.scenario import Capacity, Publish, Scenario, Shape

RECORD = MadeUpRun(clients=10, hold_s=6).record()
REPORT = assess(RECORD)
IDLE = Resources(
    worker_cpu=0.3, node_cpu=0.1, server_cores=0.4, cores=1, dropped=0, memory_free_mb=9000.0, lag_p99_ms=1.0
)


def outcome(verdict: Verdict = "pass", broke: tuple[str, ...] = (), **used: float) -> Outcome:
    missed = [
        Objective(name=name, title=name, value=9.0, limit=1.0, comparison="<=", unit="ms", ok=False) for name in broke
    ]
    reasons = ("generator 0 sent media late",) if verdict == "void" else ()
    report = msgspec.structs.replace(REPORT, verdict=verdict, reasons=reasons, objectives=tuple(missed))
    return Outcome(report, Resources(**{**{name: getattr(IDLE, name) for name in IDLE.__slots__}, **used}))


def find(capacity: Capacity, limit: float) -> tuple[Found, list[int]]:
    """Search on a server that carries up to a limit; also what was tried."""
    tried: list[int] = []

    async def probe(value: int) -> Outcome:
        tried.append(value)
        return outcome() if value <= limit else outcome("fail", ("packet_loss",), worker_cpu=0.97)

    return trio.run(search, capacity, probe), tried


@given(low=st.integers(1, 200), width=st.integers(1, 5000), limit=st.integers(0, 6000), share=st.floats(0.01, 0.9))
def test_the_answer_is_right_within_its_tolerance(low: int, width: int, limit: int, share: float) -> None:
    capacity = Capacity(low=low, high=low + width, tolerance=share)
    found, tried = find(capacity, limit)
    good, bad = found.capacity.highest_good, found.capacity.lowest_bad
    assert good <= limit
    if bad is None:
        assert good == capacity.high
    else:
        assert limit < bad <= capacity.high
        assert good == 0 or bad - good <= max(1, share * bad)
    assert good > 0 or limit < low
    assert len(set(tried)) == len(tried) <= 2 * math.log2(capacity.high) + 3
    assert [step.value for step in found.capacity.steps] == tried
    assert found.best.good == (good > 0)


def test_what_breaks_at_once_has_no_capacity() -> None:
    found, tried = find(Capacity(low=10, high=100), 9)
    assert tried == [10]
    assert (found.capacity.highest_good, found.capacity.lowest_bad) == (0, 10)
    assert found.capacity.steps[0].broke == ("packet_loss",)
    assert found.capacity.bottleneck == "cpu"


@pytest.mark.parametrize(
    ("ending", "bottleneck", "words"),
    [
        (outcome("fail", ("packet_loss",), worker_cpu=0.95), "cpu", "packet_loss broke with a worker's core 95% full"),
        (outcome("fail", ("packet_loss",), worker_cpu=0.7, server_cores=0.96), "cpu", r"the server's 1 core\(s\) 96%"),
        (outcome("fail", ("packet_loss",), node_cpu=0.95), "signaling", "the node's core 95% full"),
        (outcome("fail", ("signaling_p99_ms",)), "signaling", "signaling_p99_ms broke"),
        (outcome("fail", ("server_mb_per_participant",)), "memory", "9000 MB of memory left"),
        (outcome("fail", ("packet_loss",), memory_free_mb=50.0), "memory", "50 MB of memory left"),
        (outcome("fail", ("packet_loss",), dropped=31), "bandwidth", "dropped 31 datagrams"),
        (outcome("fail", ("first_frame_p95_ms",)), "none", "nothing was full: worker 30%, node 10%"),
        (outcome("void", worker_cpu=0.95), "generator", "generator 0 sent media late"),
    ],
)
def test_the_bottleneck_is_named(ending: Outcome, bottleneck: str, words: str) -> None:
    found, why = name_bottleneck("clients", 20, 30, ending)
    assert found == bottleneck
    assert why.startswith("At 30, ")
    assert re.search(words, why), why


def test_nothing_broke_is_said_so() -> None:
    assert name_bottleneck("rooms", 64, None, None) == ("none", "Nothing broke up to rooms 64, where the search ends.")


@pytest.mark.parametrize(
    ("dimension", "shape", "clients", "room_size"),
    [
        ("room_size", Shape(clients=10), 24, 0),
        ("room_size", Shape(clients=30, room_size=10), 72, 24),
        ("rooms", Shape(clients=30, room_size=10), 240, 10),
        ("rooms", Shape(clients=4), 96, 4),
        ("clients", Shape(clients=4, room_size=2), 24, 2),
    ],
)
def test_one_dimension_is_raised(dimension: str, shape: Shape, clients: int, room_size: int) -> None:
    capacity = msgspec.convert({"dimension": dimension}, Capacity)
    scenario = at(Scenario(name="a", shape=shape, capacity=capacity), 24)
    assert scenario.shape == Shape(clients=clients, room_size=room_size)


def test_the_bitrate_is_a_dimension_too() -> None:
    scenario = Scenario(name="a", publish=Publish(video="720p30"), capacity=Capacity(dimension="bitrate_bps"))
    assert at(scenario, 2_000_000) == msgspec.structs.replace(
        scenario, publish=Publish(video="720p30", bitrate_bps=2_000_000)
    )


def test_resources_are_those_of_the_hold() -> None:
    used = resources(RECORD, 2)
    assert used.cores == 2
    assert 0 < used.worker_cpu <= used.server_cores
    assert used.server_cores == pytest.approx(REPORT.summary.server_cpu_cores, rel=0.25)
    assert used.dropped >= 0
    assert resources(msgspec.structs.replace(RECORD, server=()), 0).server_cores == 0
