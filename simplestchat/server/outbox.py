"""What waits to be sent to one WebSocket client: bounded, and closed when the client does not read."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TypeAlias

import trio

from .bounds import CLOSE_SLOW_READER, WRITE_BATCH_BYTES

_TEXT_FIN = 0x81
_LENGTH_16, _LENGTH_64 = 126, 127

Write: TypeAlias = Callable[[bytes], int]
"""Gives bytes to a socket without waiting; says how many it took, or raises OSError."""


def text_frame_header(size: int) -> bytes:
    """Return the header of an unmasked, unfragmented text frame (RFC 6455 section 5.2)."""
    if size < _LENGTH_16:
        return bytes((_TEXT_FIN, size))
    if size < 1 << 16:
        return bytes((_TEXT_FIN, _LENGTH_16)) + size.to_bytes(2, "big")
    return bytes((_TEXT_FIN, _LENGTH_64)) + size.to_bytes(8, "big")


class _Framer:
    """Makes messages frames. A server's frames are not masked, so all members of a room get the same object."""

    def __init__(self) -> None:
        self._message = self._frame = b""

    def frame(self, message: bytes) -> bytes:
        """The text frame of a message; the latest one is kept, for it is asked for once for each member of a room."""
        if message is not self._message:
            self._message, self._frame = message, text_frame_header(len(message)) + message
        return self._frame


_frame = _Framer().frame


class Outbox:
    """A queue of frames. `push` and `close` never wait: they are called for every member of a room in a row.

    What is pushed is sent by `flush`, straight to the socket while that takes everything. Once it does not, or where
    there is no `write` (TLS), the writer has the turn: the connection's own task, which is woken, takes what there is
    until nothing is left, and may wait for the socket meanwhile.
    """

    def __init__(self, max_messages: int, max_bytes: int, owe: Callable[[Outbox], None] | None = None) -> None:
        """``owe`` is told when something waits, once until it calls ``deliver``; without it all is sent at once."""
        self._max_messages = max_messages
        self._max_bytes = max_bytes
        self._owe = owe or Outbox.deliver
        self._owed = False
        self._frames: deque[bytes] = deque()
        self._bytes = 0
        self._rest = b""
        """Of a batch that was sent in part; it is no longer in the queue, and never forgotten."""
        self._writers_turn = False
        self._wake = trio.Event()
        self.write: Write | None = None
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
        self._append(_frame(message))

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

    def deliver(self) -> bool:
        """Do what ``owe`` was told of; False as ``flush``."""
        self._owed = False
        return self.flush()

    def flush(self) -> bool:
        """Send what there is, without waiting; False when the writer had to be woken for it."""
        while self._frames and not self._writers_turn:
            if self.write is None:
                self._hand_over(b"")
                return False
            batch = self._take(WRITE_BATCH_BYTES)
            try:
                taken = self.write(batch)
            except OSError:  # it is full, or gone; the writer finds out which
                taken = 0
            if taken < len(batch):
                self._hand_over(batch[taken:])
                return False
        return True

    async def wait(self) -> None:
        """Return when there is something for the writer to send, or to close."""
        await self._wake.wait()

    def take(self, size: int) -> bytes:
        """Return about `size` bytes of whole frames to the writer; nothing when it has no turn any more."""
        batch, self._rest = self._rest or self._take(size), b""
        self._writers_turn = bool(batch)
        if not self._frames and self.closing is None and self._wake.is_set():
            self._wake = trio.Event()
        return batch

    def _take(self, size: int) -> bytes:
        if len(self._frames) <= 1:
            batch = self._frames.popleft() if self._frames else b""
        else:
            parts = []
            while self._frames and size > 0:
                parts.append(self._frames.popleft())
                size -= len(parts[-1])
            batch = b"".join(parts)
        self._bytes -= len(batch)
        return batch

    def _hand_over(self, rest: bytes) -> None:
        self._rest = rest
        self._writers_turn = True
        self._wake.set()

    def _append(self, frame: bytes) -> None:
        self._frames.append(frame)
        self._bytes += len(frame)
        if not self._owed:
            self._owed = True
            self._owe(self)
