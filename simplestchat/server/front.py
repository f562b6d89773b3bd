"""Every accepted connection, from TCP to the end: admission, TLS, HTTP, WebSocket. Nothing escapes from here."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Literal, Protocol
from urllib.parse import unquote_to_bytes

import structlog
import trio

from simplestchat.config import Settings
from simplestchat.errors import Draining, Forbidden, RateLimited
from simplestchat.metrics import Metrics

from . import bounds
from .admission import Admission, Refused, from_this_machine, site
from .asgi import Application
from .delivery import Delivery
from .http import BadRequest, Head, HttpConnection
from .origin import origin_allowed
from .outbox import Outbox
from .rates import Rates
from .turns import Turns
from .websocket import SessionLike, Stream, WebSocket

log = structlog.get_logger()

_HEALTH = (b"/healthz", b"/readyz")
_ROOMS = b"/api/rooms"
_STATS = b"/stats"
_GONE = (trio.BrokenResourceError, trio.ClosedResourceError, OSError)
_FULL = b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 2\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


class Session(SessionLike, Protocol):
    """What a connection needs of `signaling`'s session."""

    async def closed(self, ending: Literal["lost", "left"]) -> None:
        """The connection is over."""
        ...


SessionFactory = Callable[[Outbox, str | None, str], Session]


class Front:
    """Serves connections until it is cancelled."""

    def __init__(
        self,
        settings: Settings,
        context: ssl.SSLContext | None,
        application: Application,
        sessions: SessionFactory,
        metrics: Metrics,
    ) -> None:
        self._settings = settings
        self._context = context
        self._application = application
        self._sessions = sessions
        self._metrics = metrics
        self._admission = Admission(
            settings.connections.max_connections, settings.connections.max_connections_per_address
        )
        limits = settings.connections
        self._requests = Rates(limits.http_burst, limits.http_rate, trio.current_time)
        self._rooms_made = Rates(limits.room_burst, limits.room_rate / 60, trio.current_time)
        self._delivery = Delivery()
        self._turns = Turns(self._delivery)
        self._sockets: set[WebSocket] = set()
        self._received = self._sent = 0  # by those that have ended
        self._nobody = trio.Event()
        self.draining = False
        metrics.watch_connections(lambda: self._admission.open)
        metrics.websockets.set_function(lambda: len(self._sockets))
        metrics.watch_messages(
            lambda: self._received + sum(socket.received for socket in self._sockets),
            lambda: self._sent + sum(socket.outbox.sent for socket in self._sockets),
        )

    @property
    def scheme(self) -> str:
        """The scheme of our URLs."""
        return "http" if self._context is None else "https"

    async def handle(self, stream: trio.SocketStream) -> None:
        """Serve one accepted connection; never raises but for cancellation."""
        try:
            address = str(stream.socket.getpeername()[0])
            with self._admission.place(address):
                await self._serve(stream, address)
        except Refused:
            self._metrics.connections_refused.inc()
            if self._context is None:
                with trio.move_on_after(bounds.LINGER_S):
                    await _quietly_send(stream, _FULL)
        except _GONE:
            pass
        except Exception:
            log.exception("connection failed")
        finally:
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(stream)

    async def move(self) -> None:
        """Read what clients say and send what they are owed, until cancelled."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._delivery.run)
            nursery.start_soon(self._turns.run)

    async def empty(self) -> None:
        """Return when no WebSocket is open."""
        while self._sockets:
            self._nobody = trio.Event()
            await self._nobody.wait()

    def close_all(self, code: int, reason: str) -> None:
        """Begin to close every WebSocket."""
        for socket in list(self._sockets):
            socket.outbox.close(code, reason)

    async def _serve(self, transport: trio.SocketStream, address: str) -> None:
        stream: Stream = transport
        if self._context is not None:
            secure = trio.SSLStream(transport, self._context, server_side=True, https_compatible=True)
            with trio.move_on_after(bounds.TLS_HANDSHAKE_S) as limit:
                await secure.do_handshake()
            if limit.cancelled_caught:
                return
            stream = secure
        await HttpConnection(
            stream,
            self._application,
            lambda head, trailing: self._websocket(stream, head, trailing, address),
            scheme=self.scheme,
            address=address,
            check=lambda head: self._check_rate(head, address),
            draining=lambda: self.draining,
        ).serve()
        if isinstance(stream, trio.SSLStream):
            with trio.move_on_after(bounds.LINGER_S):
                await stream.aclose()

    async def _websocket(self, stream: Stream, head: Head, trailing: bytes, address: str) -> None:
        """Serve an upgrade request."""
        self._check_origin(head)
        if self.draining:
            raise BadRequest(503, Draining())
        limits = self._settings.connections
        outbox = Outbox(limits.max_queue_messages, limits.max_queue_bytes, self._delivery.owed)
        websocket = WebSocket(stream, outbox, limits.join_deadline, self._turns)
        if not await websocket.accept(head.target, head.headers, trailing):
            return
        own = from_this_machine(address, (name.decode("latin-1") for name, _ in head.headers))
        session = self._sessions(outbox, websocket.token, "" if own else site(address))
        self._sockets.add(websocket)
        try:
            await websocket.run(session)
        finally:
            self._sockets.discard(websocket)
            self._received += websocket.received
            self._sent += outbox.sent
            with trio.CancelScope(shield=True):
                await session.closed("left" if websocket.page_left else "lost")
            self._metrics.websockets_ended.labels(websocket.ended).inc()
            if not self._sockets:
                self._nobody.set()

    def _check_rate(self, head: Head, address: str) -> None:
        """Refuse a request of an address that sends too many, or makes too many rooms."""
        path = unquote_to_bytes(head.path)
        if path in _HEALTH:
            return
        walks_much = path == _ROOMS or (path.startswith(_ROOMS) and path.endswith(_STATS))
        costly = walks_much and head.method in (b"GET", b"HEAD")
        wait_s = self._requests.take(address, bounds.LISTING_COST if costly else 1)
        if not wait_s and path == _ROOMS and head.method == b"POST":
            wait_s = self._rooms_made.take(address)
        if wait_s:
            self._metrics.http_throttled.inc()
            raise BadRequest(429, RateLimited("Too many requests from your address. Wait before the next one."), wait_s)

    def _check_origin(self, head: Head) -> None:
        origins = head.all(b"origin")
        host = (head.one(b"host") or b"").decode("latin-1")
        origin = origins[0].decode("latin-1") if origins else None
        if len(origins) > 1 or not origin_allowed(origin, host, self._settings.web.allowed_origins):
            self._metrics.origins_refused.inc()
            refusal = "Pages of this origin may not connect; see the setting allowed-origins."
            raise BadRequest(403, Forbidden(refusal))


async def _quietly_send(stream: trio.SocketStream, data: bytes) -> None:
    try:
        await stream.send_all(data)
        await stream.send_eof()
        while await stream.receive_some(bounds.READ_BYTES):
            pass
    except _GONE:
        return
