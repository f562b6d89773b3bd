"""Which worker gets a core of its own."""

from __future__ import annotations

import os

import pytest
from support.media_stage import Stage, play

from simplestchat.media import pinning
from simplestchat.media.pinning import core_of


@pytest.mark.parametrize(
    ("workers", "cores", "wish", "expected"),
    [
        (2, [0, 1, 2, 3], "auto", [3, 2]),
        (3, [4, 5, 6, 7], "auto", [7, 6, 5]),
        (2, [0, 1], "auto", [None, None]),
        (1, [0, 1], "auto", [1]),
        (2, [0, 1], "on", [1, 0]),
        (3, [0, 1], "on", [1, 0, 1]),
        (1, [0, 1, 2, 3], "off", [None]),
    ],
)
def test_cores_are_given_from_the_last_one_on(
    workers: int, cores: list[int], wish: str, expected: list[int | None]
) -> None:
    assert [core_of(worker, workers, cores, wish) for worker in range(workers)] == expected


def test_a_worker_runs_on_its_core_and_its_successor_too() -> None:
    cores = sorted(os.sched_getaffinity(0))

    async def scene(stage: Stage) -> None:
        for _ in range(2):
            (worker,) = stage.pids()
            assert os.sched_getaffinity(worker) == {cores[-1]}
            await stage.service.open_room("room")
            await stage.kill_worker(worker)
            await stage.service.create_transport("room")

    play(scene, pinning="on")
    assert sorted(os.sched_getaffinity(0)) == cores, "the node runs everywhere"


def test_a_system_that_does_not_let_us_is_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_pid: int, _cores: set[int]) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "sched_setaffinity", refused)
    pinning.pin(1, 0, 1, "on")
