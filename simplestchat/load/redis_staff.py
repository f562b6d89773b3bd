"""Generators on other machines: agents are found and claimed over Redis, and each part has a line through it."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial

import msgspec
import trio
from coredis import PureToken
from coredis.exceptions import RedisError

from simplestchat import __version__
from simplestchat.load import redis
from simplestchat.load.clocks import Course
from simplestchat.load.crew import CrewFailed, Member
from simplestchat.load.redis import AgentCard, Client, Hire, RedisLink

FIND_TIMEOUT_S = 30.0
GOODBYE_S = 2.0


class RedisStaff:
    """The generators of ``agents`` machines; ``processes`` on each, 0: as many as an agent offers."""

    def __init__(self, url: str, agents: int, processes: int, say: Callable[[str], None]) -> None:
        self._url = url
        self._agents = agents
        self._processes = processes
        self._say = say
        self._run = secrets.token_hex(8)
        self._claimed: dict[str, AgentCard] = {}
        self._gone: dict[str, str] = {}
        self._client: Client | None = None

    async def hire(self, nursery: trio.Nursery) -> list[Member]:
        """Claim the agents and give each its parts. Raises ``CrewFailed`` when there are too few."""
        client = self._client = await redis.wait_for_client(nursery, self._url)
        try:
            await self._claim(client)
            nursery.start_soon(self._keep, client)
            return await self._share_out(client)
        except (RedisError, OSError) as error:
            raise CrewFailed(f"Redis went away: {error}") from None

    async def _claim(self, client: Client) -> None:
        with trio.move_on_after(FIND_TIMEOUT_S):
            while len(self._claimed) < self._agents:
                for card in await redis.cards(client):
                    if len(self._claimed) < self._agents and card.name not in self._claimed:
                        await self._try(client, card)
                if len(self._claimed) < self._agents:
                    await trio.sleep(redis.HEARTBEAT_S / 2)
        if len(self._claimed) < self._agents:
            names = ", ".join(self._claimed) or "none"
            raise CrewFailed(f"{self._agents} agents are wanted, and free ones of version {__version__} are: {names}")

    async def _try(self, client: Client, card: AgentCard) -> None:
        if card.version != __version__:
            return
        claim = redis.key("claim", card.name)
        if await client.set(claim, self._run.encode(), ex=redis.CLAIM_S, condition=PureToken.NX):
            self._claimed[card.name] = card

    async def _share_out(self, client: Client) -> list[Member]:
        members: list[Member] = []
        await redis.renew(client, redis.key("run", self._run, "alive"), b"1", redis.ALIVE_S * 2)
        for name, card in self._claimed.items():
            count = self._processes or card.processes
            parts = tuple(range(len(members), len(members) + count))
            hire = msgspec.msgpack.encode(Hire(run=self._run, parts=parts))
            await redis.push(client, redis.key("inbox", name), hire)
            course = Course()
            gone = partial(self._why_gone, name)
            for part in parts:
                down, up = redis.links(self._run, part)
                link = RedisLink(client, down, up, gone)
                members.append(Member(part=part, link=link, agent=name, course=course, machine=card.machine))
            self._say(
                f"agent {name}: generators {parts[0]} to {parts[-1]}"
                if count > 1
                else f"agent {name}: generator {parts[0]}"
            )
        return members

    def _why_gone(self, agent: str) -> str:
        return self._gone.get(agent, "")

    async def _keep(self, client: Client) -> None:
        """Say that this run lives, keep its claims, and look whether the agents live."""
        try:
            while True:
                await redis.renew(client, redis.key("run", self._run, "alive"), b"1", redis.ALIVE_S * 2)
                tokens = {card.name: card.token for card in await redis.cards(client)}
                for name, card in self._claimed.items():
                    await client.expire(redis.key("claim", name), redis.CLAIM_S)
                    if tokens.get(name) != card.token and name not in self._gone:
                        self._gone[name] = f"agent {name} is gone: no sign of it for {redis.ALIVE_S} s"
                await trio.sleep(redis.HEARTBEAT_S)
        except (RedisError, OSError) as error:
            for name in self._claimed:
                self._gone.setdefault(name, f"Redis went away: {error}")

    async def dismiss(self) -> None:
        """Let the agents go and leave nothing in Redis."""
        if self._client is None:
            return
        with trio.move_on_after(GOODBYE_S):
            try:
                names = [redis.key("run", self._run, "alive")]
                names += [redis.key("claim", name) for name in self._claimed]
                await self._client.delete(names)
            except (RedisError, OSError):
                pass  # everything of ours ends by itself
