from __future__ import annotations

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from websockets.frames import Frame, Opcode

from simplestchat.server.outbox import Outbox, text_frame_header


@given(st.one_of(st.integers(0, 300), st.integers(65000, 66000), st.integers(0, 1 << 20)))
def test_header_is_the_one_of_the_websockets_library(size: int) -> None:
    payload = bytes(size)
    assert text_frame_header(size) + payload == Frame(Opcode.TEXT, payload).serialize(mask=False, extensions=[])


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


class Socket:
    """Takes so many bytes, then is full."""

    def __init__(self, room: int = 1_000_000) -> None:
        self.room = room
        self.taken: list[bytes] = []

    def write(self, data: bytes) -> int:
        if not self.room:
            raise BlockingIOError
        size = min(self.room, len(data))
        self.room -= size
        self.taken.append(data if size == len(data) else data[:size])
        return size


def test_an_empty_socket_is_written_to_at_once() -> None:
    socket, outbox = Socket(), Outbox(10, 1000)
    outbox.write = socket.write
    outbox.push(b"a")
    outbox.push_frame(b"\x89\x00")
    assert socket.taken == [b"\x81\x01a", b"\x89\x00"]
    assert outbox.take(100) == b""


def test_it_is_owed_once_until_it_is_delivered() -> None:
    owed: list[Outbox] = []
    socket, outbox = Socket(), Outbox(10, 1000, owed.append)
    outbox.write = socket.write
    outbox.push(b"a")
    outbox.push(b"b")
    assert (owed, socket.taken) == ([outbox], [])
    assert outbox.flush()
    outbox.push(b"c")
    assert owed == [outbox]
    assert outbox.deliver()
    assert socket.taken == [b"\x81\x01a\x81\x01b", b"\x81\x01c"]
    outbox.push(b"d")
    assert owed == [outbox, outbox]


def test_a_room_shares_one_frame() -> None:
    sockets = [Socket(), Socket()]
    for socket in sockets:
        outbox = Outbox(10, 1000)
        outbox.write = socket.write
        outbox.push(message := b"to everyone")
    again = Outbox(10, 1000)
    again.write = sockets[0].write
    again.push(message)
    assert sockets[0].taken[1] is sockets[1].taken[0]


def test_the_writer_gets_what_the_socket_did_not_take() -> None:
    socket, outbox = Socket(room=5), Outbox(10, 1000)
    outbox.write = socket.write
    outbox.push(b"abc")
    assert not outbox._owed
    outbox.push(b"no")
    assert socket.taken == [b"\x81\x03abc"]
    socket.room = 1_000_000
    outbox.push(b"later")
    outbox.flush()
    assert socket.taken == [b"\x81\x03abc"], "the writer has the turn"
    assert outbox.take(1000) == b"\x81\x02no"
    outbox.push(b"last")
    assert outbox.take(1000) == b"\x81\x05later\x81\x04last"
    assert outbox.take(1000) == b""
    outbox.push(b"direct")
    assert socket.taken[1:] == [b"\x81\x06direct"]


def test_a_frame_that_was_sent_in_part_is_finished_before_a_slow_reader_is_closed() -> None:
    socket, outbox = Socket(room=3), Outbox(10, 1000)
    outbox.write = socket.write
    outbox.push(b"abc")
    for _ in range(11):
        outbox.push(b"x")
    assert outbox.closing is not None
    outbox.push_frame(b"\x88\x00")
    assert outbox.take(1000) == b"bc"
    assert outbox.take(1000) == b"\x88\x00"


class Told(RuleBasedStateMachine):
    """Whatever a socket takes, and when: every byte leaves once, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.owed: list[Outbox] = []
        self.socket = Socket()
        self.outbox = Outbox(10**6, 10**9, self.owed.append)
        self.outbox.write = self.socket.write
        self.pushed = b""
        self.count = 0
        self.writing = False

    @rule(size=st.integers(0, 200))
    def push(self, size: int) -> None:
        self.count += 1
        message = bytes([self.count % 256]) * size
        self.outbox.push(message)
        self.pushed += text_frame_header(size) + message

    @rule(room=st.integers(0, 300))
    def room(self, room: int) -> None:
        self.socket.room = room

    @rule()
    def flush(self) -> None:
        self.outbox.flush()

    @rule()
    def deliver(self) -> None:
        if self.owed:
            self.owed.pop().deliver()

    @rule(size=st.integers(1, 300))
    def writer(self, size: int) -> None:
        """It is woken, and goes on until there is nothing left."""
        if self.writing or self.outbox._wake.is_set():
            batch = self.outbox.take(size)
            self.socket.taken.append(batch)
            self.writing = bool(batch)

    def teardown(self) -> None:
        self.socket.room = 10**9
        if self.owed:
            assert len(self.owed) == 1
            self.owed.pop().deliver()
        while self.writing or self.outbox._wake.is_set():
            self.writer(1000)
        assert b"".join(self.socket.taken) == self.pushed


TestTold = Told.TestCase
