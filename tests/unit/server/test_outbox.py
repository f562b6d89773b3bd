from __future__ import annotations

import contextlib
import math
import socket
import sys
import time
from typing import Self

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from websockets.frames import Frame, Opcode

from simplestchat._native.io.frames import Owed, text_frame
from simplestchat.server.outbox import Outbox


@given(st.one_of(st.integers(0, 300), st.integers(65000, 66000), st.integers(0, 1 << 20)))
def test_header_is_the_one_of_the_websockets_library(size: int) -> None:
    payload = bytes(size)
    assert text_frame(payload) == Frame(Opcode.TEXT, payload).serialize(mask=False, extensions=[])


def test_messages_leave_in_order_and_in_batches() -> None:
    outbox = Outbox(100, 10_000)
    for number in range(10):
        outbox.push(str(number).encode())
    outbox.push_frame(b"\x89\x00")
    expected = b"".join(b"\x81\x01%d" % number for number in range(10)) + b"\x89\x00"
    assert outbox.take(1_000_000) == expected
    assert outbox.take(1_000_000) == b""
    assert outbox.sent == 10


def test_a_batch_holds_whole_frames() -> None:
    outbox = Outbox(100, 10_000)
    for _ in range(10):
        outbox.push(b"x" * 98)
    assert [len(outbox.take(250)) for _ in range(5)] == [300, 300, 300, 100, 0]


@pytest.mark.parametrize(("count", "size"), [(11, 1), (3, 400)])
def test_too_much_waiting_closes_and_forgets(count: int, size: int) -> None:
    outbox = Outbox(10, 1000)
    for _ in range(count):
        assert outbox.closing is None
        outbox.push(b"x" * size)
    assert outbox.closing is not None
    assert outbox.closing[0] == 4009
    assert outbox.take(1_000_000) == b""
    outbox.push(b"more")
    assert outbox.take(1_000_000) == b""


def test_one_message_of_any_size_may_wait() -> None:
    outbox = Outbox(10, 1000)
    outbox.push(b"x" * 100_000)
    assert outbox.closing is None
    outbox.push(b"x")
    assert outbox.closing is not None


def test_taking_makes_room() -> None:
    outbox = Outbox(10, 1000)
    for _ in range(1000):
        outbox.push(b"x" * 500)
        outbox.take(1_000_000)
    assert outbox.closing is None


def test_pongs_that_nobody_reads_close_too() -> None:
    outbox = Outbox(10, 1000)
    for _ in range(11):
        outbox.push_frame(b"\x8a\x00")
    assert outbox.closing is not None


def test_what_is_closing_keeps_no_more_than_its_bound() -> None:
    outbox = Outbox(10, 1000)
    outbox.close(1000, "")
    for _ in range(100):
        outbox.push_frame(b"\x8a\x00")
    assert outbox.take(1_000_000) == b"\x8a\x00" * 10
    outbox.push_frame(b"\x88\x00")  # the close frame itself, once there is room
    assert outbox.take(1_000_000) == b"\x88\x00"


def test_the_first_to_close_decides() -> None:
    outbox = Outbox(10, 1000)
    outbox.close(4008, "flood")
    outbox.close(1001, "going away")
    assert outbox.closing == (4008, "flood")


def test_waits_until_there_is_something() -> None:
    async def main() -> None:
        outbox = Outbox(10, 1000)
        with trio.move_on_after(0.01) as quiet:
            await outbox.wait()
        assert quiet.cancelled_caught
        outbox.push(b"x")
        with trio.fail_after(1):
            await outbox.wait()
        outbox.take(100)
        with trio.move_on_after(0.01) as quiet:
            await outbox.wait()
        assert quiet.cancelled_caught
        outbox.close(1000, "")
        with trio.fail_after(1):
            await outbox.wait()

    trio.run(main)


def owing() -> Owed:
    """Somebody who delivers only when told to."""
    return Owed(lambda: None, time.perf_counter)


