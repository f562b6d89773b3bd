"""One stay of a user in its room, from opening a connection to having left: entering, doing what is due, rebuilding.

Rules:
 - Jobs that wait for the server run one after the other; what the plan or a notice wants is put at their end (``do``),
   the departure before them.
 - Notices change the oracle's expectations at once, before any job runs.
 - ``gone`` once the user has left, crashed or been put out: jobs that come later do nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import trio

from simplestchat.load.chatting import Chatting
from simplestchat.load.client import LOST, Client, Pending, RequestFailed
from simplestchat.load.counts import now_us
from simplestchat.load.departing import crash, leave
from simplestchat.load.layout import Screen
from simplestchat.load.lines import ConnectFailed
from simplestchat.load.plan import name_of
from simplestchat.load.publishing import Publishing
from simplestchat.load.returning import come_back
from simplestchat.load.roll import Roll
from simplestchat.load.subscribing import Subscribing
from simplestchat.load.transports import Path, Transports
from simplestchat.ortc.capabilities import ROUTER_CAPABILITIES
from simplestchat.signaling import notices
from simplestchat.signaling.data import Direction
from simplestchat.signaling.notices import Notice
from simplestchat.signaling.requests import RoomJoin, RoomJoined, RoomUpdate, TransportRef

if TYPE_CHECKING:
    from simplestchat.load.plan import UserPlan, Visit
    from simplestchat.load.results import Record
    from simplestchat.load.world import World

Job = Callable[[], Awaitable[None]]


class Stay:
    """One visit of one user."""

    __slots__ = (
        "_busy", "_jobs", "_news", "chatting", "client", "disturbed", "due_us", "gone", "joined", "leaving", "offered",
        "paths_wanted", "peer_id", "plan", "publishing", "record", "resume_token", "roll", "room",
        "screen", "subscribing", "transports", "visit", "world",
    )  # fmt: skip

    def __init__(self, world: World, plan: UserPlan, visit: Visit, record: Record) -> None:
        self.world = world
        self.plan = plan
        self.visit = visit
        self.record = record
        self.room = world.room(plan.room)
        self.client = Client(self, world.notices, world.tally)
        self.due_us = world.at_us(visit.begin_s)
        self.gone = False
        self.leaving = False
        """Whether the departure is due: nothing new is begun."""
        self.joined = False
        self.disturbed = plan.up is not None or bool(plan.changes)
        """Whether what it sends may be late or lost on its way for reasons of its own."""
        self.peer_id = ""
        self.resume_token = ""
        self.offered = ROUTER_CAPABILITIES
        self.paths_wanted = 0
        self._busy = False
        self._jobs: deque[Job] = deque()
        self._news = trio.Event()
        self.transports = Transports(self)
        self.publishing = Publishing(self)
        self.subscribing = Subscribing(self)
        self.screen = Screen(self)
        self.chatting = Chatting(self)
        self.roll = Roll(
            world.plan, self.room, world.parted, lambda word, what: world.tally.fault(word, plan.index, what)
        )

    async def run(self) -> None:
        """The whole stay."""
        if not await self._enter():
            return
        self._schedule()
        self.do(self.set_up)
        while not self.gone:
            if not self._jobs:
                self._news = trio.Event()
                await self._news.wait()
                continue
            job = self._jobs.popleft()
            self._busy = True
            try:
                await job()
            except RequestFailed as error:
                self.refused(error)
            self._busy = False

    @property
    def idle(self) -> bool:
        """Whether nothing is under way and nothing waits."""
        return not self._busy and not self._jobs

    def do(self, job: Job) -> None:
        """Let something be done after everything that waits already."""
        self._jobs.append(job)
        self._news.set()

    def do_now(self, job: Job) -> None:
        """Let something be done next."""
        self._jobs.appendleft(job)
        self._news.set()

    def seed(self, number: int, purpose: str) -> int:
        """Randomness of its own for a purpose, 63 bits; the same in every run of the seed."""
        words = f"{self.plan.seed}/{self.visit.number}/{number}/{purpose}".encode()
        return int.from_bytes(hashlib.blake2b(words, digest_size=8).digest(), "big") >> 1

    def path_state(self, direction: Direction) -> str:
        """Of one of its paths; empty when there is none."""
        path = self.transports.paths.get(direction)
        return "" if path is None else path.state

    def refused(self, error: RequestFailed, race: str = "") -> None:
        """A request failed: a race, the end of the connection, or a fault."""
        if self.gone or error.reason == LOST:
            return
        if error.reason == race:
            self.world.tally.add("races")
            return
        self.world.tally.add("request_errors")
        self.world.tally.fault(f"refused-{error.reason}", self.plan.index, str(error))

    # Entering

    async def _enter(self) -> bool:
        tally = self.world.tally
        tally.add("joins_tried")
        opened_us = now_us()
        try:
            await self.client.open(self.world.lines, self.world.ws_url)
            name = name_of(self.plan.index, self.visit.number)
            wanted = RoomJoin(room=self.room.name, name=name, token=self.room.token)
            await self.client.wait(self.client.send("room.join", wanted, callback=self._entered))
        except (ConnectFailed, RequestFailed) as error:
            self.client.drop()
            tally.add("join_failures")
            tally.fault("join-failed", self.plan.index, str(error))
            return False
        tally.span("join", now_us() - opened_us)
        tally.add("joins")
        self.record.joins += 1
        return True

    def _entered(self, pending: Pending) -> None:
        """At once: notices follow, and they go on from the snapshot."""
        if pending.failure is None:
            self.joined = True
            self.take_snapshot(pending.result)
            self.world.rollcall.enter(self)

    def take_snapshot(self, joined: RoomJoined) -> None:
        """Know the room as it is told."""
        self.peer_id = joined.peer_id
        self.resume_token = joined.resume_token
        self.offered = joined.rtp_capabilities
        self.client.last_seq = joined.seq
        self.room.meet(joined.peer_id, name_of(self.plan.index, self.visit.number))
        self.roll.snapshot(joined.peers)
        self.chatting.member.join(joined.chat)
        self.subscribing.snapshot(joined.peers)

    async def set_up(self) -> None:
        """Make the paths, publish, subscribe. Raises ``RequestFailed``."""
        wanted: list[Direction] = []
        if self.plan.audio or self.plan.video:
            wanted.append("send")
        if self.world.scenario.subscribe.mode != "none":
            wanted.append("recv")
        self.paths_wanted = len(wanted)
        if self.room.token is not None and not self.room.locked and self.plan.place == 0:
            self.room.locked = True
            await self.client.call("room.update", RoomUpdate(locked=True))
        await self.open_paths(*wanted)

    async def open_paths(self, *wanted: Direction) -> None:
        """Make paths and what is on them. Raises ``RequestFailed``."""
        missing = [one for one in wanted if one not in self.transports.paths]
        await self.transports.open(*missing)
        if "send" in missing:
            await self.publishing.start(self.transports.paths["send"])
        if "recv" in missing:
            self.subscribing.look()

    def rebuild(self, path: Path, *, give_up: bool) -> None:
        """A path failed: everything on it is made anew."""

        async def job() -> None:
            if self.gone or self.world.silent:
                return
            if path.direction == "send":
                self.publishing.forget()
            else:
                self.subscribing.forget()
            self.transports.close(path)
            with contextlib.suppress(RequestFailed):  # the server may have closed it itself
                await self.client.call("transport.close", TransportRef(transport_id=path.transport_id))
            if not give_up:
                await self.open_paths(path.direction)

        self.do(job)

    # What is due

    def _schedule(self) -> None:
        world, plan, visit = self.world, self.plan, self.visit
        agenda = world.agenda

        def due(at_s: float, call: Callable[[], object]) -> None:
            if visit.begin_s <= at_s < visit.end_s and at_s >= world.now_s() - 1:
                agenda.at(world.at_us(at_s), lambda: None if self.gone or world.silent else call())

        for number, at_s in enumerate(plan.chats):
            due(at_s, lambda at_s=at_s, number=number: self.chatting.say(at_s, number))  # type: ignore[misc]
        for mute in plan.mutes:
            due(mute.begin_s, lambda mute=mute: self.do(lambda: self.publishing.mute(mute)))  # type: ignore[misc]
        for change in plan.changes:
            due(change.at_s, lambda change=change: self.transports.change(change))  # type: ignore[misc]
        for turned, at_s in enumerate(plan.page_turns, 1):
            due(at_s, lambda turned=turned: self.do(lambda: self.subscribing.turn(turned)))  # type: ignore[misc]
        if plan.audio_only_at_s is not None:
            due(plan.audio_only_at_s, lambda: self.do(self.subscribing.audio_only))
        if plan.reconnect_at_s is not None:
            due(plan.reconnect_at_s, lambda: self.do(self._cut))
        if visit.ending == "crash":
            agenda.at(world.at_us(visit.end_s), lambda: None if world.silent else crash(self))
        elif visit.ending == "leave":
            agenda.at(world.at_us(visit.end_s), self._depart)

    def _depart(self) -> None:
        if not self.world.silent:
            self.leaving = True
            self.do_now(lambda: leave(self))

    async def _cut(self) -> None:
        """The plan cuts the connection."""
        self.client.drop()
        await come_back(self)

    def end(self) -> None:
        """It is over; the user's task goes on."""
        self.gone = True
        self._news.set()

    # What is told

    def on_lost(self, why: str) -> None:
        """The connection is gone and nobody here wanted that."""
        if self.gone or self.world.silent:
            return
        self.world.tally.add("connections_lost")
        self.world.tally.fault("connection-lost", self.plan.index, why)
        if self.joined:
            self.do_now(lambda: come_back(self))

    def on_notice(self, notice: Notice, _seq: int) -> None:
        """Change what is expected; jobs follow."""
        if self.gone:
            return
        match notice:
            case notices.ChatMessageNotice():
                self.chatting.heard(notice)
            case notices.PeerJoined():
                self.room.meet(notice.peer_id, notice.name)
                self.roll.joined(notice.peer_id)
            case notices.ProducerOpened():
                self.roll.opened(notice.peer_id, notice.producer_id, video=notice.kind == "video")
                self.subscribing.opened(notice)
            case notices.ProducerClosed() if notice.peer_id == self.peer_id:
                self.publishing.closed(notice.producer_id)
            case notices.ProducerClosed():
                self.roll.closed(notice.peer_id, notice.producer_id)
                self.subscribing.closed(notice.producer_id)
            case notices.PeerLeft() if notice.peer_id != self.peer_id:
                self.roll.left(notice.peer_id)
            case notices.ProducerLayers():
                self.publishing.wanted(notice)
            case notices.ConsumerClosed():
                self.subscribing.consumer_closed(notice)
            case notices.ConsumerLayers():
                self.subscribing.held(notice.consumer_id, held=notice.spatial_layer is None)
            case notices.ConsumerPaused() | notices.ConsumerResumed():
                self.subscribing.held(notice.consumer_id, held=isinstance(notice, notices.ConsumerPaused))
            case notices.TransportBandwidth():
                self.transports.told_bandwidth(notice)
            case notices.ProducerPaused() if notice.peer_id != self.peer_id:
                self.subscribing.paused(notice.producer_id, paused=True)
            case notices.ProducerResumed() if notice.peer_id != self.peer_id:
                self.subscribing.paused(notice.producer_id, paused=False)
            case notices.TransportState() if notice.state == "failed":
                self.transports.failed_at_server(notice.transport_id)
            case _:
                self._on_other(notice)

    def _on_other(self, notice: Notice) -> None:
        if isinstance(notice, notices.PeerLeft | notices.RoomClosed):
            self.world.tally.fault("put-out", self.plan.index, notice.method)
            crash(self)
        elif isinstance(notice, notices.ServerDraining) and not self.world.silent:
            self.world.tally.fault("server-draining", self.plan.index)
