"""The node's end of a worker's control channel: requests that wait for their answer, and events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import trio

from simplestchat.errors import MediaError, MediaFull, MediaMisuse, MediaRejected, MediaUnavailable

from .wire import EVENT, FAILURE, REPLY, Call, ChannelError, FrameReader, encode_call

#: A worker answers within a turn of its loop; one that takes this long is stuck.
REQUEST_TIMEOUT_S = 5.0
#: More requests than this without an answer mean a stuck worker, too.
MAX_PENDING = 65536
_READ_BYTES = 65536
_FAULTS: dict[str, type[MediaError]] = {"peer": MediaRejected, "limit": MediaFull, "misuse": MediaMisuse}


class Answer:
    """What a worker says to a request, or will say; any number of tasks may wait for it."""

    __slots__ = ("_done", "_error", "_result")

    def __init__(self) -> None:
        self._done = trio.Event()
        self._result: Any = None
        self._error: MediaError | None = None

    def settle(self, result: Any, error: MediaError | None = None) -> None:
        """Let it be this."""
        self._result, self._error = result, error
        self._done.set()

    async def wait(self) -> Any:
        """Return the result; raises a MediaError."""
        with trio.move_on_after(REQUEST_TIMEOUT_S):
            await self._done.wait()
        if not self._done.is_set():
            raise MediaUnavailable
        if self._error is not None:
            raise self._error
        return self._result


class ControlChannel:
    """Requests to one worker. They are written in the order of the calls; a cancelled call is still carried out."""

    def __init__(self, stream: trio.abc.Stream, reader: FrameReader, on_event: Callable[[list[Any]], None]) -> None:
        self._stream = stream
        self._reader = reader
        self._on_event = on_event
        self._pending: dict[int, Answer] = {}
        self._outgoing: deque[bytes] = deque()
        self._wake = trio.Event()
        self._last_id = 0
        self._closed = False

    async def request(self, call: Call) -> Any:
        """Send `call` and return its result; raises a MediaError."""
        return await self.post(call).wait()

    def post(self, call: Call) -> Answer:
        """Send `call` behind all others, at once; its answer may be waited for."""
        answer = Answer()
        if self._closed or len(self._pending) >= MAX_PENDING:
            answer.settle(None, MediaUnavailable())
        else:
            self._pending[self._send(call)] = answer
        return answer

    def tell(self, call: Call) -> None:
        """Send `call` behind all others, and ignore its answer."""
        if not self._closed:
            self._send(call)

    def _send(self, call: Call) -> int:
        self._last_id += 1
        self._outgoing.append(encode_call(self._last_id, call))
        self._wake.set()
        return self._last_id

    async def run(self) -> None:
        """Move bytes until the worker hangs up or breaks the rules; then every waiting request fails."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write)
                await self._read()
                nursery.cancel_scope.cancel()
        finally:
            self._closed = True
            for answer in self._pending.values():
                answer.settle(None, MediaUnavailable())
            self._pending.clear()
            self._outgoing.clear()
            with trio.CancelScope(shield=True):
                await trio.aclose_forcefully(self._stream)

    async def _write(self) -> None:
        try:
            while True:
                await self._wake.wait()
                self._wake = trio.Event()
                batch = b"".join(self._outgoing)
                self._outgoing.clear()
                await self._stream.send_all(batch)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return  # the reader notices the end, too

    async def _read(self) -> None:
        try:
            while data := await self._stream.receive_some(_READ_BYTES):
                for message in self._reader.feed(bytes(data)):
                    self._dispatch(message)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return

    def _dispatch(self, message: list[Any]) -> None:
        match message:
            case [int(kind), *event] if kind == EVENT:
                self._on_event(event)
            case [int(kind), int(request_id), result] if kind == REPLY:
                self._finish(request_id, result, None)
            case [int(kind), int(request_id), {"code": str(code), "message": str(text)}] if kind == FAILURE:
                # What a worker says about its own faults is for the log, not for clients.
                error = _FAULTS[code](text) if code in _FAULTS else MediaUnavailable()
                self._finish(request_id, None, error)
            case _:
                raise ChannelError("a control message has an unknown shape")

    def _finish(self, request_id: int, result: Any, error: MediaError | None) -> None:
        answer = self._pending.pop(request_id, None)
        if answer is not None:  # else nobody wants to know
            answer.settle(result, error)
