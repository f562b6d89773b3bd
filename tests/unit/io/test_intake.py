"""Sockets that are read together: what has come, whose it is, and what becomes of those that end."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
from collections.abc import Iterator

import pytest

from simplestchat._native.io.intake import Intake

PAIRS = 100


@pytest.fixture
def intake() -> Iterator[Intake]:
    one = Intake()
    yield one
    one.close()


@pytest.fixture
def pairs() -> Iterator[list[tuple[socket.socket, socket.socket]]]:
    made = [socket.socketpair() for _ in range(PAIRS)]
    yield made
    for ours, theirs in made:
        ours.close()
        theirs.close()


def readable(intake: Intake) -> bool:
    return bool(select.select([intake.fileno()], [], [], 0)[0])


Pairs = list[tuple[socket.socket, socket.socket]]


def test_what_has_come_is_read_and_whose_it_is_known(intake: Intake, pairs: Pairs) -> None:
    for number, (ours, _) in enumerate(pairs):
        intake.watch(ours.fileno(), f"owner {number}")
    assert intake.read() == []
    assert not readable(intake)
    pairs[3][1].send(b"three")
    pairs[5][1].send(b"five")
    assert readable(intake)
    assert sorted(intake.read()) == sorted(
        [(pairs[3][0].fileno(), "owner 3", b"three"), (pairs[5][0].fileno(), "owner 5", b"five")]
    )
    assert intake.read() == []


def test_a_busy_socket_keeps_none_waiting(intake: Intake, pairs: Pairs) -> None:
    for number, (ours, theirs) in enumerate(pairs):
        intake.watch(ours.fileno(), number)
        theirs.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                theirs.send(bytes(65536))
    heard: set[object] = set()
    for _ in range(2 * PAIRS):  # a turn reads at least a dozen of them
        found = intake.read()
        assert 0 < sum(len(data) for _, _, data in found) <= (1 << 20) + 65536
        heard |= {owner for _, owner, _ in found}
        if len(heard) == PAIRS:
            return
    raise AssertionError(f"only {len(heard)} were read")


def test_what_has_ended_says_so_once(intake: Intake, pairs: Pairs) -> None:
    (half, closed_here), (ours, theirs) = pairs[:2]
    intake.watch(half.fileno(), "half")
    intake.watch(ours.fileno(), "closed")
    closed_here.send(b"last")
    closed_here.shutdown(socket.SHUT_WR)
    theirs.close()
    found = intake.read() + intake.read()
    assert sorted(found) == sorted(
        [(half.fileno(), "half", b"last"), (half.fileno(), "half", b""), (ours.fileno(), "closed", b"")]
    )
    assert not readable(intake)
    half.send(b"it may still be written to")


def test_a_reset_is_an_end(intake: Intake) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        theirs = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
        with ours:
            intake.watch(ours.fileno(), "reset")
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            theirs.close()
            select.select([intake.fileno()], [], [], 5)
            assert intake.read() == [(ours.fileno(), "reset", b"")]
            assert intake.read() == []


def test_what_is_forgotten_is_left_alone(intake: Intake, pairs: Pairs) -> None:
    ours, theirs = pairs[0]
    intake.watch(ours.fileno(), "first")
    theirs.send(b"unread")
    intake.forget(ours.fileno())
    intake.forget(ours.fileno())
    assert not readable(intake)
    assert intake.read() == []
    intake.watch(ours.fileno(), "second")
    assert intake.read() == [(ours.fileno(), "second", b"unread")]


def test_owners_are_let_go(intake: Intake, pairs: Pairs) -> None:
    class Owner:
        pass

    gone: list[int] = []

    class Noticed(Owner):
        def __del__(self) -> None:
            gone.append(1)

    intake.watch(pairs[0][0].fileno(), Noticed())
    intake.forget(pairs[0][0].fileno())
    assert gone == [1]
    intake.watch(pairs[0][0].fileno(), Noticed())
    pairs[0][1].close()
    assert len(intake.read()) == 1
    assert gone == [1, 1]


def test_what_is_no_socket_cannot_be_watched(intake: Intake) -> None:
    with pytest.raises(OSError, match="watched"):
        intake.watch(-1, "nobody")
    read_end, write_end = os.pipe()
    intake.watch(read_end, "a pipe")
    os.write(write_end, b"x")
    assert intake.read() == [(read_end, "a pipe", b"")], "it cannot be read as a socket"
    os.close(read_end)
    os.close(write_end)
