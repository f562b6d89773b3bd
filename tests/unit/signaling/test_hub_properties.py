"""Random people do random things in random order, also while the media plane works: nothing is left dangling."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, multiple, precondition, rule
from support.overlaps import MEANWHILE, THINGS, check, check_end, creation, overlap, scene
from support.recorder import Client, World, finish

from simplestchat.errors import MediaUnavailable
from simplestchat.model.media import (
    BandwidthChanged,
    LayersForwarded,
    LayersWanted,
    SpeakerChanged,
    TransportStateChanged,
    WorkerLost,
)
from simplestchat.signaling.limits import Limits

WHAT = st.sampled_from(THINGS)
HOW = st.sampled_from(MEANWHILE)
ROOMS = st.sampled_from(["a", "b"])
CALLS = st.sampled_from(["open_room", "create_transport", "create_producer", "create_consumer", "pause_producer"])


class Rooms(RuleBasedStateMachine):
    """The hub under every request, event and failure that there is, in any order."""

    clients: Bundle[Client] = Bundle("clients")

    def __init__(self) -> None:
        super().__init__()
        self.world = World(Limits(transports=3, producers=3, consumers=4, rooms=3, room_peers=4, request_burst=10**6))
        self.everyone: list[Client] = []
        self.client_id = 0

    @initialize(target=clients)
    def call_under_way(self) -> Any:
        """Begin where it is interesting."""
        self.everyone += scene(self.world)
        return multiple(*self.everyone)

    # Things that people do

    @precondition(lambda self: len(self.everyone) < 8)
    @rule(target=clients, room=ROOMS)
    def connect(self, room: str) -> Client:
        client = self.world.client()
        self.everyone.append(client)
        client.joined = client.ask("room.join", room=room, name="x").get("result", {})
        return client

    @rule(client=clients, room=ROOMS)
    def join(self, client: Client, room: str) -> None:
        answer = client.ask("room.join", room=room, name="x")
        client.joined = answer.get("result", client.joined)

    @rule(client=clients, other=clients)
    def come_back(self, client: Client, other: Client) -> None:
        if not other.joined:
            return
        room, token = other.joined["room"]["id"], other.joined["resumeToken"]
        answer = client.ask("room.join", room=room, name="x", resume=token, lastSeq=other.joined["seq"])
        client.joined = answer.get("result", client.joined)

    @rule(client=clients, how=st.sampled_from(["lost", "left"]))
    def disconnect(self, client: Client, how: Any) -> None:
        finish(client.session.closed(how))
        client.session = self.world.hub.open_session(client.box)

    @rule(client=clients, method=st.sampled_from(["room.leave", "room.close"]))
    def go(self, client: Client, method: str) -> None:
        client.ask(method)

    @rule(client=clients, other=clients)
    def kick(self, client: Client, other: Client) -> None:
        client.ask("peer.kick", peerId=other.joined.get("peerId", "x"))

    @rule(client=clients, setting=st.sampled_from(["locked", "audioOnly", "public"]), on=st.booleans())
    def change(self, client: Client, setting: str, on: bool) -> None:
        client.ask("room.update", **{setting: on})

    @rule(client=clients, limit=st.integers(0, 2), loudest=st.sampled_from([None, 0, 2]))
    def limit(self, client: Client, limit: int, loudest: int | None) -> None:
        client.ask("room.update", videoLimit=limit, loudest=loudest)

    @rule(client=clients, size=st.sampled_from([0, 180, 720]))
    def look(self, client: Client, size: int) -> None:
        peer = client.session.peer
        held = [*peer.consumers, "gone"] if peer else ["gone"]
        client.ask("consumer.setViews", views=[{"consumerId": one, "width": size, "height": size} for one in held])

    @rule(client=clients)
    def chat(self, client: Client) -> None:
        self.client_id += 1
        client.ask("chat.send", text="x", clientId=str(self.client_id))

    @rule(client=clients, choice=st.integers(0, 9), method=st.sampled_from(["pause", "resume", "close"]))
    def touch(self, client: Client, choice: int, method: str) -> None:
        peer = client.session.peer
        if peer is None:
            return
        for what, key in (("producer", "producerId"), ("consumer", "consumerId"), ("transport", "transportId")):
            held = list(getattr(peer, f"{what}s"))
            if held and (what != "transport" or method == "close"):
                client.ask(f"{what}.{method}", **{key: held[choice % len(held)]})
                return

    # The long requests, to their end or with something else in between

    @rule(client=clients, what=WHAT, choice=st.integers(0, 9))
    def create(self, client: Client, what: str, choice: int) -> None:
        made = creation(self.world, client, what, choice)
        if made is not None:
            client.ask(made[0], **made[1])

    @rule(
        client=clients,
        what=WHAT,
        choice=st.integers(0, 9),
        done=st.booleans(),
        how=HOW,
        other=clients,
    )
    def overlap(self, client: Client, what: str, choice: int, done: bool, how: str, other: Client) -> None:
        """Something happens just while a request is under way."""
        overlap(self.world, self.everyone, client, what, how, choice=choice, done=done, cancelled=other is client)

    # Things that happen

    @rule(step=CALLS)
    def break_something(self, step: str) -> None:
        self.world.media.fail[step] = MediaUnavailable()

    @rule()
    def mend(self) -> None:
        self.world.media.fail.clear()

    @rule(choice=st.integers(0, 9), state=st.sampled_from(["connected", "disconnected", "failed"]))
    def transport_changes(self, choice: int, state: Any) -> None:
        if self.world.media.transports:
            numbers = list(self.world.media.transports)
            self.world.hub.on_media_event(TransportStateChanged(numbers[choice % len(numbers)], state))

    @rule(choice=st.integers(0, 9), room=ROOMS)
    def somebody_speaks(self, choice: int, room: str) -> None:
        numbers = [0, *self.world.media.producers]
        found = self.world.hub._rooms.find(room)
        self.world.hub.on_media_event(SpeakerChanged(found.key if found else "x", numbers[choice % len(numbers)]))

    @rule(choice=st.integers(0, 9), spatial=st.integers(-1, 2), mask=st.integers(0, 7))
    def layers_change(self, choice: int, spatial: int, mask: int) -> None:
        media = self.world.media
        made: list[tuple[Any, Any]] = [
            (media.consumers, lambda number: LayersForwarded(number, spatial, spatial, "why")),
            (media.producers, lambda number: LayersWanted(number, mask)),
            (media.transports, lambda number: BandwidthChanged(number, 1000 * mask)),
        ]
        for numbers, event in made:
            if numbers:
                self.world.hub.on_media_event(event(list(numbers)[choice % len(numbers)]))

    @rule()
    def worker_dies(self) -> None:
        self.world.hub.on_media_event(WorkerLost(self.world.media.lose_worker()))

    @rule(seconds=st.sampled_from([1, 15, 40]))
    def time_passes(self, seconds: float) -> None:
        self.world.wait(seconds)

    # What must hold whenever everything has settled

    @invariant()
    def consistent(self) -> None:
        check(self.world, transports=3, producers=3, consumers=4)

    def teardown(self) -> None:
        check_end(self.world, self.everyone)


Rooms.TestCase.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
TestRooms = Rooms.TestCase
