"""What waits to be sent to one WebSocket client: bounded, and closed when the client does not read."""

from __future__ import annotations

import trio

from simplestchat._native.io.frames import FrameQueue, Owed

from .bounds import CLOSE_SLOW_READER


class Outbox(FrameQueue):
    """A queue of frames, whose writer is the connection's own task. `push` and `close` never wait."""

    def __init__(self, max_messages: int, max_bytes: int, owed: Owed | None = None) -> None:
        """``owed`` has it from when something waits until it is delivered; without it all is sent at once."""
        super().__init__(max_messages, max_bytes, owed)
        self._wake = trio.Event()
        self.closing_begun = trio.Event()

    def hand_over(self) -> None:
        """The socket is full, or there is none: the writer's turn."""
        self._wake.set()

    def overflow(self) -> None:
        """The client lets too much wait."""
        self.close(CLOSE_SLOW_READER, "too slow in reading")

    def close(self, code: int, reason: str) -> None:
        """Close the connection after what is queued; the first call decides the code."""
        self.end(code, reason)
        self.closing_begun.set()
        self._wake.set()

    async def wait(self) -> None:
        """Return when there is something for the writer to send, or to close."""
        await self._wake.wait()

    def take(self, size: int) -> bytes:
        """Return about `size` bytes of whole frames to the writer; nothing when it has no turn any more."""
        batch = super().take(size)
        if self.empty and self.closing is None and self._wake.is_set():
            self._wake = trio.Event()
        return batch
