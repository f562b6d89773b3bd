"""Links, agents and their claims over a real redis-server."""

from __future__ import annotations

import gc
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest
import trio
from support.redis import redis_server

from simplestchat.errors import ConfigError
from simplestchat.load import redis, redis_staff
from simplestchat.load.crew import CrewFailed, Member
from simplestchat.load.link import LinkClosed
from simplestchat.load.messages import Start, Stop
from simplestchat.load.redis import AgentCard, Client, Hire, RedisLink, RedisUnreachable
from simplestchat.load.redis_staff import RedisStaff

# The library leaves streams of its connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore:.*Unclosed <MemoryObject.*")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with redis_server(tmp_path_factory.mktemp("redis")) as url:
        yield url


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Where its warnings are expected."""
    yield
    gc.collect()


def with_client(url: str, body: Callable[[Client], Awaitable[None]]) -> None:
    async def run() -> None:
        with trio.fail_after(30):
            async with redis.connected(url) as client:
                await client.flushall()
                await body(client)

    trio.run(run)


def pair(client: Client, gone: Callable[[], str] = lambda: "") -> tuple[RedisLink, RedisLink]:
    """Both ends of a line."""
    down, up = redis.links("garden", 0)
    return RedisLink(client, down, up, gone), RedisLink(client, up, down, gone)


def test_messages_arrive_whole_and_in_order(server: str) -> None:
    async def body(client: Client) -> None:
        here, there = pair(client)
        for at_us in range(50):
            await here.send(Start(at_us=at_us))
        assert [await there.receive() for _ in range(50)] == [Start(at_us=at_us) for at_us in range(50)]
        await there.send(Stop())
        assert await here.receive() == Stop()

    with_client(server, body)


def test_what_is_in_redis_has_a_prefix_and_an_end(server: str) -> None:
    async def body(client: Client) -> None:
        here, _there = pair(client)
        await here.send(Stop())
        names = await client.keys("*")
        assert names == {b"simplestchat-load:run:garden:0:down"} or list(names) == [
            b"simplestchat-load:run:garden:0:down"
        ]
        assert 0 < await client.ttl(redis.links("garden", 0)[0]) <= redis.MAILBOX_S

    with_client(server, body)


def test_a_line_that_nobody_reads_is_closed(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "MAX_QUEUED", 3)

    async def body(client: Client) -> None:
        here, _there = pair(client)
        for _ in range(3):
            await here.send(Stop())
        with pytest.raises(LinkClosed, match="4 messages wait, and nobody takes them"):
            await here.send(Stop())

    with_client(server, body)


def test_the_last_words_of_who_is_gone_are_heard(server: str) -> None:
    async def body(client: Client) -> None:
        here, there = pair(client, lambda: "agent oak is gone")
        await here.send(Stop())
        assert await there.receive() == Stop()
        with pytest.raises(LinkClosed, match="agent oak is gone"):
            await there.receive()

    with_client(server, body)


def test_what_is_no_message_closes_the_line(server: str) -> None:
    async def body(client: Client) -> None:
        _here, there = pair(client)
        await redis.push(client, redis.links("garden", 0)[0], b"\xff\x00 no message")
        with pytest.raises(LinkClosed, match="is no message"):
            await there.receive()

    with_client(server, body)


async def register(client: Client, name: str, *, version: str = redis_staff.__version__, seconds: int = 30) -> None:
    card = AgentCard(name=name, token=f"token of {name}", version=version, processes=2, machine={"cpu": "Example"})
    await client.sadd(redis.key("agents"), [name])
    await client.set(redis.key("agent", name), msgspec.msgpack.encode(card), ex=seconds)


async def hire(url: str, agents: int, processes: int = 0) -> tuple[list[Member], RedisStaff]:
    """What a staff would hire; the nursery of the run is cut off right behind."""
    staff = RedisStaff(url, agents, processes, lambda _words: None)
    async with trio.open_nursery() as nursery:
        try:
            members = await staff.hire(nursery)
        finally:
            nursery.cancel_scope.cancel()
    return members, staff


def test_agents_are_claimed_and_get_their_parts(server: str) -> None:
    async def body(client: Client) -> None:
        for name in ("ash", "oak", "elm"):
            await register(client, name)
        members, _staff = await hire(server, 2)
        assert all(one.machine == {"cpu": "Example"} for one in members)
        assert [(one.part, one.agent, one.course is not None) for one in members] == [
            (0, "ash", True),
            (1, "ash", True),
            (2, "elm", True),
            (3, "elm", True),
        ]
        inbox = await redis.pop(client, redis.key("inbox", "elm"))
        assert inbox is not None
        assert msgspec.msgpack.decode(inbox, type=Hire).parts == (2, 3)
        members, _staff = await hire(server, 1, processes=3)  # those two are taken
        assert [(one.part, one.agent) for one in members] == [(0, "oak"), (1, "oak"), (2, "oak")]

    with_client(server, body)


def test_too_few_agents_are_told_with_those_there_are(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_staff, "FIND_TIMEOUT_S", 3.0)

    async def body(client: Client) -> None:
        await register(client, "ash")
        await register(client, "old", version="0.0.1")
        await client.sadd(redis.key("agents"), ["dead"])
        with pytest.raises(ExceptionGroup) as caught:
            await hire(server, 2)
        leaf = redis.first_leaf(caught.value)
        assert isinstance(leaf, CrewFailed)
        assert "2 agents are wanted, and free ones" in str(leaf)
        assert str(leaf).endswith("are: ash")
        assert b"dead" not in await client.smembers(redis.key("agents"))

    with_client(server, body)


def test_an_agent_that_falls_silent_is_named(server: str) -> None:
    async def run(client: Client) -> None:
        await register(client, "ash")
        staff = RedisStaff(server, 1, 1, lambda _words: None)
        async with trio.open_nursery() as nursery:
            (member,) = await staff.hire(nursery)
            await client.delete([redis.key("agent", "ash")])  # as when its end has come and nobody renewed it
            with pytest.raises(LinkClosed, match="agent ash is gone: no sign of it"):
                await member.link.receive()
            await staff.dismiss()
            nursery.cancel_scope.cancel()
        assert not await client.exists([redis.key("claim", "ash")])

    with_client(server, run)


def test_no_redis_is_told_without_the_password() -> None:
    async def run(url: str) -> None:
        async with redis.connected(url):
            pass

    for url in ("nonsense", "http://:secret@127.0.0.1", "redis://"):
        with pytest.raises(ConfigError, match="is no address of Redis") as caught:
            trio.run(run, url)
        assert "secret" not in str(caught.value)
    with pytest.raises(RedisUnreachable, match="cannot be reached") as unreachable:
        trio.run(run, "redis://:secret@127.0.0.1:1/0")
    assert "secret" not in str(unreachable.value)


def test_a_socket_that_is_not_there(tmp_path: Path) -> None:
    async def run() -> None:
        async with trio.open_nursery() as nursery:
            with pytest.raises(RedisUnreachable):
                await redis.wait_for_client(nursery, f"unix://{tmp_path}/none")

    trio.run(run)
