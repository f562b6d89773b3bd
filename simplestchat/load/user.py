"""A synthetic user: comes when the plan says so, stays, goes, and comes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import trio

from simplestchat.load.client import Client, RequestFailed
from simplestchat.load.lines import ConnectFailed
from simplestchat.load.results import Record
from simplestchat.load.stay import Stay
from simplestchat.signaling.notices import Notice
from simplestchat.signaling.requests import RoomJoin, TransportCreate

if TYPE_CHECKING:
    from simplestchat.load.world import World

LURK_S = 2.0  # how long a refused stranger listens


class User:
    """One user over all of its visits; ``stay`` is the latest."""

    __slots__ = ("_plan", "_world", "record", "stay")

    def __init__(self, world: World, index: int) -> None:
        self._world = world
        self._plan = world.user_plan(index)
        self.record = world.records[index] = Record(index, self._plan.room)
        self.stay: Stay | None = None

    async def run(self) -> None:
        """Everything that the plan has for it; a fault of ours ends this user alone."""
        try:
            for visit in self._plan.visits:
                await self._world.sleep_until(visit.begin_s)
                if self._world.silent:
                    return
                self.stay = Stay(self._world, self._plan, visit, self.record)
                await self.stay.run()
        except Exception as error:
            self._world.broken(error, self._plan.index)


class Stranger:
    """Somebody who is not let in, and to whom nothing may be told."""

    def __init__(self, world: World, number: int) -> None:
        self._world = world
        self._room, self._at_s = world.plan.stranger_at_s(number)

    async def run(self) -> None:
        """Try, be refused, ask for media all the same, listen for a while."""
        world = self._world
        await world.sleep_until(self._at_s)
        client = Client(self, world.notices, world.tally)
        try:
            await client.open(world.lines, world.ws_url)
        except ConnectFailed as error:
            world.tally.fault("stranger-not-connected", detail=str(error))
            return
        await self._refusal(client, "room.join", RoomJoin(room=world.room(self._room).name, name="stranger"))
        await self._refusal(client, "transport.create", TransportCreate(direction="recv"))
        await trio.sleep(LURK_S)
        client.close()

    async def _refusal(self, client: Client, method: str, params: object) -> None:
        try:
            await client.call(method, params)
        except RequestFailed as error:
            if error.reason in ("room_locked", "not_in_room"):
                self._world.tally.add("refusals")
            else:
                self._world.tally.fault(f"stranger-{error.reason}", detail=str(error))
        else:
            self._world.tally.fault("stranger-admitted", detail=method)

    def on_notice(self, notice: Notice, _seq: int) -> None:
        """Nothing of a room may be told to a stranger."""
        if notice.method != "server.draining":
            self._world.tally.fault("unexpected-notice", detail=notice.method)

    def on_lost(self, why: str) -> None:
        """Strangers may be hung up on."""
