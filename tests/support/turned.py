"""A WebSocket over a real socket whose messages are handled in turns: the server's side and the client's end."""

from __future__ import annotations

from typing import Generic, TypeVar

import trio
import trio.testing
from support.frames import HEADERS

from simplestchat.server.outbox import Outbox
from simplestchat.server.turns import Turns
from simplestchat.server.websocket import SessionLike, WebSocket

JOIN_DEADLINE_S = 100.0

AnySession = TypeVar("AnySession", bound=SessionLike)


class TurnedConnection(Generic[AnySession]):
    """``over`` when the server's side has ended; ``error`` is what ended it, if that was no ordinary end."""

    def __init__(
        self,
        turns: Turns,
        ours: trio.SocketStream,
        client: trio.SocketStream,
        session: AnySession,
        outbox: Outbox | None = None,
    ) -> None:
        self.ours, self.client, self.session = ours, client, session
        self.outbox = outbox or Outbox(10_000, 100_000_000)
        self.websocket = WebSocket(ours, self.outbox, JOIN_DEADLINE_S, turns)
        self.over = trio.Event()
        self.error: BaseException | None = None

    async def begin(self, nursery: trio.Nursery) -> None:
        """Accept the client, and serve it until it is over."""
        assert await self.websocket.accept(b"/ws", HEADERS, b"")
        assert (await self.client.receive_some()).startswith(b"HTTP/1.1 101 ")
        nursery.start_soon(self._run)
        await trio.testing.wait_all_tasks_blocked()

    async def _run(self) -> None:
        try:
            await self.websocket.run(self.session)
        except Exception as error:
            self.error = error
        finally:
            await trio.aclose_forcefully(self.ours)
            self.over.set()

    async def hear(self, size: int) -> bytes:
        """So many bytes of what the server says."""
        received = b""
        while len(received) < size:
            received += await self.client.receive_some(size - len(received))
        return received
