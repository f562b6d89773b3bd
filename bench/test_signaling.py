"""What signaling costs the node: a real one on one core, and many plain WebSocket clients in this process on another.

CPU time is the node's own (all threads, user and system), workers not counted. The clients sleep when there is nothing
to do, so whatever the node sends has to wake them, which is a part of what it pays for; with `--signaling-awake` they
never sleep. Node and clients go before all else on their cores.

`python -m pytest bench/test_signaling.py -q` prints it; `--signaling-users 5000` connects more.

The floor is a bare loop that writes as many bytes to as many sockets on the same core (`ChatFloor`): what is over it is
ours, the rest is the kernel's.
"""

from __future__ import annotations

import os
import random
import resource
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from rig.chat_floor import ChatFloorProcess
from rig.processes import hurried, undisturbed
from support.chatters import Chatters, Plan
from support.process import spare_pids
from support.server import Server, running
from support.waiting import eventually

TEXT = "What was said takes as many words as people write in one line, more or less."
SECONDS = 5
SPARE_FILES = 400


#: Of answers and of notices, in the case of 5000 messages a second (`test_talking`).
BAR_P99_MS = 10.0


def cpu_s(pid: int) -> float:
    """What a process has used so far, all its threads."""
    return sum(int((task / "schedstat").read_text().split()[0]) for task in Path(f"/proc/{pid}/task").iterdir()) / 1e9


