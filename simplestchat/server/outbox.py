"""What waits to be sent to one WebSocket client: bounded, and closed when the client does not read."""

from __future__ import annotations

from collections import deque

import trio

from .bounds import CLOSE_SLOW_READER

_TEXT_FIN = 0x81
_LENGTH_16, _LENGTH_64 = 126, 127


def text_frame_header(size: int) -> bytes:
    """Return the header of an unmasked, unfragmented text frame (RFC 6455 section 5.2)."""
    if size < _LENGTH_16:
        return bytes((_TEXT_FIN, size))
    if size < 1 << 16:
        return bytes((_TEXT_FIN, _LENGTH_16)) + size.to_bytes(2, "big")
    return bytes((_TEXT_FIN, _LENGTH_64)) + size.to_bytes(8, "big")


class Outbox:
    """A queue of frames. `push` and `close` never wait: they are called for every member of a room in a row."""

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._wake = trio.Event()
        self.closing: tuple[int, str] | None = None
        """The close code and reason, once the connection is to be closed."""
        self.closing_begun = trio.Event()
        self.sent = 0
        """Messages taken for sending or waiting for it."""

    def push(self, message: bytes) -> None:
        """Queue a text message. A client that lets too many of them wait is closed."""
        if self.closing is not None:
            return
        # A message of any size may wait alone: a snapshot of a full room is one.
        if self._frames and (len(self._frames) >= self._max_messages or self._bytes + len(message) > self._max_bytes):
            self._frames.clear()
            self._bytes = 0
            self.close(CLOSE_SLOW_READER, "too slow in reading")
            return
        self.sent += 1
        self._append(text_frame_header(len(message)) + message)

    def push_frame(self, frame: bytes) -> None:
        """Queue a whole frame of the protocol's own: ping, pong, close. An excess of them closes, and is not kept."""
        if len(self._frames) >= self._max_messages:
            self.close(CLOSE_SLOW_READER, "too slow in reading")
            return
        self._append(frame)

    def close(self, code: int, reason: str) -> None:
        """Close the connection after what is queued; the first call decides the code."""
        if self.closing is None:
            self.closing = (code, reason)
            self.closing_begun.set()
        self._wake.set()

    async def wait(self) -> None:
        """Return when there is something to send or to close."""
        await self._wake.wait()

    def take(self, size: int) -> bytes:
        """Return about `size` bytes of whole frames; nothing when the queue is empty."""
        if len(self._frames) <= 1:
            batch = self._frames.popleft() if self._frames else b""
        else:
            parts = []
            while self._frames and size > 0:
                parts.append(self._frames.popleft())
                size -= len(parts[-1])
            batch = b"".join(parts)
        self._bytes -= len(batch)
        if not self._frames and self.closing is None:
            self._wake = trio.Event()
        return batch

    def _append(self, frame: bytes) -> None:
        self._frames.append(frame)
        self._bytes += len(frame)
        self._wake.set()
