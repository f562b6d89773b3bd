"""``simplestchat load agent``: generates load on this machine for runs whose coordinator is elsewhere.

An agent does one run at a time. It passes messages between Redis and its generators, answers questions for its clock
itself, since a busy generator would answer late, and ends its generators when the coordinator is gone.
"""

from __future__ import annotations

import argparse
import os
import platform
import secrets
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import msgspec
import trio
from coredis import PureToken

from simplestchat import __version__
from simplestchat.errors import ConfigError
from simplestchat.load import cores, redis, staff
from simplestchat.load.link import Link, LinkClosed
from simplestchat.load.machine import describe
from simplestchat.load.messages import Assign, Clock, Failed, Finished
from simplestchat.load.process import Child
from simplestchat.load.redis import AgentCard, Client, Hire, RedisLink, RedisLost
from simplestchat.load.staff import STOP_S, obituary

EXIT_OK, EXIT_USAGE = 0, 2
MAX_NAME = 60
_CARD_S = 24 * 3600  # the set of names outlives quiet agents


class NameTaken(ConfigError):
    """Another agent of that name lives."""

    reason = "name_taken"


def main(options: argparse.Namespace) -> int:
    """Serve until interrupted; return the exit status."""
    name = options.name or platform.node() or "agent"
    if not name.isprintable() or len(name) > MAX_NAME:
        return _refuse(f"--name: takes {MAX_NAME} printable characters at most")
    plan = cores.plan(sorted(os.sched_getaffinity(0)), options.processes or 0, 0, own_server=False)
    agent = Agent(name, plan)
    try:
        trio.run(agent.run, options.redis)
    except (ConfigError, RedisLost, BaseExceptionGroup) as error:
        leaf = redis.first_leaf(error)
        if not isinstance(leaf, ConfigError | RedisLost):
            raise
        return _refuse(str(leaf))
    return EXIT_OK


def _refuse(words: str) -> int:
    print(f"simplestchat: {words}", file=sys.stderr)
    return EXIT_USAGE


def say(words: str) -> None:
    """Tell people, at once."""
    print(words, flush=True)


@dataclass
class Agent:
    """This machine's part in others' runs."""

    name: str
    pinning: cores.Pinning
    token: str = field(default_factory=lambda: secrets.token_hex(8))
    machine: dict[str, Any] = field(default_factory=describe)

    async def run(self, url: str) -> None:
        """Serve until a signal. Raises ``ConfigError`` when Redis is not there, ``RedisLost`` when it leaves."""
        with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async with redis.connected(url) as client, trio.open_nursery() as nursery:
                await self._register(client)
                nursery.start_soon(self._beat, client)
                nursery.start_soon(self._work, client)
                say(f"agent {self.name}: ready, {self.pinning.words}")
                async for _number in signals:
                    break
                nursery.cancel_scope.cancel()
            # Its card ends by itself soon; whoever waits for it learns so.

    def _card(self) -> bytes:
        return msgspec.msgpack.encode(
            AgentCard(
                name=self.name,
                token=self.token,
                version=__version__,
                processes=len(self.pinning.generators),
                machine=self.machine,
            )
        )

    async def _register(self, client: Client) -> None:
        card = redis.key("agent", self.name)
        with trio.move_on_after(redis.ALIVE_S + 2.0):  # the card of one that crashed is gone by then
            while True:
                if await client.set(card, self._card(), ex=redis.ALIVE_S, condition=PureToken.NX):
                    await client.delete([redis.key("inbox", self.name)])
                    return
                await trio.sleep(redis.HEARTBEAT_S / 2)
        raise NameTaken(f"an agent called {self.name} is there already; give this one another --name")

    async def _beat(self, client: Client) -> None:
        while True:
            await redis.renew(client, redis.key("agent", self.name), self._card(), redis.ALIVE_S)
            await client.sadd(redis.key("agents"), [self.name])
            await client.expire(redis.key("agents"), _CARD_S)
            await trio.sleep(redis.HEARTBEAT_S)

    async def _work(self, client: Client) -> None:
        while True:
            body = await redis.pop(client, redis.key("inbox", self.name))
            if body is None:
                continue
            try:
                hire = msgspec.msgpack.decode(body, type=Hire)
            except msgspec.DecodeError:
                continue  # of another version; its claim ends by itself
            say(f"agent {self.name}: run {hire.run} begins, {len(hire.parts)} generators")
            await self._generate(client, hire)
            say(f"agent {self.name}: run {hire.run} ended")

    async def _generate(self, client: Client, hire: Hire) -> None:
        """One run, until its generators have finished or nobody wants them any more."""
        async with trio.open_nursery() as nursery:
            watch = _Watch()
            nursery.start_soon(watch.keep, client, hire.run)
            async with trio.open_nursery() as parts:
                for place, part in enumerate(hire.parts):
                    own = self.pinning.generators[place % len(self.pinning.generators)]
                    down, up = redis.links(hire.run, part)
                    line = RedisLink(client, up, down, lambda: watch.gone)
                    parts.start_soon(self._one, line, part, own)
            nursery.cancel_scope.cancel()

    async def _one(self, line: RedisLink, part: int, own: tuple[int, ...]) -> None:
        child = Child(f"generator {part}", staff.GENERATOR, own, linked=True)
        assert child.link is not None
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(child.read_lines)
                nursery.start_soon(_downwards, line, child.link, own, nursery.cancel_scope)
                if not await _upwards(child.link, line):
                    words = await obituary(child) or "its link closed"
                    await _last_word(line, Failed(part=part, reason=words))
                nursery.cancel_scope.cancel()
        finally:
            await child.stop(STOP_S)


class _Watch:
    """Whether a run's coordinator still lives."""

    def __init__(self) -> None:
        self.gone = ""

    async def keep(self, client: Client, run: str) -> None:
        while not self.gone:
            if not await client.exists([redis.key("run", run, "alive")]):
                self.gone = "the coordinator is gone"
            await trio.sleep(redis.HEARTBEAT_S)


async def _downwards(line: RedisLink, link: Link, own: tuple[int, ...], run: trio.CancelScope) -> None:
    """What the coordinator says to the generator, until the coordinator is gone: then the generator ends, too."""
    try:
        while True:
            message = await line.receive()
            match message:
                case Clock():
                    answer = Clock(asked_us=message.asked_us, answered_us=time.monotonic_ns() // 1000)
                    await line.send(answer)
                case Assign():
                    await link.send(msgspec.structs.replace(message, cores=own))
                case _:
                    await link.send(message)
    except LinkClosed:
        run.cancel()


async def _upwards(link: Link, line: RedisLink) -> bool:
    """What the generator says to the coordinator; whether it came to its end in order."""
    try:
        while True:
            message = await link.receive()
            await line.send(message)
            if isinstance(message, Finished | Failed):
                return True
    except LinkClosed:
        return False


async def _last_word(line: RedisLink, message: Failed) -> None:
    with suppress(LinkClosed):  # nobody may be there to hear it
        await line.send(message)