def pin(pid: int, core: int) -> None:
    """Keep a process, its threads and what they start on one core."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(task.name), {core})


def percentile_ms(latencies: Sequence[float], share: float) -> float:
    ordered = sorted(latencies)
    return 1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


@pytest.fixture
def users(request: pytest.FixtureRequest) -> int:
    """How many people there are; their sockets need as many files in the server, and twice as many here."""
    wanted: int = request.config.getoption("--signaling-users")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2 * wanted + SPARE_FILES:
        pytest.skip(f"{wanted} connections need more files than the {hard} that this system allows")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2 * wanted + SPARE_FILES), hard))
    return wanted


@pytest.fixture
def server() -> Iterator[Server]:
    """On a core of its own, where there are two; nothing that comes with its start is left to do."""
    own = os.sched_getaffinity(0)
    with running(
        MAX_CONNECTIONS="20000", MAX_CONNECTIONS_PER_ADDRESS="20000", HTTP_BURST="100000", MAX_ROOM_PEERS="10000"
    ) as one:
        # Seconds after the start a process begins on the same core that stands by for a worker.
        eventually(lambda: spare_pids(one.pid), bool)
        if len(own) > 1:
            pin(one.pid, max(own))
            os.sched_setaffinity(0, own - {max(own)})
        try:
            yield one
        finally:
            os.sched_setaffinity(0, own)


@pytest.fixture
def clients(server: Server) -> Iterator[Chatters]:
    crowd = Chatters(server.address)
    yield crowd
    crowd.close()


Figures = dict[str, float]
Measure = Callable[[str, Plan, int], Figures]


def figures_of(pid: int, clients: Chatters, run: Callable[[], float]) -> Figures:
    """What a run cost a process, and how long its clients waited."""
    clients.settle()
    before, loop = cpu_s(pid), clients.loop
    with undisturbed(pid), hurried():
        seconds = run()
    spent_us = 1e6 * (cpu_s(pid) - before)
    figures: Figures = {
        "requests": loop.answered,
        "notices": loop.delivered,
        "us_per_request": round(spent_us / loop.answered, 1),
        "us_per_notice": round(spent_us / max(1, loop.delivered), 2),
        "core_share": round(spent_us / 1e6 / seconds, 3),
        "clients_busy": round(loop.busy_s / seconds, 3),
    }
    for name, latencies in (("answer", loop.answers_s), ("notice", loop.notices_s)):
        for share in (0.5, 0.99):
            figures[f"{name}_p{share * 100:.0f}_ms"] = round(percentile_ms(latencies, share), 2)
    return figures


def told(figures: Figures) -> str:
    """Figures in words."""
    notices = f"; notices p50 {figures['notice_p50_ms']} ms, p99 {figures['notice_p99_ms']} ms"
    return (
        f"{figures['core_share']:.0%} of a core (the clients were busy for {figures['clients_busy']:.0%});\n"
        f"  {figures['us_per_request']} us a request with its notices, "
        f"{figures['us_per_notice']} us a notice; answers p50 {figures['answer_p50_ms']} ms, p99 "
        f"{figures['answer_p99_ms']} ms{notices if figures['notice_p50_ms'] else ''}"
    )


@pytest.fixture
def measure(
    request: pytest.FixtureRequest,
    server: Server,
    clients: Chatters,
    benchmark: BenchmarkFixture,
    capsys: pytest.CaptureFixture[str],
) -> Measure:
    """Carry out a plan that leads to so many notices, and print what it cost."""
    sleep = not request.config.getoption("--signaling-awake")

    def carry_out(title: str, plan: Plan, notices: int) -> Figures:
        def run() -> float:
            seconds: float = benchmark.pedantic(
                lambda: clients.run(plan, notices=notices, sleep=sleep), rounds=1, iterations=1
            )
            return seconds

        figures = figures_of(server.pid, clients, run)
        assert figures["notices"] == notices
        benchmark.extra_info |= figures
        with capsys.disabled():
            print(f"\n{title}{'' if sleep else ', the clients awake'}: {notices} notices, {told(figures)}")
        return figures

    return carry_out


def on_the_floor(core: set[int], rooms: list[str], plan: Plan, notices: int, *, sleep: bool) -> Figures:
    """The same of a bare loop on that core."""
    with ChatFloorProcess([rooms.count(room) for room in dict.fromkeys(rooms)]) as floor:
        os.sched_setaffinity(floor.pid, core)
        clients = Chatters(floor.address)
        clients.connect(len(rooms))  # whose rooms it knows
        figures = figures_of(floor.pid, clients, lambda: clients.run(plan, notices=notices, sleep=sleep))
        clients.close()
    return figures


def joins(people: range, room: Callable[[int], str], rate: float) -> Plan:
    for index, number in enumerate(people):
        yield index / rate, number, "room.join", {"room": room(number), "name": f"Person {number}"}


def pings(first: int, count: int, rate: float, seconds: float) -> Plan:
    """Requests that nobody else hears of."""
    for index in range(int(rate * seconds)):
        yield index / rate, first + index % count, "ping", {}


def talk(people: Sequence[int], rate: float, seconds: float) -> Plan:
    """Everyone says something in turn, so often in a second altogether."""
    for index in range(int(rate * seconds)):
        yield index / rate, people[index % len(people)], "chat.send", {"text": TEXT}


def together(*plans: Plan) -> Plan:
    return sorted((step for plan in plans for step in plan), key=lambda step: step[0])


def settle_in(clients: Chatters, rooms: Sequence[str]) -> None:
    """Connect people and let them join, a few hundred at a time, for nobody may stay without a room for long."""
    first = clients.count
    for begin in range(0, len(rooms), 500):
        some = range(begin, min(begin + 500, len(rooms)))
        clients.connect(len(some))
        clients.in_a_row(
            joins(range(first + some.start, first + some.stop), lambda number: rooms[number - first], 1000)
        )


def rooms_of_ten(people: int) -> list[str]:
    return [f"room-{number // 10}" for number in range(people)]


def test_joining(clients: Chatters, measure: Measure, users: int) -> None:
    """The last fifth of a big room, beside requests of those who are in it: who joins is told to all of them."""
    hall, rate = min(users, 1000), 12.5
    there, coming = hall * 4 // 5, hall // 5
    settle_in(clients, ["hall"] * there + rooms_of_ten(users - hall))
    clients.connect(coming)
    newcomers = range(users - coming, users)
    plan = together(joins(newcomers, lambda _: "hall", rate), pings(0, there, 50, coming / rate))
    title = f"of {users} users, {coming} join a room of {there} at {rate}/s, 50 pings/s beside them"
    measure(title, plan, sum(range(there, hall)))


def test_a_storm(clients: Chatters, measure: Measure) -> None:
    """A whole room of 300 comes at once."""
    clients.connect(300)
    measure("300 join a room at 100/s", joins(range(300), lambda _: "hall", 100), sum(range(300)))


def test_broadcast(clients: Chatters, measure: Measure) -> None:
    settle_in(clients, ["hall"] * 100)
    measure("one of 100 in a room says 20 things a second", talk(range(1), 20, SECONDS), 100 * 20 * SECONDS)


@pytest.mark.parametrize("rate", [1000, 5000])
def test_talking(
    request: pytest.FixtureRequest,
    server: Server,
    clients: Chatters,
    measure: Measure,
    users: int,
    rate: int,
    benchmark: BenchmarkFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Rooms of ten in which everyone talks, whoever comes next, and one of a hundred in which one does."""
    talkers, listeners = list(range(users)), range(users, users + 100)
    # In the order of their rooms, ten would speak to the same ten at once, and be cheaper than people are.
    random.Random(2026).shuffle(talkers)
    rooms = rooms_of_ten(users) + ["hall"] * 100
    settle_in(clients, rooms)
    plan = together(talk(talkers, rate, SECONDS), talk(listeners[:1], 5, SECONDS))
    notices = 10 * rate * SECONDS + 100 * 5 * SECONDS
    title = f"{users} users in rooms of ten say {rate} things a second altogether, one says 5 to a hundred"
    figures = measure(title, plan, notices)
    sleep = not request.config.getoption("--signaling-awake")
    floor = on_the_floor(os.sched_getaffinity(server.pid), rooms, plan, notices, sleep=sleep)
    ratio = figures["us_per_request"] / floor["us_per_request"]
    benchmark.extra_info |= {"floor_us_per_request": floor["us_per_request"], "floor_ratio": round(ratio, 2)}
    benchmark.extra_info |= {f"floor_{name}": floor[name] for name in ("answer_p99_ms", "notice_p99_ms")}
    worst = max(figures["answer_p99_ms"], figures["notice_p99_ms"])
    with capsys.disabled():
        verdict = "met" if worst <= BAR_P99_MS else "MISSED"
        print(f"  the floor: {told(floor)}\n  CPU {ratio:.2f} x the floor's")
        print(f"  the bar at 5000 a second: p99 {worst} ms of {BAR_P99_MS:.0f}: {verdict}")
