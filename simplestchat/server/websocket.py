"""One WebSocket client: frames in, messages to its session; messages out of its outbox, frames to the socket.

`websockets`' sans-I/O protocol parses and keeps the state; this file moves the bytes with three tasks: one reads and
handles messages in their order, one writes whole batches, one pings and bounds the closing. Everything written goes
through the outbox, so one bound covers it all. A plain socket is read by the node's turns (``turns``) instead, and its
messages are handled there; the reading task sleeps until there is one that has to wait for something.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Coroutine, Sequence
from typing import Any, Protocol, TypeAlias

import trio
from websockets.datastructures import Headers
from websockets.exceptions import ProtocolError
from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import OPEN
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from simplestchat._native.io.cutter import Cutter
from simplestchat.signaling.data import TOKEN_MAX
from simplestchat.signaling.edge import BEARER_PREFIX

from . import bounds
from .outbox import Outbox
from .turns import Turns

#: The library's own log would hold request heads, and with them tokens and addresses.
_silent = logging.getLogger("simplestchat.websockets")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False
_silent.setLevel(logging.CRITICAL)
_FORWARDED = (b"connection", b"host", b"upgrade")


Answer: TypeAlias = bytes | None
"""What there is to be sent back."""


class SessionLike(Protocol):
    """What a connection needs of `signaling.session.Session`."""

    @property
    def peer(self) -> object | None:
        """Who it is, while it is in a room."""
        ...

    def handle(self, text: str) -> Answer | Coroutine[Any, Any, Answer]:
        """Handle one message; its answer, or what it is to be awaited from."""
        ...


class Stream(Protocol):
    """A trio stream: TCP, TLS or one of a test."""

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send everything."""
        ...

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        """Return what has arrived, nothing at the end."""
        ...

    async def aclose(self) -> None:
        """Close."""
        ...


