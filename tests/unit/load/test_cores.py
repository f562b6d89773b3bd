from __future__ import annotations

import os
import subprocess
import sys

import pytest

from simplestchat.load.cores import plan
from simplestchat.load.launch import command


@pytest.mark.parametrize(
    ("cores", "processes", "workers", "server", "generators"),
    [
        ([0, 1], 0, 0, (0,), ((1,),)),
        ([0, 1], 3, 0, (0,), ((1,), (1,), (1,))),
        ([4, 2, 3, 5], 0, 0, (2, 3), ((4,), (5,))),
        ([0, 1, 2, 3, 4], 0, 0, (0, 1), ((2,), (3,), (4,))),
        (range(8), 2, 1, (0, 1), ((2, 4, 6), (3, 5, 7))),
        ([7], 0, 0, (), ((),)),
        ([7], 2, 0, (), ((), ())),
    ],
)
def test_server_and_generators_are_kept_apart(
    cores: list[int], processes: int, workers: int, server: tuple[int, ...], generators: tuple[tuple[int, ...], ...]
) -> None:
    pinning = plan(cores, processes, workers, own_server=True)
    assert pinning.server == server
    assert pinning.generators == generators
    assert not set(server) & {core for own in generators for core in own}


def test_every_core_generates_when_the_server_is_elsewhere() -> None:
    pinning = plan([0, 1, 2], 0, 0, own_server=False)
    assert pinning.server == ()
    assert pinning.generators == ((0,), (1,), (2,))
    assert pinning.words == "3 generators on cores 0, 1, 2"
    assert plan([5], 0, 0, own_server=False).generators == ((),)


def test_the_plan_is_told_in_words() -> None:
    assert plan([0, 1], 0, 0, own_server=True).words == "the server's media on core 0, 1 generator on core 1"
    assert plan(range(4), 0, 0, own_server=True).words == "server on cores 0, 1, 2 generators on cores 2, 3"
    assert "nothing is pinned" in plan([3], 0, 0, own_server=True).words


def test_a_launched_process_has_its_cores_before_it_begins() -> None:
    core = min(os.sched_getaffinity(0))
    show = "import os; print(os.sched_getaffinity(0))"
    for cores, expected in (((core,), {core}), ((), os.sched_getaffinity(0))):
        done = subprocess.run(command(cores, sys.executable, "-c", show), capture_output=True, text=True, check=True)
        assert done.stdout.strip() == str(expected)


def test_a_launched_process_ends_with_its_parent() -> None:
    child = command((), sys.executable, "-c", "import time; print('up', flush=True); time.sleep(60)")
    # The parent of the sleeper is told to end without any last act; its pipe closes only when the sleeper is gone too.
    parent = (
        "import os, subprocess\n"
        f"child = subprocess.Popen({child!r}, stdout=subprocess.PIPE, stderr=2)\n"
        "child.stdout.readline()\n"
        "os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", parent], capture_output=True, text=True, timeout=30)
    assert done.returncode == -9
