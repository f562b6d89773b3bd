"""One HTTP/1.1 connection: request heads through h11, then the WebSocket or the ASGI application.

Everything a stranger can do wrong ends here: half and malformed requests, trickles, oversize heads, ambiguous
lengths. h11 decides what a head means; a request that it allows but that two programs could read differently
(a length beside chunks, a body behind an upgrade) is refused.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import h11
import trio

from simplestchat.errors import InvalidRequest, PeerFault, TooLarge

from . import bounds, problems
from .asgi import Application, Exchange, phrase
from .websocket import Stream

Upgrade = Callable[["Head", bytes], Awaitable[None]]
WEBSOCKET_PATH = b"/ws"


@dataclass(frozen=True, slots=True)
class Head:
    """A request head as h11 has understood it; header names are lower case."""

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    http_version: bytes

    def all(self, name: bytes) -> list[bytes]:
        """Return every value of a header."""
        return [value for key, value in self.headers if key == name]

    def one(self, name: bytes) -> bytes | None:
        """Return the only value of a header; None when there is none or more than one."""
        values = self.all(name)
        return values[0] if len(values) == 1 else None

    @property
    def path(self) -> bytes:
        """The target without its query."""
        return self.target.partition(b"?")[0]

    @property
    def wants_websocket(self) -> bool:
        """Whether it asks for an upgrade to a WebSocket."""
        return any(b"websocket" in value.lower() for value in self.all(b"upgrade"))


class BadRequest(Exception):
    """A request that is answered with an error and the end of the connection."""

    def __init__(self, status: int, error: PeerFault, retry_after_s: float = 0) -> None:
        super().__init__(error.message)
        self.status = status
        self.error = error
        self.retry_after_s = retry_after_s


class HttpConnection:
    """Serves the requests of one connection, one after the other."""

    def __init__(
        self,
        stream: Stream,
        application: Application,
        upgrade: Upgrade,
        *,
        scheme: str,
        address: str,
        check: Callable[[Head], None],
        draining: Callable[[], bool],
    ) -> None:
        """`check` raises BadRequest for a request that may not go on."""
        self._stream = stream
        self._application = application
        self._upgrade = upgrade
        self._scheme = scheme
        self._address = address
        self._check = check
        self._draining = draining
        self._h11 = h11.Connection(h11.SERVER, max_incomplete_event_size=bounds.MAX_HEAD_BYTES)

    async def serve(self) -> None:
        """Serve until either side has had enough."""
        try:
            for count in range(bounds.MAX_REQUESTS):
                head = await self._next_head(first=count == 0)
                if head is None:
                    return
                self._check(head)
                if head.path == WEBSOCKET_PATH:
                    await self._to_websocket(head)
                    return
                last = self._draining() or count == bounds.MAX_REQUESTS - 1
                await self._exchange(head, last)
                if last or self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
                    break
                self._h11.start_next_cycle()
            await self._linger()
        except BadRequest as refusal:
            await self._refuse(refusal)

    # Reading

    async def _next_head(self, *, first: bool) -> Head | None:
        """Return the next head; None when the client has gone or keeps quiet between two requests."""
        try:
            if not first and not self._h11.trailing_data[0]:
                with trio.move_on_after(bounds.KEEP_ALIVE_S) as quiet:
                    self._h11.receive_data(bytes(await self._stream.receive_some(bounds.READ_BYTES)))
                if quiet.cancelled_caught:
                    return None
            with trio.move_on_after(bounds.HEAD_S):
                event = await self.next_event()
                return None if isinstance(event, h11.ConnectionClosed) else _checked(event)
            raise BadRequest(408, InvalidRequest("The request did not arrive in time."))
        except h11.RemoteProtocolError as exc:
            if exc.error_status_hint == 431:
                raise BadRequest(431, TooLarge("The request head is too large.")) from None
            raise BadRequest(exc.error_status_hint, InvalidRequest("This is no HTTP request.")) from None

    async def next_event(self) -> h11.Event | type[h11.PAUSED]:
        """Return what h11 finds next, reading as much as it takes."""
        while True:
            event = self._h11.next_event()
            if event is not h11.NEED_DATA:
                return event  # type: ignore[return-value]
            self._h11.receive_data(bytes(await self._stream.receive_some(bounds.READ_BYTES)))

    # Answering

    async def _exchange(self, head: Head, last: bool) -> None:
        exchange = Exchange(self._h11, self._stream, self.next_event, address=self._address, last=last)
        await exchange.run(self._application, head.method, head.target, head.headers, head.http_version, self._scheme)

    async def _to_websocket(self, head: Head) -> None:
        if not head.wants_websocket:
            raise BadRequest(426, InvalidRequest("This path serves WebSockets only."))
        if head.one(b"sec-websocket-version") != b"13":
            raise BadRequest(426, InvalidRequest("This path speaks WebSocket version 13."))
        if head.all(b"transfer-encoding") or head.one(b"content-length") not in (None, b"0"):
            raise BadRequest(400, InvalidRequest("An upgrade request has no body."))
        await self._upgrade(head, bytes(self._h11.trailing_data[0]))

    async def _refuse(self, refusal: BadRequest) -> None:
        """Send an error, if the connection is still in a state for it, and hang up."""
        if self._h11.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            body = problems.body(refusal.error)
            headers = [
                ("content-type", "application/json"),
                ("content-length", str(len(body))),
                ("connection", "close"),
                ("x-content-type-options", "nosniff"),
            ]
            if refusal.retry_after_s:
                headers.append(("retry-after", str(math.ceil(refusal.retry_after_s))))
            if refusal.status == 426:
                headers += [("upgrade", "websocket"), ("sec-websocket-version", "13")]
            response = h11.Response(status_code=refusal.status, headers=headers, reason=phrase(refusal.status))
            data = b"".join(filter(None, (self._h11.send(response), self._h11.send(h11.Data(data=body)))))
            with trio.move_on_after(bounds.WRITE_S):
                await self._stream.send_all(data)
        await self._linger()

    async def _linger(self) -> None:
        """Read on for a moment: closing with unread bytes would reset the connection and lose the answer."""
        if isinstance(self._stream, trio.SocketStream):
            await self._stream.send_eof()
        unread = bounds.MAX_LINGER_BYTES
        with trio.move_on_after(bounds.LINGER_S):
            while unread > 0 and (data := await self._stream.receive_some(bounds.READ_BYTES)):
                unread -= len(data)


def _checked(event: object) -> Head:
    if not isinstance(event, h11.Request):
        raise BadRequest(400, InvalidRequest("This is no HTTP request."))
    head = Head(bytes(event.method), bytes(event.target), tuple(event.headers), bytes(event.http_version))
    if head.http_version not in (b"1.0", b"1.1"):
        raise BadRequest(505, InvalidRequest("The server speaks HTTP/1.1."))
    # h11 bounds a head that has not arrived whole; one that has is bounded here.
    size = len(head.target) + sum(len(name) + len(value) for name, value in head.headers)
    if size > bounds.MAX_HEAD_BYTES or len(head.headers) > bounds.MAX_HEADERS:
        raise BadRequest(431, TooLarge("The request head is too large."))
    if head.all(b"transfer-encoding") and (head.all(b"content-length") or head.http_version < b"1.1"):
        raise BadRequest(400, InvalidRequest("The length of the request is ambiguous."))
    if not head.target.startswith(b"/"):
        raise BadRequest(400, InvalidRequest("The request target must be a path."))
    return head