class WebSocket:
    """A client from its upgrade request to the end of its connection."""

    def __init__(self, stream: Stream, outbox: Outbox, join_deadline_s: float, turns: Turns | None = None) -> None:
        """A plain socket is read by ``turns`` where there are any."""
        self._stream = stream
        self.outbox = outbox
        self._turns = turns if isinstance(stream, trio.SocketStream) else None
        self._join_deadline_s = join_deadline_s
        self._protocol = ServerProtocol(
            max_size=bounds.MAX_MESSAGE_BYTES, logger=_silent, select_subprotocol=_select_subprotocol
        )
        self._cutter = Cutter()
        self._fragments: list[bytes] = []
        self._first_opcode = Opcode.TEXT
        self._events: deque[Frame] = deque()
        """What the protocol has read and nobody has handled yet."""
        self._waiting: Coroutine[Any, Any, Answer] | None = None
        """Of the latest message, when it is not answered at once."""
        self._called = trio.Event()
        """A turn has left something to this connection's task."""
        self._error: Exception | None = None
        self._hung_up = False
        self._session: SessionLike
        self._scope = trio.CancelScope()
        self._reading = trio.CancelScope()
        self._heard_at = trio.current_time()
        self.received = 0
        self.ended = "gone"
        """Why it ended, in a word for logs and metrics."""

    @property
    def token(self) -> str | None:
        """The token that came as a subprotocol, if its length is one that the protocol allows."""
        chosen = self._protocol.subprotocol
        token = chosen.removeprefix(BEARER_PREFIX) if chosen is not None else ""
        return token if 0 < len(token) <= TOKEN_MAX else None

    async def accept(self, target: bytes, headers: Sequence[tuple[bytes, bytes]], trailing: bytes) -> bool:
        """Answer the upgrade request; False when it was none and has been refused."""
        head = Headers()
        for name, value in headers:
            if name in _FORWARDED or name.startswith(b"sec-websocket-"):
                head[name.decode("latin-1")] = value.decode("latin-1")
        # The protocol reads the head as h11 has understood it, never the raw one: one reading, one meaning.
        self._protocol.receive_data(Request(target.decode("ascii"), head).serialize())
        requests = self._protocol.events_received()
        if requests and isinstance(requests[0], Request):
            self._protocol.send_response(self._protocol.accept(requests[0]))
        with trio.move_on_after(bounds.WRITE_S):
            await self._stream.send_all(b"".join(self._protocol.data_to_send()))
        if self._protocol.state is not OPEN:
            return False
        self._cutter.feed(trailing)
        return True

    @property
    def page_left(self) -> bool:
        """Whether the client's page went away, as browsers say with 1001, rather than its network."""
        received = self._protocol.close_rcvd
        return (
            received is not None and received.code == CloseCode.GOING_AWAY and bool(self._protocol.close_rcvd_then_sent)
        )

    async def run(self, session: SessionLike) -> None:
        """Serve until the connection is over; the caller closes the stream."""
        self._session = session
        if isinstance(self._stream, trio.SocketStream):
            self.outbox.descriptor = self._stream.socket.fileno()
        try:
            with self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._keep_alive)
                    await self._move()
                    nursery.cancel_scope.cancel()
        finally:
            # When the socket is closed its number may become another's.
            self.outbox.descriptor = -1
            if self._waiting is not None:
                self._waiting.close()
        closing = self.outbox.closing
        if closing is not None:
            self.ended = {1000: "left", 1001: "left", 4008: "flood", 4009: "slow", 4010: "no-room"}.get(
                closing[0], "closed"
            )

    async def _move(self) -> None:
        """Read and write until the connection ends."""
        async with trio.open_nursery() as moving:
            moving.start_soon(self._write, moving.cancel_scope)
            try:
                with self._reading:
                    await self._read()
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                moving.cancel_scope.cancel()

    # Reading

    async def _read(self) -> None:
        """Read until the connection ends; raises when nothing more can be written either."""
        await self._take()  # what came right behind the request head
        while self._protocol.close_rcvd is None:
            await (self._receive() if self._turns is None else self._watch(self._turns))
            if self._hung_up:
                self._protocol.receive_eof()
                raise trio.BrokenResourceError("the client hung up")
            await self._take()
        self._protocol_out()

    async def _receive(self) -> None:
        """Wait for bytes."""
        data = bytes(await self._stream.receive_some(bounds.READ_BYTES))
        self._heard_at = trio.current_time()
        self._hung_up = not data
        self._cutter.feed(data)

    async def _watch(self, turns: Turns) -> None:
        """Let turns read and handle what comes, until there is something that they cannot."""
        assert isinstance(self._stream, trio.SocketStream)
        descriptor = self._stream.socket.fileno()
        if descriptor < 0:
            raise trio.ClosedResourceError
        self._called = trio.Event()
        turns.watch(descriptor, self)
        try:
            await self._called.wait()
        finally:
            turns.forget(descriptor)
        if self._error is not None:
            raise self._error

    def arrived(self, data: bytes, now: float) -> bool:
        """Handle what a turn has read; False when nothing more may be read before the connection's task has gone on."""
        self._heard_at = now
        self._hung_up = not data
        self._cutter.feed(data)
        if not self._hung_up and self._take_now() and self._protocol.close_rcvd is None:
            return True
        self._called.set()
        return False

    def answer(self) -> None:
        """Whoever asked is answered at once, before others are told of it."""
        self.outbox.flush()

    def failed(self, error: Exception) -> None:
        """A turn met this."""
        self._error = error
        self._called.set()

    async def _take(self) -> None:
        """Handle all that has come, and let others have their turn meanwhile."""
        while self._waiting is not None or not self._take_now():
            self.answer()
            if self._waiting is None:
                await trio.lowlevel.checkpoint()
                continue
            waiting, self._waiting = self._waiting, None
            # A message is handled to its end even if the connection breaks meanwhile, so that media and rooms agree.
            # It is bounded all the same: every request to a worker has a deadline.
            self._reading.shield = True
            try:
                self._push(await waiting)
            finally:
                self._reading.shield = False
        self.answer()

    def _take_now(self) -> bool:
        """Handle what has come; False when it is others' turn, or when what came last has to be waited for."""
        for _ in range(bounds.MESSAGES_PER_TURN):
            if self._events:
                self._on_frame(self._events.popleft())
            else:
                piece = self._cutter.piece(self.outbox.closing is None and not self._fragments)
                if piece is None:
                    return True
                data, is_text = piece
                if is_text:
                    self._on_text(data)
                else:
                    self._protocol.receive_data(data)
                    self._process()
            if self._waiting is not None:
                break
        return False

    def _process(self) -> None:
        """Take what the protocol has made of the bytes."""
        events = self._protocol.events_received()
        # What a client said before it closed is heard; once we are closing, it is not.
        client_closed = self._protocol.close_rcvd is not None and self.outbox.closing is None
        self._protocol_out()
        if self.outbox.closing is None or client_closed:
            self._events.extend(event for event in events if isinstance(event, Frame))

    def _protocol_out(self) -> None:
        """Queue what the protocol itself has to say: pongs, and a close frame with which it ends."""
        for data in self._protocol.data_to_send():
            if data:
                self.outbox.push_frame(data)
        if self._protocol.close_sent is not None:
            self.outbox.close(self._protocol.close_sent.code, self._protocol.close_sent.reason)

    def _on_frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.BINARY):
            self._first_opcode = frame.opcode
        elif frame.opcode is not Opcode.CONT:
            return
        self._fragments.append(bytes(frame.data))
        if self._first_opcode is Opcode.BINARY:
            self._fail(CloseCode.UNSUPPORTED_DATA, "only text frames are understood")
        elif len(self._fragments) > bounds.MAX_FRAGMENTS:
            self._fail(CloseCode.MESSAGE_TOO_BIG, "too many fragments")
        elif frame.fin:
            message = b"".join(self._fragments)
            self._fragments.clear()
            self._on_text(message)

    def _on_text(self, message: bytes) -> None:
        try:
            text = message.decode()
        except UnicodeDecodeError:
            self._fail(CloseCode.INVALID_DATA, "a text frame is not UTF-8")
            return
        self.received += 1
        answer = self._session.handle(text)
        if answer is None or isinstance(answer, bytes):
            self._push(answer)
        else:
            self._waiting = answer

    def _push(self, answer: Answer) -> None:
        if answer is not None:
            self.outbox.push(answer)

    def _fail(self, code: CloseCode, reason: str) -> None:
        self._fragments.clear()
        if self._protocol.state is OPEN:
            self._protocol.fail(code, reason)
        self._protocol_out()

    # Writing

    async def _write(self, scope: trio.CancelScope) -> None:
        try:
            while True:
                if batch := self.outbox.take(bounds.WRITE_BATCH_BYTES):
                    await self._stream.send_all(batch)
                elif self.outbox.closing is None:
                    await self.outbox.wait()
                elif self._protocol.close_sent is None:
                    self._say_close(*self.outbox.closing)
                else:
                    break
            if self._protocol.eof_sent and isinstance(self._stream, trio.SocketStream):
                await self._stream.send_eof()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            scope.cancel()

    def _say_close(self, code: int, reason: str) -> None:
        try:
            self._protocol.send_close(code, reason)
        except ProtocolError:  # a code or reason that cannot be spelt
            self._protocol.send_close(CloseCode.INTERNAL_ERROR)
        self._protocol_out()

    async def _keep_alive(self) -> None:
        """Ping at intervals, hang up on who is silent, close who stays in no room; once it is closing, bound how long
        that may take.
        """
        in_room_at = trio.current_time()
        ping_at = in_room_at + bounds.PING_INTERVAL_S
        while True:
            silent_at = self._heard_at + bounds.SILENCE_S
            with trio.move_on_at(min(ping_at, silent_at, in_room_at + self._join_deadline_s)):
                await self.outbox.closing_begun.wait()
                self._scope.deadline = trio.current_time() + bounds.CLOSE_S
                return
            now = trio.current_time()
            if now >= self._heard_at + bounds.SILENCE_S:
                self.ended = "silent"
                self._scope.cancel()
                return
            if self._session.peer is not None:
                in_room_at = now
            elif now >= in_room_at + self._join_deadline_s:
                self.outbox.close(bounds.CLOSE_NO_ROOM, "join a room, or close")
            if now >= ping_at:
                ping_at = now + bounds.PING_INTERVAL_S
                if self._protocol.state is OPEN:
                    self._protocol.send_ping(b"")
                    self._protocol_out()


def _select_subprotocol(protocol: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Choose the entry that carries a token. RFC 6455 has it answered as it was offered: browsers hang up otherwise."""
    return next((entry for entry in offered if entry.startswith(BEARER_PREFIX)), None)