class Line:
    """An outbox and the socket that it writes to; each call of the kernel arrives as one packet."""

    def __init__(self, owed: Owed | None = None, kind: int = socket.SOCK_SEQPACKET) -> None:
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, kind)
        self.theirs.setblocking(False)
        self.outbox = Outbox(10, 1000, owed)
        self.outbox.descriptor = self.ours.fileno()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.outbox.descriptor = -1
        self.ours.close()
        self.theirs.close()

    def fill(self) -> None:
        """Let the kernel take no more."""
        self.ours.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.ours.send(b"filler")

    def packets(self) -> list[bytes]:
        """What has arrived."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while packet := self.theirs.recv(1 << 20):
                found.append(packet)
        return [packet for packet in found if packet != b"filler"]


def test_an_empty_socket_is_written_to_at_once() -> None:
    with Line() as line:
        line.outbox.push(b"a")
        line.outbox.push_frame(b"\x89\x00")
        assert line.packets() == [b"\x81\x01a", b"\x89\x00"]
        assert line.outbox.take(100) == b""


def test_it_is_owed_once_until_it_is_delivered() -> None:
    begun: list[bool] = []
    owed = Owed(lambda: begun.append(True), time.perf_counter)
    with Line(owed) as line:
        outbox = line.outbox
        outbox.push(b"a")
        outbox.push(b"b")
        assert (len(owed), begun, line.packets()) == (1, [True], [])
        assert outbox.flush()
        outbox.push(b"c")
        assert len(owed) == 1
        owed.deliver(math.inf, 1)
        assert line.packets() == [b"\x81\x01a\x81\x01b", b"\x81\x01c"]
        assert len(owed) == 0
        outbox.push(b"d")
        assert (len(owed), begun) == (1, [True, True])


def test_many_frames_leave_in_few_calls() -> None:
    with Line() as line:
        line.outbox.descriptor = -1
        line.outbox = Outbox(1000, 100_000, owing())
        line.outbox.descriptor = line.ours.fileno()
        for number in range(150):
            line.outbox.push(str(number).encode())
        line.outbox.flush()
        packets = line.packets()
        assert b"".join(packets) == b"".join(text_frame(str(number).encode()) for number in range(150))
        assert len(packets) == 3


def test_a_room_shares_one_frame() -> None:
    outboxes = [Outbox(10, 1000) for _ in range(3)]
    message = b"to everyone"
    for outbox in outboxes:
        outbox.push(message)
    first, second, third = (outbox.take(100) for outbox in outboxes)
    assert first == b"\x81\x0bto everyone"
    assert first is second is third


def test_the_writer_gets_what_the_socket_did_not_take() -> None:
    with Line() as line:
        outbox = line.outbox
        outbox.push(b"abc")
        line.fill()
        outbox.push(b"no")
        assert line.packets() == [b"\x81\x03abc"]
        outbox.push(b"later")
        outbox.flush()
        assert line.packets() == [], "the writer has the turn"
        assert outbox.take(3) == b"\x81\x02no"
        outbox.push(b"last")
        assert outbox.take(1000) == b"\x81\x05later\x81\x04last"
        assert outbox.take(1000) == b""
        outbox.push(b"direct")
        assert line.packets() == [b"\x81\x06direct"]


def test_a_frame_that_was_sent_in_part_is_finished_before_a_slow_reader_is_closed() -> None:
    message = b"x" * 1_000_000  # alone, it may have any size; no socket takes so much
    with Line(kind=socket.SOCK_STREAM) as line:
        outbox = line.outbox
        outbox.push(message)
        begun = b"".join(line.packets())
        assert 0 < len(begun) < len(message)
        for _ in range(11):
            outbox.push(b"y")
        assert outbox.closing is not None
        outbox.push_frame(b"\x88\x00")
        assert begun + outbox.take(1) == text_frame(message)
        assert outbox.take(1000) == b"\x88\x00"
        assert outbox.take(1000) == b""


def test_without_its_descriptor_nothing_is_written() -> None:
    with Line() as line:
        line.outbox.descriptor = -1
        line.outbox.push(b"to nobody")
        assert line.packets() == []


def test_a_reader_that_is_gone_is_for_the_writer_to_find_out() -> None:
    with Line(kind=socket.SOCK_STREAM) as line:
        line.theirs.close()
        line.outbox.push(b"x")
        assert line.outbox.take(10) == b"\x81\x01x"


def test_what_is_dropped_leaves_nothing_behind() -> None:
    messages = [bytes([number]) * 300 for number in range(40)]
    before = [sys.getrefcount(message) for message in messages]
    outbox = Outbox(1000, 1_000_000)
    for message in messages:
        outbox.push_frame(message)
    assert outbox.take(3000)
    del outbox, message
    assert [sys.getrefcount(message) for message in messages] == before


class Told(RuleBasedStateMachine):
    """Whatever a socket takes, and when: every byte leaves once, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.owed = owing()
        self.line = Line(kind=socket.SOCK_STREAM)
        self.line.ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)  # as small as the kernel makes it
        self.outbox = Outbox(10**6, 10**9, self.owed)
        self.outbox.descriptor = self.line.ours.fileno()
        self.pushed = self.taken = b""
        self.count = 0
        self.writing = False

    def drain(self) -> None:
        self.taken += b"".join(self.line.packets())

    @rule(size=st.one_of(st.integers(0, 200), st.integers(0, 20_000)), frame=st.booleans())
    def push(self, size: int, frame: bool) -> None:
        self.count += 1
        message = bytes([self.count % 256]) * size
        if frame:
            self.outbox.push_frame(text_frame(message))
        else:
            self.outbox.push(message)
        self.pushed += text_frame(message)

    @rule(size=st.integers(1, 10_000))
    def read(self, size: int) -> None:
        with contextlib.suppress(BlockingIOError):
            self.taken += self.line.theirs.recv(size)

    @rule()
    def flush(self) -> None:
        self.outbox.flush()

    @rule()
    def deliver(self) -> None:
        self.owed.deliver(math.inf, 1)

    @rule(size=st.integers(1, 30_000))
    def writer(self, size: int) -> None:
        """It is woken, and goes on until there is nothing left; it waits until the socket takes what it has."""
        if self.writing or self.outbox._wake.is_set():
            batch = self.outbox.take(size)
            self.drain()
            self.taken += batch
            self.writing = bool(batch)

    def teardown(self) -> None:
        assert len(self.owed) <= 1
        self.owed.deliver(math.inf, 1)
        while self.writing or self.outbox._wake.is_set():
            self.writer(1000)
        self.drain()
        assert self.taken == self.pushed
        self.line.__exit__()


TestTold = Told.TestCase
