"""The load tester's WebSocket client against the real server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import trio
from support.intrio import in_trio
from support.server import Server, running

from simplestchat.load.client import LOST, Client, Notices, RequestFailed
from simplestchat.load.counts import Tally, now_us
from simplestchat.load.lines import ConnectFailed, Lines
from simplestchat.signaling.notices import ChatMessageNotice, Notice, PeerJoined, PeerLeft
from simplestchat.signaling.requests import ChatSend, RoomJoin, TransportRef

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


class Ear:
    """Keeps what a client tells."""

    def __init__(self) -> None:
        self.notices: list[tuple[Notice, int]] = []
        self.lost: list[str] = []
        self._news = trio.Event()

    def on_notice(self, notice: Notice, seq: int) -> None:
        self.notices.append((notice, seq))
        self._wake()

    def on_lost(self, why: str) -> None:
        self.lost.append(why)
        self._wake()

    def _wake(self) -> None:
        self._news.set()
        self._news = trio.Event()

    async def until(self, notices: int = 0, lost: int = 0) -> None:
        with trio.fail_after(10):
            while len(self.notices) < notices or len(self.lost) < lost:
                await self._news.wait()


class House:
    """Clients of one server in one process."""

    def __init__(self, server: Server) -> None:
        self.url = server.url.replace("http", "ws", 1) + "/ws"
        self.tally = Tally()
        self.notices = Notices()
        self.errors: list[Exception] = []
        self.lines = Lines(self.errors.append)

    async def client(self) -> tuple[Client, Ear]:
        ear = Ear()
        client = Client(ear, self.notices, self.tally)
        await client.open(self.lines, self.url)
        return client, ear


@asynccontextmanager
async def house(server: Server) -> AsyncIterator[House]:
    one = House(server)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(one.lines.run)
        yield one
        nursery.cancel_scope.cancel()
        one.lines.close()
    assert not one.errors
    assert not one.tally.faults


@in_trio
async def test_requests_are_answered_and_notices_told(server: Server) -> None:
    async with house(server) as one:
        ada, ear = await one.client()
        joined = await ada.call("room.join", RoomJoin(room="told", name="u0"))
        bob, _ = await one.client()
        await bob.call("room.join", RoomJoin(room="told", name="u1"))
        sent = await bob.call("chat.send", ChatSend(text="hello", client_id="u1-0"))
        await ear.until(notices=2)
        (first, _), (second, seq) = ear.notices
        assert isinstance(first, PeerJoined)
        assert (first.name, isinstance(second, ChatMessageNotice)) == ("u1", True)
        assert isinstance(second, ChatMessageNotice)
        assert (second.client_id, second.seq) == ("u1-0", sent.seq)
        assert ada.last_seq == seq > joined.seq
        assert one.tally.totals["requests"] == 3
        assert one.tally.take_histograms()["signaling"][0] == 3


@in_trio
async def test_a_refusal_says_its_reason(server: Server) -> None:
    async with house(server) as one:
        client, _ = await one.client()
        with pytest.raises(RequestFailed, match="not_in_room"):
            await client.call("transport.close", TransportRef(transport_id="x"))
        await client.call("room.join", RoomJoin(room="refusal", name="u0"))
        with pytest.raises(RequestFailed) as failure:
            await client.call("transport.close", TransportRef(transport_id="x"))
        assert failure.value.reason == "not_found"


@in_trio
async def test_latency_counts_from_when_a_request_was_due(server: Server) -> None:
    async with house(server) as one:
        client, _ = await one.client()
        await client.call("ping", due_us=now_us() - 2_000_000)
        count, _, least, *_ = one.tally.take_histograms()["signaling"]
        assert (count, least >= 2_000_000) == (1, True)


@in_trio
async def test_many_requests_may_be_under_way(server: Server) -> None:
    async with house(server) as one:
        client, _ = await one.client()
        pending = [client.send("ping") for _ in range(200)]
        for each in pending:
            await client.wait(each)
        assert one.tally.totals["requests"] == 200


@in_trio
async def test_a_long_message_comes_whole(server: Server) -> None:
    async with house(server) as one:
        for number in range(60):
            client, _ = await one.client()
            await client.call("room.join", RoomJoin(room="long", name=f"u{number}"))
            for count in range(20):
                await client.call("chat.send", ChatSend(text="x" * 4000, client_id=f"{number}-{count}"))
        client, _ = await one.client()
        joined = await client.call("room.join", RoomJoin(room="long", name="last"))
        assert len(joined.peers) == 60
        assert sum(len(message.text) for message in joined.chat.messages) == 50 * 4000


@in_trio
async def test_a_dropped_connection_comes_back_to_what_it_missed(server: Server) -> None:
    async with house(server) as one:
        ada, _ = await one.client()
        joined = await ada.call("room.join", RoomJoin(room="back", name="u0"))
        waiting = ada.send("ping")
        ada.drop()
        with pytest.raises(RequestFailed, match=LOST):
            await ada.wait(waiting)
        bob, _ = await one.client()
        await bob.call("room.join", RoomJoin(room="back", name="u1"))
        again, ear = await one.client()
        again.last_seq = joined.seq
        back = await again.call(
            "room.join", RoomJoin(room="back", name="u0", resume=joined.resume_token, last_seq=joined.seq)
        )
        assert (back.resumed, back.reset, back.peer_id) == (True, False, joined.peer_id)
        for raw in back.missed:
            again.read(bytes(raw))
        assert [type(notice) for notice, _ in ear.notices] == [PeerJoined]


@in_trio
async def test_who_closes_politely_leaves_once_the_room_was_left(server: Server) -> None:
    async with house(server) as one:
        ada, ear = await one.client()
        await ada.call("room.join", RoomJoin(room="polite", name="u0"))
        bob, his = await one.client()
        await bob.call("room.join", RoomJoin(room="polite", name="u1"))
        await bob.call("room.leave")
        bob.close()
        await ear.until(notices=2)
        assert isinstance(ear.notices[-1][0], PeerLeft)
        assert not his.lost
        with pytest.raises(RequestFailed, match=LOST):
            await bob.call("ping")


@in_trio
async def test_the_end_of_the_server_is_told() -> None:
    with running() as server:
        async with house(server) as one:
            client, ear = await one.client()
            waiting = client.send("ping")
            await client.wait(waiting)
            await trio.to_thread.run_sync(server.stop)
            await ear.until(lost=1)
            with pytest.raises(ConnectFailed):
                await one.client()


@in_trio
async def test_what_is_no_websocket_is_no_connection(server: Server) -> None:
    async with house(server) as one:
        one.url = one.url.replace("/ws", "/health")
        with pytest.raises(ConnectFailed):
            await one.client()
        one.url = "https://127.0.0.1/ws"
        with pytest.raises(ConnectFailed, match="no ws://"):
            await one.client()
