"""Runs an ASGI 3 application for one request, on h11 and a trio stream."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, TypeAlias
from urllib.parse import unquote_to_bytes

import h11
import structlog
import trio

from . import bounds
from .websocket import Stream

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Application: TypeAlias = Callable[[Message, Receive, Send], Awaitable[None]]

log = structlog.get_logger()


class Exchange:
    """One request and its response."""

    def __init__(
        self,
        connection: h11.Connection,
        stream: Stream,
        next_event: Callable[[], Awaitable[h11.Event | type[h11.PAUSED]]],
        *,
        address: str,
        last: bool,
    ) -> None:
        self._h11 = connection
        self._stream = stream
        self._next_event = next_event
        self._address = address
        self._last = last
        self._read = 0
        self._body_deadline_s = trio.current_time() + bounds.BODY_S
        self._whole = False
        self._bodiless = False
        self._start: Message | None = None

    async def run(
        self,
        application: Application,
        method: bytes,
        target: bytes,
        headers: tuple[tuple[bytes, bytes], ...],
        http_version: bytes,
        scheme: str,
    ) -> None:
        """Let the application answer; one that fails before it has begun to is answered for with 500."""
        path, _, query = target.partition(b"?")
        self._bodiless = method == b"HEAD"
        scope: Message = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": http_version.decode("ascii"),
            "method": method.decode("ascii"),
            "scheme": scheme,
            "path": unquote_to_bytes(path).decode("utf-8", "replace"),
            "raw_path": path,
            "query_string": query,
            "root_path": "",
            "client": (self._address, 0),
            "headers": list(headers),
        }
        try:
            await application(scope, self._receive, self._send)
        except (trio.BrokenResourceError, trio.ClosedResourceError, h11.RemoteProtocolError):
            raise
        except Exception:
            log.exception("request failed")
            if self._h11.our_state is h11.SEND_RESPONSE:
                await self._respond(500, [(b"content-length", b"0"), (b"connection", b"close")])
                await self._write(h11.EndOfMessage())
        if self._h11.our_state is h11.DONE and self._h11.their_state is h11.SEND_BODY:
            await self._skip_body()

    async def _receive(self) -> Message:
        """Give the application a part of the body; it is told of a disconnect when that is too long or too late."""
        if self._whole:
            return {"type": "http.disconnect"}
        if self._h11.they_are_waiting_for_100_continue:
            await self._write(h11.InformationalResponse(status_code=100, headers=[]))
        with trio.move_on_at(self._body_deadline_s):
            # One part may cross the bound, so that the application can tell what is wrong; no more is read.
            event = await self._next_event() if self._read <= bounds.MAX_BODY_BYTES else None
            if isinstance(event, h11.Data):
                self._read += len(event.data)
                return {"type": "http.request", "body": bytes(event.data), "more_body": True}
            if isinstance(event, h11.EndOfMessage):
                self._whole = True
                return {"type": "http.request", "body": b"", "more_body": False}
        self._whole = True
        return {"type": "http.disconnect"}

    async def _send(self, message: Message) -> None:
        """Take a part of the response. Its start waits for the first part of the body: both leave in one packet."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        data = b""
        if self._start is not None:
            headers = [(bytes(name), bytes(value)) for name, value in self._start["headers"]]
            data, self._start = self._head(self._start["status"], headers), None
        body = b"" if self._bodiless else message.get("body", b"")
        if body:
            data += self._h11.send(h11.Data(data=body)) or b""
        if not message.get("more_body", False):
            data += self._h11.send(h11.EndOfMessage()) or b""
        await self._send_all(data)

    def _head(self, status: int, headers: list[tuple[bytes, bytes]]) -> bytes:
        headers = [*headers, (b"date", formatdate(usegmt=True).encode())]
        if self._last:
            headers.append((b"connection", b"close"))
        return self._h11.send(h11.Response(status_code=status, headers=headers, reason=phrase(status))) or b""

    async def _respond(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        await self._send_all(self._head(status, headers))

    async def _write(self, event: h11.Event) -> None:
        await self._send_all(self._h11.send(event) or b"")

    async def _send_all(self, data: bytes) -> None:
        with trio.move_on_after(bounds.WRITE_S):
            await self._stream.send_all(data)
            return
        raise trio.BrokenResourceError("the client does not read its response")

    async def _skip_body(self) -> None:
        """Read what is left of a short body that the application did not want, so that the connection can go on."""
        if self._h11.they_are_waiting_for_100_continue:
            return
        with trio.move_on_after(bounds.LINGER_S):
            while self._read <= bounds.MAX_BODY_BYTES:
                event = await self._next_event()
                if not isinstance(event, h11.Data):
                    return
                self._read += len(event.data)


def phrase(status: int) -> bytes:
    """Return the reason phrase of a status line."""
    try:
        return HTTPStatus(status).phrase.encode("ascii")
    except ValueError:
        return b""
