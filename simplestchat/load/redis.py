"""Runs that are shared out over machines: where coordinators and agents meet in Redis.

Keys, all with an end of life so that nothing stays behind a crash:
 - ``agents``: a set of names; ``agent:NAME`` the card of one, renewed every second while it lives.
 - ``claim:NAME`` the run that has an agent to itself; ``inbox:NAME`` what an agent is to do next.
 - ``run:RUN:alive`` while its coordinator lives; ``run:RUN:PART:down`` and ``…:up`` messages to and from a generator.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

import coredis
import msgspec
import trio
from coredis.exceptions import RedisError

from simplestchat.errors import ConfigError, Internal
from simplestchat.load.link import AnyMessage, LinkClosed, decode, encode

PREFIX: Final = "simplestchat-load:"
HEARTBEAT_S: Final = 1.0
ALIVE_S: Final = 6  # five heartbeats may be lost
CLAIM_S: Final = 15
MAILBOX_S: Final = 120  # a message that nobody took for so long has nobody to take it
MAX_QUEUED: Final = 2000  # of one direction of a link: a generator says one a second
MAX_AGENTS: Final = 1000
POLL_S: Final = 1.0
CONNECT_TIMEOUT_S: Final = 10.0
_SCHEMES: Final = ("redis", "rediss", "unix")
Client: TypeAlias = "coredis.Redis[bytes]"


class RedisUnreachable(ConfigError):
    """Redis is not there, or refuses."""

    reason = "redis"
    default = "Redis cannot be reached."


class RedisLost(Internal):
    """Redis went away while it was needed."""

    reason = "redis_lost"
    default = "Redis went away."


class AgentCard(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent says of itself."""

    name: str
    token: str
    """Random: tells an agent from its successor of the same name."""
    version: str
    processes: int
    """Generators that it runs when a scenario leaves it open."""
    machine: dict[str, Any]
    """See ``machine.describe``."""


class Hire(msgspec.Struct, frozen=True, kw_only=True):
    """A run to an agent: which parts it is to generate."""

    run: str
    parts: tuple[int, ...]


def check_url(url: str) -> None:
    """Raise ``ConfigError`` when it is no URL of Redis. Its words never hold the password that may stand in it."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme not in _SCHEMES or not (parts.hostname or parts.path):
        raise ConfigError("--redis: is no address of Redis. Write it as redis://HOST:PORT/DB.")


def key(*words: object) -> str:
    """A key of ours."""
    return PREFIX + ":".join(map(str, words))


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[Client]:
    """A client for the body. Raises ``RedisUnreachable``, and ``RedisLost`` for what the body lets through."""
    check_url(url)
    reached = False
    try:
        client: Client = coredis.Redis.from_url(url, connect_timeout=CONNECT_TIMEOUT_S)
        async with client:
            await client.ping()
            reached = True
            yield client
    except* (RedisError, OSError, ValueError) as group:
        words = f"Redis {'went away' if reached else 'cannot be reached'}: {first_leaf(group)}"
        raise (RedisLost(words) if reached else RedisUnreachable(words)) from None


def first_leaf(error: BaseException) -> BaseException:
    """The first plain exception of a group, however deep."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


async def renew(client: Client, name: str, value: bytes, seconds: int) -> None:
    """Let a key live on."""
    await client.set(name, value, ex=seconds)


async def cards(client: Client) -> list[AgentCard]:
    """Of all agents that live, by name; names of others are forgotten."""
    found = []
    for name in sorted(await client.smembers(key("agents")))[:MAX_AGENTS]:
        body = await client.get(key("agent", name.decode()))
        if body is None:
            await client.srem(key("agents"), [name])
            continue
        try:
            found.append(msgspec.msgpack.decode(body, type=AgentCard))
        except msgspec.DecodeError:
            continue  # of another version
    return found


async def push(client: Client, name: str, body: bytes) -> int:
    """Put something at the end of a list that does not live long; return how long the list is."""
    async with client.pipeline(transaction=True) as pipeline:
        length = pipeline.rpush(name, [body])
        pipeline.expire(name, MAILBOX_S)
    return await length


async def pop(client: Client, name: str) -> bytes | None:
    """Take the first of a list; None when there is none for a second."""
    taken = await client.blpop([name], POLL_S)
    return bytes(taken[1]) if taken else None


class RedisLink:
    """One end of a line through Redis (see ``link.Link``); ``gone`` says why nobody is at the other, or nothing."""

    def __init__(self, client: Client, outgoing: str, incoming: str, gone: Callable[[], str]) -> None:
        self._client = client
        self._outgoing = outgoing
        self._incoming = incoming
        self._gone = gone

    async def send(self, message: AnyMessage) -> None:
        """See ``Link.send``."""
        try:
            queued = await push(self._client, self._outgoing, encode(message))
        except (RedisError, OSError) as error:
            raise LinkClosed(f"Redis: {error}") from None
        if queued > MAX_QUEUED:
            raise LinkClosed(f"{queued} messages wait, and nobody takes them")

    async def receive(self) -> AnyMessage:
        """See ``Link.receive``."""
        while True:
            gone = self._gone()  # asked before: what it said last is still to be heard
            try:
                body = await pop(self._client, self._incoming)
            except (RedisError, OSError) as error:
                raise LinkClosed(f"Redis: {error}") from None
            if body is not None:
                return decode(body)
            if gone:
                raise LinkClosed(gone)


def links(run: str, part: int) -> tuple[str, str]:
    """The lists of a generator: to it, from it."""
    return key("run", run, part, "down"), key("run", run, part, "up")


async def wait_for_client(nursery: trio.Nursery, url: str) -> Client:
    """A client that lives as long as a nursery, for code that is no block of its own. Raises as ``connected`` does."""

    async def hold(task_status: trio.TaskStatus[Client | ConfigError | Internal]) -> None:
        told = False
        try:
            async with connected(url) as client:
                told = True
                task_status.started(client)
                await trio.sleep_forever()
        except* (RedisUnreachable, RedisLost) as group:
            if not told:
                leaf = first_leaf(group)
                assert isinstance(leaf, RedisUnreachable | RedisLost)
                task_status.started(leaf)

    outcome: Client | ConfigError | Internal = await nursery.start(hold)
    if isinstance(outcome, ConfigError | Internal):
        raise outcome
    return outcome
