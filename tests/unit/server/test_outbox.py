from __future__ import annotations

import pytest
import trio
from hypothesis import given
from hypothesis import strategies as st
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
