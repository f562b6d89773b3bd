"""A call under way, things that happen to it in the middle of a request, and what must hold afterwards."""

from __future__ import annotations

from typing import Any

from support.recorder import CAPABILITIES, OPUS, VP8, Client, World

from simplestchat.model.media import WorkerLost
from simplestchat.signaling.state import Room

THINGS = ("transport", "producer", "consumer")
MEANWHILE = ("worker", "gone", "transports", "kick", "producers", "close", "audio")


def scene(world: World) -> list[Client]:
    """Two rooms, and four people who send and receive."""
    people = [world.joined(room, "x") for room in ("a", "a", "a", "b")]
    for client in people:
        send, recv = client.transport("send"), client.transport("recv")
        client.produce(send)
        for producer in tuple(client.session.peer.room.producers):  # type: ignore[union-attr]
            client.consume(recv, producer)
    return people


def creation(world: World, client: Client, what: str, choice: int) -> tuple[str, dict[str, Any]] | None:
    """A request by which a client creates something, if it has what that needs."""
    peer = client.session.peer
    if peer is None:
        return None
    if what == "transport":
        return "transport.create", {"direction": ("send", "recv")[choice % 2]}
    direction = "send" if what == "producer" else "recv"
    transports = [one.id for one in peer.transports.values() if one.direction == direction]
    if not transports:
        return None
    transport = transports[choice % len(transports)]
    if what == "producer":
        kind, shape = (("video", VP8), ("audio", OPUS))[choice % 2]
        parameters = {**shape, "encodings": [{"ssrc": 10_000 + len(world.media.calls)}]}
        return "producer.create", {"transportId": transport, "kind": kind, "rtpParameters": parameters}
    producers = list(peer.room.producers)
    if not producers:
        return None
    producer = producers[choice % len(producers)]
    return "consumer.create", {"transportId": transport, "producerId": producer, "rtpCapabilities": CAPABILITIES}


def happen(world: World, everyone: list[Client], client: Client, how: str) -> None:
    """Disturb a client's call."""
    if how == "worker":
        world.hub.on_media_event(WorkerLost(world.media.lose_worker()))
    elif how == "gone":
        client.drop()
        world.wait(40)
        client.session = world.hub.open_session(client.box)
    elif how == "transports":
        for transport in tuple(client.session.peer.transports):  # type: ignore[union-attr]
            client.call("transport.close", transportId=transport)
    for one in everyone:
        if how == "kick":
            one.ask("peer.kick", peerId=client.joined["peerId"])
        elif how == "producers":
            for producer in tuple(one.session.peer.producers if one.session.peer else ()):
                one.call("producer.close", producerId=producer)
        elif how == "close":
            one.ask("room.close")
        elif how == "audio":
            one.ask("room.update", audioOnly=True)


def overlap(
    world: World,
    everyone: list[Client],
    client: Client,
    what: str,
    how: str,
    *,
    choice: int,
    done: bool,
    cancelled: bool,
) -> bytes | None:
    """Let something happen while the media plane works (or when it is ``done`` and its answer is under way)."""
    made = creation(world, client, what, choice)
    if made is None:
        return None
    hold = world.media.hold_answer if done else world.media.hold
    hold.add(f"create_{what}")
    try:
        waiting = client.begin(made[0], **made[1])
    except StopIteration:
        return None  # it was refused before the media plane was asked
    finally:
        hold.clear()
    happen(world, everyone, client, how)
    if cancelled:
        waiting.cancel()
        return None
    answer: bytes = waiting.go_on()
    return answer


def check(world: World, *, transports: int, producers: int, consumers: int) -> None:
    """Nothing dangles: the node knows what is on the worker, and every record is in all dicts of its owners."""
    world.settle()
    hub, media = world.hub, world.media
    rooms: list[Room] = list(hub._rooms)
    peers = [peer for room in rooms for peer in room.peers.values()]
    assert hub._closer.transports == {one.number: one for peer in peers for one in peer.transports.values()}
    assert hub._closer.producers == {one.number: one for room in rooms for one in room.producers.values()}
    assert hub._closer.consumers == {one.number: one for peer in peers for one in peer.consumers.values()}
    assert media.held == {number for number, one in hub._closer.producers.items() if one.held}
    assert set(media.transports) == set(hub._closer.transports)
    assert media.producers == {number: one.transport.number for number, one in hub._closer.producers.items()}
    assert media.consumers == {
        one.number: (one.transport.number, one.producer.number) for peer in peers for one in peer.consumers.values()
    }
    for room in rooms:
        _check_room(room)
    for peer in peers:
        assert len(peer.transports) + peer.pending["transports"] <= transports
        assert len(peer.producers) + peer.pending["producers"] <= producers
        assert len(peer.consumers) + peer.pending["consumers"] <= consumers


def _check_room(room: Room) -> None:
    assert not room.closed
    assert (room.empty_since is not None) == (not room.peers)
    assert set(room.tokens.values()) == set(room.peers)
    cameras = {one.peer.id for one in room.producers.values() if one.source == "camera"}
    assert {*room.last_n._shown, *room.last_n._held} == cameras
    assert all(
        one.held == (one.source == "camera" and room.last_n.holds(one.peer.id)) for one in room.producers.values()
    )
    assert room.speaker is None or room.speaker in room.peers
    assert room.producers == {key: one for peer in room.peers.values() for key, one in peer.producers.items()}
    assert [message.seq for message in room.chat.latest(10**6)] == list(range(1, room.chat.last + 1))
    for peer in room.peers.values():
        assert not peer.gone
        for transport in peer.transports.values():
            assert transport.peer is peer
            assert not transport.closed
        for producer in peer.producers.values():
            assert not producer.closed
            assert producer.transport.producers[producer.id] is producer
            assert not (room.audio_only and producer.production.kind == "video")
        for consumer in peer.consumers.values():
            assert not consumer.closed
            assert consumer.producer.consumers[consumer.id] is consumer
            assert consumer.transport.consumers[consumer.id] is consumer
            assert room.producers[consumer.producer.id] is consumer.producer


def check_end(world: World, everyone: list[Client]) -> None:
    """When everybody is gone and time has passed, nothing is left, on the worker neither."""
    for client in everyone:
        client.drop()
    world.wait(60)
    world.wait(3600)
    assert world.hub.census()["rooms"] == 0
    assert world.media.rooms == set()
    assert world.media.transports == {}
