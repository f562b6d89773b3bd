"""The node's own clock."""

from __future__ import annotations

import pytest
import trio

from simplestchat.config import Settings
from simplestchat.server import node


class Broken:
    """A hub with a bug in its time."""

    def __init__(self) -> None:
        self.ticks = 0
        self.ticked = trio.Event()

    def tick(self) -> None:
        self.ticks += 1
        if self.ticks == 3:
            self.ticked.set()
        raise ValueError("a bug in one room")


def test_time_goes_on_after_a_tick_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(node, "TICK_S", 0.001)
    one, hub = node.Node(Settings()), Broken()
    monkeypatch.setattr(one, "_hub", hub, raising=False)

    async def main() -> None:
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(one._tick)
                await hub.ticked.wait()
                nursery.cancel_scope.cancel()

    trio.run(main)
