"""A swarm's methods and its loop in two threads: neither starves, nothing is lost between them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from simplestchat._native.peer.swarm import Swarm
from simplestchat._native.testing.probe_swarm import Turner

ROUNDS = 200
SERVER = ("192.0.2.1", 9)


@contextmanager
def looping(swarm: Swarm) -> Iterator[Turner]:
    turner = Turner(swarm)
    thread = Thread(target=turner.run)
    thread.start()
    try:
        yield turner
    finally:
        turner.stop()
        thread.join()


def add(swarm: Swarm, path: int) -> None:
    swarm.add_path(path, path, SERVER, "ufrag", "password" * 3, swarm.fingerprint, path)


def test_methods_get_the_lock_of_a_loop_that_never_sleeps() -> None:
    swarm = Swarm(b"busy")
    with looping(swarm) as turner:
        for path in range(ROUNDS):
            add(swarm, path)
            swarm.rebind(path)
            assert swarm.path_totals(path)["state"] == 1
            assert swarm.sample()["paths"] == 1
            swarm.remove_path(path)
    assert turner.turns > 0
    assert turner.wakes >= 2 * ROUNDS  # each that came and each that went
    assert swarm.sample()["paths"] == 0


def test_what_a_method_brought_about_is_served() -> None:
    swarm = Swarm(b"served")
    with looping(swarm) as turner:
        for path in range(ROUNDS):
            add(swarm, path)
        while turner.wanted < ROUNDS or swarm.sample()["totals"]["stun_sent"] < ROUNDS:
            pass
        for path in range(ROUNDS):
            swarm.remove_path(path)
        while turner.gone < ROUNDS:
            swarm.take_events()
    assert turner.datagrams >= ROUNDS


def test_several_threads_share_a_swarm() -> None:
    swarm = Swarm(b"shared")

    def use(first: int) -> None:
        for path in range(first, first + ROUNDS):
            add(swarm, path)
        for path in range(first, first + ROUNDS):
            swarm.remove_path(path)

    with looping(swarm) as turner:
        threads = [Thread(target=use, args=(first,)) for first in (0, 1000, 2000)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        while turner.gone < 3 * ROUNDS:
            swarm.take_events()
    assert swarm.sample()["paths"] == 0


def test_paths_left_behind_are_freed_with_their_swarm() -> None:
    swarm = Swarm(b"left")
    for path in range(10):
        add(swarm, path)
    swarm.tick(1_000_000)
    swarm.remove_path(3)
    del swarm
