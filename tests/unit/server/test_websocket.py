"""One WebSocket connection over streams in memory, in virtual time."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from support.abuse import frame
from support.frames import HEADERS
from support.intrio import in_trio
from support.turned import TurnedConnection

from simplestchat._native.io.frames import Owed, text_frame
from simplestchat.server import bounds
from simplestchat.server.delivery import Delivery
from simplestchat.server.outbox import Outbox
from simplestchat.server.turns import Turns
from simplestchat.server.websocket import WebSocket
from simplestchat.signaling.data import TOKEN_MAX

JOIN_DEADLINE_S = 40.0


class Echo:
    """A session that answers with what it got."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.pause_s = 0.0
        self.peer: object | None = object()

    async def handle(self, text: str) -> bytes | None:
        await trio.sleep(self.pause_s)
        self.heard.append(text)
        return text.upper().encode() if text else None


class Scene:
    """The server's side of one connection, and the client's end of its stream."""

    def __init__(self) -> None:
        self.client, self._server = trio.testing.lockstep_stream_pair()
        self.outbox = Outbox(100, 100_000)
        self.websocket = WebSocket(self._server, self.outbox, JOIN_DEADLINE_S)
        self.session = Echo()

    async def accept(self, *more: tuple[bytes, bytes], trailing: bytes = b"") -> tuple[bool, bytes]:
        accepted = False

        async def serve() -> None:
            nonlocal accepted
            headers = [(name, value.lower() if name != b"sec-websocket-key" else value) for name, value in HEADERS]
            accepted = await self.websocket.accept(b"/ws", [*headers, *more], trailing)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve)
            head = await self.client.receive_some()
        return accepted, bytes(head)

    async def run(self) -> None:
        await self.websocket.run(self.session)
        await self._server.aclose()


def play(story: Callable[[Scene], Awaitable[None]], *, trailing: bytes = b"") -> Scene:
    """Accept, then run the server's side while the story plays on the client's."""
    scenes: list[Scene] = []

    async def main() -> None:
        scene = Scene()
        scenes.append(scene)
        assert (await scene.accept(trailing=trailing))[0]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(scene.run)
            await story(scene)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
    return scenes[0]


async def read_all(client: trio.abc.Stream) -> bytes:
    received = b""
    while data := await client.receive_some():
        received += data
    return received


def closing(code: int, reason: bytes = b"") -> bytes:
    return bytes([0x88, 2 + len(reason)]) + code.to_bytes(2, "big") + reason


def test_no_extension_is_taken_and_a_token_is_read_and_answered() -> None:
    async def main() -> None:
        offer = (b"sec-websocket-extensions", b"permessage-deflate; client_max_window_bits")
        scene = Scene()
        accepted, head = await scene.accept(offer, (b"sec-websocket-protocol", b"chat, bearer.secret"))
        assert accepted
        assert head.startswith(b"HTTP/1.1 101 ")
        assert b"extensions" not in head.lower()
        assert b"Sec-WebSocket-Protocol: bearer.secret\r\n" in head
        assert scene.websocket.token == "secret"
        for odd in (b"bearer.", b"bearer." + b"x" * (TOKEN_MAX + 1)):
            scene = Scene()
            assert (await scene.accept((b"sec-websocket-protocol", odd)))[0]
            assert scene.websocket.token is None
        scene = Scene()
        accepted, head = await scene.accept((b"sec-websocket-protocol", b"chat"))
        assert b"sec-websocket-protocol" not in head.lower()
        assert scene.websocket.token is None

    trio.run(main)


def test_messages_are_answered_in_order() -> None:
    async def story(scene: Scene) -> None:
        await scene.client.send_all(frame(1, b"a") + frame(1, b"") + frame(1, b"b", fin=False) + frame(0, b"c"))
        received = b""
        while len(received) < 7:
            received += await scene.client.receive_some()
        assert received == b"\x81\x01A\x81\x02BC"
        await scene.client.send_all(frame(8, (1000).to_bytes(2, "big")))
        assert await read_all(scene.client) == closing(1000)

    scene = play(story)
    assert scene.session.heard == ["a", "", "bc"]
    assert scene.websocket.received == 3
    assert scene.websocket.ended == "left"
    assert not scene.websocket.page_left


def test_what_came_with_the_request_head_is_heard() -> None:
    async def story(scene: Scene) -> None:
        assert await scene.client.receive_some() == b"\x81\x05EARLY"
        await scene.client.aclose()

    assert play(story, trailing=frame(1, b"early")).websocket.ended == "gone"


def test_a_page_that_goes_away_is_known() -> None:
    async def story(scene: Scene) -> None:
        await scene.client.send_all(frame(8, (1001).to_bytes(2, "big")))
        assert await read_all(scene.client) == closing(1001)

    assert play(story).websocket.page_left


def test_pings_are_answered_and_sent() -> None:
    async def story(scene: Scene) -> None:
        await scene.client.send_all(frame(9, b"hi"))
        assert await scene.client.receive_some() == b"\x8a\x02hi"
        began = trio.current_time()
        assert await scene.client.receive_some() == b"\x89\x00"
        assert trio.current_time() - began == pytest.approx(bounds.PING_INTERVAL_S)
        await scene.client.aclose()

    play(story)


def test_a_silent_client_is_gone_and_one_that_answers_is_not() -> None:
    async def silent(scene: Scene) -> None:
        assert set(await read_all(scene.client)) == {0x89, 0}  # pings and nothing else
        assert trio.current_time() == pytest.approx(bounds.SILENCE_S)

    assert play(silent).websocket.ended == "silent"

    async def answering(scene: Scene) -> None:
        for _ in range(20):
            assert await scene.client.receive_some() == b"\x89\x00"
            await scene.client.send_all(frame(10, b""))
        assert trio.current_time() == pytest.approx(20 * bounds.PING_INTERVAL_S)
        await scene.client.aclose()

    assert play(answering).websocket.ended == "gone"


