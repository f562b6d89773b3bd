"""Processes that stand ready: one takes the place of a worker that dies, and their own troubles touch nobody."""

from __future__ import annotations

import os
import signal
import sys

import pytest
import structlog.testing
import trio
from support.media_stage import Stage, play, until
from support.ports import free_ports
from support.process import children_called, spare_pids

from simplestchat.media import recruit, service, spares
from simplestchat.media.pauses import FIRST_PAUSE_S, LONGEST_PAUSE_S, STABLE_S, Pauses
from simplestchat.media.spares import Spares
from simplestchat.model.media import WorkerLost


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spares, "DELAY_S", 0.05)
    monkeypatch.setattr(service, "PLACEMENT_TIMEOUT_S", 30)  # a new process on a busy machine may take its time


def test_one_takes_the_place_of_a_dead_worker_and_another_follows() -> None:
    port = free_ports(1)

    async def scene(stage: Stage) -> None:
        await stage.service.open_room("room")
        transport = await stage.service.create_transport("room")
        assert transport.candidates[0].port == port
        lost = [transport.id]
        for deaths in (1, 2):
            spare = await stage.spare()
            await stage.kill_worker(*stage.pids())
            transport = await stage.service.create_transport("room")
            assert transport.candidates[0].port == port
            assert stage.pids() == [spare]
            lost.append(transport.id)
            assert stage.events == [WorkerLost((number,)) for number in lost[:-1]]
            assert stage.service.restarts == deaths

    play(scene, spares=1, rtc_port=port)
    assert spare_pids(os.getpid()) == []


def test_it_is_no_worker_before() -> None:
    async def scene(stage: Stage) -> None:
        await stage.spare()
        assert len(stage.pids()) == 2
        await stage.census()
        assert stage.service.readings().keys() == {0, 1}
        assert stage.service.restarts == 0

    play(scene, workers=2, spares=1)


def test_it_takes_the_number_and_the_port_of_whichever_worker_died() -> None:
    first = free_ports(2)

    async def scene(stage: Stage) -> None:
        for victim in ("media-worker-1", "media-worker-0"):
            spare = await stage.spare()
            (pid,) = children_called(victim, os.getpid())
            os.kill(pid, signal.SIGKILL)
            await until(lambda victim=victim, spare=spare: children_called(victim, os.getpid()) == [spare])
        await until(lambda: len(stage.service.readings()) == 2)
        for number in range(2):
            await stage.service.open_room(f"room-{number}")
        rooms = [await stage.service.create_transport(f"room-{number}") for number in range(2)]
        assert {room.candidates[0].port for room in rooms} == {first, first + 1}

    play(scene, workers=2, spares=1, rtc_port=first)


def test_its_death_is_noticed_by_nobody_and_another_follows() -> None:
    async def scene(stage: Stage) -> None:
        await stage.service.open_room("room")
        transport = await stage.service.create_transport("room")
        spare = await stage.spare()
        os.kill(spare, signal.SIGKILL)
        other = await stage.spare(beside=spare)
        assert (await stage.service.transport_stats(transport.id))["producers"] == 0
        assert (stage.events, stage.service.restarts) == ([], 0)
        await stage.kill_worker(*stage.pids())
        await stage.service.create_transport("room")
        assert stage.pids() == [other]

    play(scene, spares=1)


def test_one_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recruit, "SERVE_TIMEOUT_S", 2)

    async def scene(stage: Stage) -> None:
        await stage.service.open_room("room")
        spare = await stage.spare()
        os.kill(spare, signal.SIGSTOP)
        (worker,) = stage.pids()
        await stage.kill_worker(worker)
        await until(lambda: set(stage.pids()) - {worker})
        assert spare not in stage.pids() + spare_pids(os.getpid())

    play(scene, spares=1)


def test_without_any_a_new_process_takes_the_place() -> None:
    async def scene(stage: Stage) -> None:
        await stage.service.open_room("room")
        await stage.kill_worker(*stage.pids())
        await stage.service.create_transport("room")
        assert spare_pids(os.getpid()) == []

    play(scene, spares=0)


@pytest.mark.parametrize("program", ["pass", "raise SystemExit(3)"])
def test_one_that_cannot_start_is_tried_ever_more_seldom(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(spares, "DELAY_S", 0)
    monkeypatch.setattr(recruit, "WORKER_COMMAND", (sys.executable, "-S", "-c", program))

    async def main() -> None:
        began_s = trio.current_time()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(Spares(1).run)
            await until(lambda: sum(entry["event"] == "spare worker did not start" for entry in logs) == 4)
            nursery.cancel_scope.cancel()
        assert trio.current_time() - began_s >= FIRST_PAUSE_S * (1 + 2 + 4)

    with structlog.testing.capture_logs() as logs:
        trio.run(main)


def test_pauses_grow_to_a_bound_and_a_long_life_ends_them() -> None:
    some = Pauses()
    assert [some.after(0) for _ in range(4)] == [FIRST_PAUSE_S * 2**n for n in range(4)]
    assert max(some.after(STABLE_S - 1) for _ in range(20)) == LONGEST_PAUSE_S
    assert some.after(STABLE_S) == 0
    assert some.after(0) == FIRST_PAUSE_S
