"""Connections over real sockets whose messages are handled in turns: the same is heard as by way of their own tasks,
whatever comes, and none is kept waiting by another.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st
from support.abuse import frame
from support.frames import FRAMES, HEADERS, Listening, NothingPlain, hear
from support.intrio import in_trio
from support.turned import TurnedConnection

from simplestchat.server import bounds
from simplestchat.server.delivery import Delivery
from simplestchat.server.outbox import Outbox
from simplestchat.server.turns import Turns
from simplestchat.server.websocket import WebSocket


class Says:
    """A session that answers at once, or after a while, or not at all."""

    peer: object = object()

    def __init__(self, log: list[str]) -> None:
        self.log = log
        self.go_on = trio.Event()

    def handle(self, text: str) -> bytes | Coroutine[None, None, bytes | None]:
        if text == "raise":
            raise RuntimeError("a fault of ours")
        if text == "wait":
            return self.wait()
        self.log.append(text)
        return text.upper().encode()

    async def wait(self) -> bytes:
        await self.go_on.wait()
        self.log.append("waited")
        return b"WAITED"


class Scene:
    """Turns, and connections whose messages they handle; ``log`` is what was handled, in order."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self.log: list[str] = []
        self.turns = Turns(Delivery())
        self.nursery = nursery
        self.connections: list[TurnedConnection[Says]] = []
        nursery.start_soon(self.turns.run)

    async def connect(self) -> TurnedConnection[Says]:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            client = socket.create_connection(listener.getsockname())
            ours, _ = listener.accept()
        streams = (trio.SocketStream(trio.socket.from_stdlib_socket(one)) for one in (ours, client))
        one = TurnedConnection(self.turns, *streams, Says(self.log))
        self.connections.append(one)
        await one.begin(self.nursery)
        return one


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            one = Scene(nursery)
            yield one
            nursery.cancel_scope.cancel()
    for connection in one.connections:
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(connection.client)


@settings(max_examples=60)
@given(st.lists(FRAMES, max_size=8), st.lists(st.integers(0, 2000), max_size=4))
def test_the_same_is_heard_as_by_way_of_a_task(frames: list[bytes], cuts: list[int]) -> None:
    data = b"".join(frames)
    session, outbox = Listening(), Outbox(10_000, 10_000_000)

    async def main() -> None:
        async with scene() as one:
            ours, client = map(trio.SocketStream, trio.socket.socketpair())
            websocket = WebSocket(ours, outbox, 100, one.turns)
            assert await websocket.accept(b"/ws", HEADERS, b"")
            async with trio.open_nursery() as nursery:
                nursery.start_soon(websocket.run, session)
                begin = 0
                with contextlib.suppress(trio.BrokenResourceError):  # what closes us reads no further
                    for cut in sorted({*cuts, len(data)}):
                        await client.send_all(data[begin:cut])
                        begin = max(begin, cut)
                        await trio.testing.wait_all_tasks_blocked()
                    await client.send_eof()
            await ours.aclose()
            await client.aclose()

    trio.run(main)
    assert (session.heard, outbox.closing) == hear([data] if data else [], NothingPlain())


@in_trio
async def test_a_message_that_waits_holds_up_its_own_connection_only() -> None:
    async with scene() as one:
        first, second = await one.connect(), await one.connect()
        await first.client.send_all(frame(1, b"a") + frame(1, b"wait") + frame(1, b"b"))
        await second.client.send_all(frame(1, b"c"))
        assert await second.hear(3) == b"\x81\x01C"
        await first.client.send_all(frame(1, b"d"))
        assert await first.hear(3) == b"\x81\x01A"
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(one.log) == ["a", "c"]
        first.session.go_on.set()
        assert await first.hear(14) == b"\x81\x06WAITED\x81\x01B\x81\x01D"
        await first.client.send_all(frame(1, b"e"))
        assert await first.hear(3) == b"\x81\x01E"