def test_pings_are_not_put_off_so_that_late_answers_are_in_time() -> None:
    async def story(scene: Scene) -> None:
        await trio.sleep(bounds.PING_INTERVAL_S - 0.1)
        await scene.client.send_all(frame(10, b""))
        await scene.client.receive_some()
        await trio.sleep(bounds.PING_INTERVAL_S + 0.5)  # when the end of the silence falls just before a ping
        for number in range(1, 10):
            await scene.client.send_all(frame(10, b""))
            await scene.client.receive_some()
            assert trio.current_time() <= (number + 2) * bounds.PING_INTERVAL_S + 1
            await trio.sleep(1)
        await scene.client.aclose()

    assert play(story).websocket.ended == "gone"


def test_who_stays_in_no_room_is_closed_although_it_answers_pings() -> None:
    async def story(scene: Scene) -> None:
        scene.session.peer = None
        for _ in range(2):
            assert await scene.client.receive_some() == b"\x89\x00"
            await scene.client.send_all(frame(10, b""))
        assert await scene.client.receive_some() == closing(4010, b"join a room, or close")
        assert trio.current_time() == pytest.approx(JOIN_DEADLINE_S)
        await scene.client.send_all(frame(8, (4010).to_bytes(2, "big")))
        assert await read_all(scene.client) == b""

    assert play(story).websocket.ended == "no-room"


def test_the_time_without_a_room_begins_anew_after_each_room() -> None:
    async def story(scene: Scene) -> None:
        left_s = 3 * bounds.PING_INTERVAL_S
        received = b""
        while not received.endswith(b"close"):
            received = bytes(await scene.client.receive_some())
            await scene.client.send_all(frame(10, b""))
            if trio.current_time() > left_s:
                scene.session.peer = None
        assert trio.current_time() == pytest.approx(left_s + bounds.PING_INTERVAL_S + JOIN_DEADLINE_S)
        await scene.client.aclose()

    play(story)


def test_what_was_queued_leaves_before_the_close() -> None:
    async def story(scene: Scene) -> None:
        scene.outbox.push(b"last words")
        scene.outbox.close(4008, "flood")
        scene.outbox.push(b"too late")
        received = b""
        while not received.endswith(b"flood"):
            received += await scene.client.receive_some()
        assert received == b"\x81\x0alast words" + closing(4008, b"flood")
        await scene.client.send_all(frame(1, b"unheard") + frame(8, (4008).to_bytes(2, "big")))
        assert await read_all(scene.client) == b""

    scene = play(story)
    assert scene.session.heard == []
    assert scene.websocket.ended == "flood"


def test_a_client_that_does_not_answer_the_close_is_left() -> None:
    async def story(scene: Scene) -> None:
        scene.outbox.close(1001, "bye")
        assert await read_all(scene.client) == closing(1001, b"bye")
        assert trio.current_time() == pytest.approx(bounds.CLOSE_S)

    play(story)


def test_a_client_that_does_not_read_holds_nothing_up() -> None:
    async def story(scene: Scene) -> None:
        await trio.sleep(1)
        for _ in range(200):  # the first of them is stuck on its way, the others wait
            scene.outbox.push(b"x")
            await trio.lowlevel.checkpoint()
        assert scene.outbox.closing is not None
        assert scene.outbox.closing[0] == 4009
        began = trio.current_time()
        await trio.sleep(bounds.CLOSE_S + 0.1)
        assert scene.websocket.ended == "slow"
        assert trio.current_time() - began < 3

    play(story)


def test_a_code_that_cannot_be_spelt_closes_all_the_same() -> None:
    async def story(scene: Scene) -> None:
        scene.outbox.close(99, "")
        assert await read_all(scene.client) == closing(1011)

    play(story)


def test_a_message_is_handled_to_its_end_although_the_client_is_gone() -> None:
    async def story(scene: Scene) -> None:
        scene.session.pause_s = 1
        await scene.client.send_all(frame(1, b"slow"))
        await scene.client.aclose()

    assert play(story).session.heard == ["slow"]


@asynccontextmanager
async def over_sockets(outbox: Outbox | None = None) -> AsyncIterator[TurnedConnection[Echo]]:
    """A connection over real sockets, accepted, and read by turns."""
    turns = Turns(Delivery())
    one = TurnedConnection(turns, *map(trio.SocketStream, trio.socket.socketpair()), Echo(), outbox)
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(turns.run)
            await one.begin(nursery)
            yield one
            await one.client.aclose()
            await one.over.wait()
            nursery.cancel_scope.cancel()
    assert one.error is None


@in_trio
async def test_a_full_socket_gets_everything_in_order() -> None:
    async with over_sockets() as one:
        messages = [str(number).encode() * 2000 for number in range(1000)]
        expected = b"".join(map(text_frame, messages))
        for message in messages[:500]:
            one.outbox.push(message)
        received = b""
        while len(received) < len(expected):
            assert one.outbox.closing is None
            received += await one.client.receive_some()
            if messages[500:]:
                one.outbox.push(messages.pop(500))
        assert received == expected
    # The descriptor of a closed socket may be another's next.
    assert one.outbox.descriptor == -1


@in_trio
async def test_an_answer_waits_for_nobody_else() -> None:
    owed = Owed(lambda: None, time.perf_counter)
    async with over_sockets(Outbox(100, 100_000, owed)) as one:
        one.outbox.push(b"notice")
        await one.client.send_all(frame(1, b"a"))
        assert await one.hear(11) == b"\x81\x06notice\x81\x01A"
        assert len(owed) == 1, "nobody delivers here"