@in_trio
async def test_a_message_is_handled_to_its_end_although_the_client_is_gone() -> None:
    async with scene() as one:
        first = await one.connect()
        await first.client.send_all(frame(1, b"wait"))
        await trio.testing.wait_all_tasks_blocked()
        await first.client.aclose()
        first.session.go_on.set()
        await first.over.wait()
        assert one.log == ["waited"]


@in_trio
async def test_who_says_much_at_once_keeps_nobody_waiting() -> None:
    count = 4000
    async with scene() as one:
        loud, quiet = await one.connect(), await one.connect()
        await loud.client.send_all(frame(1, b"x") * count)
        await quiet.client.send_all(frame(1, b"q"))
        assert await quiet.hear(3) == b"\x81\x01Q"
        # Of what the loud one said before, a read's worth may have been first, but in turns with the quiet one.
        assert one.log.index("q") < count
        assert await loud.hear(3 * count) == b"\x81\x01X" * count
        assert one.log.count("x") == count


@in_trio
async def test_control_frames_without_end_keep_nobody_waiting_either() -> None:
    async with scene() as one:
        loud, quiet = await one.connect(), await one.connect()
        await loud.client.send_all(frame(9, b"") * 3 * bounds.MESSAGES_PER_TURN)
        await quiet.client.send_all(frame(1, b"q"))
        assert await quiet.hear(3) == b"\x81\x01Q"
        assert await loud.hear(2 * 3 * bounds.MESSAGES_PER_TURN) == b"\x8a\x00" * 3 * bounds.MESSAGES_PER_TURN


@in_trio
async def test_a_half_closed_connection_is_heard_to_its_end() -> None:
    async with scene() as one:
        first = await one.connect()
        await first.client.send_all(frame(1, b"a") + frame(1, b"b"))
        await first.client.send_eof()
        assert await first.hear(6) == b"\x81\x01A\x81\x01B"
        await first.over.wait()
        assert first.websocket.ended == "gone"
        assert first.error is None


@pytest.mark.parametrize("said", [b"", frame(1, b"half a message")[:9], frame(1, b"part", fin=False), b"\x81\xfe\x40"])
@in_trio
async def test_a_reset_in_the_middle_ends_one_connection_only(said: bytes) -> None:
    async with scene() as one:
        first, second = await one.connect(), await one.connect()
        await first.client.send_all(said)
        await trio.testing.wait_all_tasks_blocked()
        first.client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        await trio.aclose_forcefully(first.client)
        await first.over.wait()
        assert first.error is None
        await second.client.send_all(frame(1, b"a"))
        assert await second.hear(3) == b"\x81\x01A"


@in_trio
async def test_a_fault_of_ours_ends_one_connection_only() -> None:
    async with scene() as one:
        first, second = await one.connect(), await one.connect()
        await first.client.send_all(frame(1, b"raise"))
        await first.over.wait()
        assert first.error is not None
        assert "a fault of ours" in repr(first.error)
        await second.client.send_all(frame(1, b"a"))
        assert await second.hear(3) == b"\x81\x01A"


@in_trio
async def test_a_descriptor_that_is_used_again_is_its_new_owners() -> None:
    async with scene() as one:
        for number in range(5):
            connection = await one.connect()
            descriptor = connection.ours.socket.fileno()
            text = str(number).encode()
            await connection.client.send_all(frame(1, text))
            assert await connection.hear(3) == b"\x81\x01" + text
            assert connection.outbox.descriptor == descriptor
            await connection.client.aclose()
            await connection.over.wait()
            assert connection.outbox.descriptor == -1
            connection.outbox.push(b"to nobody")


@in_trio
async def test_many_connections_are_all_served() -> None:
    async with scene() as one:
        connections = [await one.connect() for _ in range(150)]
        for number, connection in enumerate(connections):
            await connection.client.send_all(frame(1, b"%03d" % number))
        for number, connection in enumerate(connections):
            assert await connection.hear(5) == b"\x81\x03%03d" % number
