"""What the media plane reports, and what people are told of it."""

import pytest
from support.recorder import Client, World

from simplestchat.model.media import ProducerLevels, TransportStateChanged, WorkerLost
from simplestchat.signaling.limits import Limits


def levels(world: World, *rows: tuple[int, int]) -> None:
    world.now += 0.5
    world.hub.on_media_event(ProducerLevels(rows))


def talkers(world: World, *names: str) -> tuple[list[Client], list[int]]:
    clients = [world.joined(name=name) for name in names]
    numbers = []
    for client in clients:
        client.produce(client.transport("send"), "audio")
        numbers.append(max(world.media.producers))
    for client in clients:
        client.box.take()
    return clients, numbers


def test_levels_are_told_in_small_rooms_only_and_never_replayed() -> None:
    world = World(Limits(levels_peers=2))
    (ada, bob), (one, two) = talkers(world, "Ada", "Bob")
    levels(world, (one, 30), (two, 60))
    told = [notice for notice in bob.box.take() if notice["method"] == "speaker.levels"]
    assert "seq" not in told[0]
    assert told[0]["params"]["levels"] == [{"peerId": ada.id, "level": 30}, {"peerId": bob.id, "level": 60}]
    world.joined(name="Eve")
    levels(world, (one, 30))
    assert "speaker.levels" not in bob.methods()


def test_levels_are_of_open_microphones_only() -> None:
    world = World()
    (ada, bob), (one, _) = talkers(world, "Ada", "Bob")
    producer = next(iter(ada.session.peer.producers))  # type: ignore[union-attr]
    ada.call("producer.pause", producerId=producer)
    bob.box.take()
    levels(world, (one, 20), (9999, 10))
    assert bob.box.take() == []
    ada.call("producer.close", producerId=producer)
    send = ada.transport("send")
    ada.produce(send, "audio", appData={"source": "screen-audio"})
    bob.box.take()
    levels(world, (max(world.media.producers), 10))
    assert bob.box.take() == []


def test_the_state_of_a_transport_is_told_to_its_peer_once() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    transport = ada.transport("send")
    ada.box.take()
    (number,) = world.media.transports
    for state in ("connected", "connected", "disconnected", "connected"):
        world.hub.on_media_event(TransportStateChanged(number, state))  # type: ignore[arg-type]
    assert [one["params"] for one in ada.box.take()] == [
        {"transportId": transport, "state": "connected"},
        {"transportId": transport, "state": "disconnected"},
        {"transportId": transport, "state": "connected"},
    ]
    world.hub.on_media_event(TransportStateChanged(12345, "connected"))
    assert bob.box.take() == []


def test_a_failed_transport_is_taken_away() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    producer = ada.produce(ada.transport("send"))
    bob.consume(bob.transport("recv"), producer)
    for client in (ada, bob):
        client.box.take()
    world.hub.on_media_event(TransportStateChanged(min(world.media.transports), "failed"))
    world.settle()
    assert ada.methods() == ["transport.state", "producer.closed"]
    assert bob.methods() == ["consumer.closed", "producer.closed"]
    assert world.media.producers == {}
    assert len(world.media.transports) == 1


def test_a_lost_worker_takes_only_its_own_rooms_media() -> None:
    world = World()
    ada, bob = world.joined("lost"), world.joined("lost", "Bob")
    kept = world.joined("kept", "Eve")
    producers = {client: client.produce(client.transport("send")) for client in (ada, bob)}
    for client, other in ((ada, bob), (bob, ada)):
        client.consume(client.transport("recv"), producers[other])
        client.box.take()
    lost = next(call[1] for call in world.media.calls if call[0] == "open_room")
    kept.transport("send")
    world.hub.on_media_event(WorkerLost((*world.media.lose_worker(lost), 12345)))
    for client, other in ((ada, bob), (bob, ada)):
        told = client.box.take()
        states = [one["params"]["state"] for one in told if one["method"] == "transport.state"]
        assert states == ["failed", "failed"]
        assert [one["method"] for one in told].count("consumer.closed") == 1
        closed = {one["params"]["producerId"] for one in told if one["method"] == "producer.closed"}
        assert producers[other] in closed
        assert all(one["params"].get("reason", "worker-lost") == "worker-lost" for one in told)
    assert kept.box.take() == []
    # Everyone is still there, and can begin again.
    ada.call("chat.send", text="still here", clientId="1")
    bob.consume(bob.transport("recv"), ada.produce(ada.transport("send")))


@pytest.mark.parametrize("away_for", [1, 30])
def test_a_worker_lost_while_a_peer_is_away(away_for: float) -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    bob.transport("send")
    bob.drop()
    world.hub.on_media_event(WorkerLost(world.media.lose_worker()))
    world.wait(away_for)
    again = world.client()
    joined = again.join(name="Bob", resume=bob.joined["resumeToken"], lastSeq=bob.joined["seq"])
    assert joined["resumed"] == (away_for < 20)
    assert [one["method"] for one in joined["missed"]] == (["transport.state"] if away_for < 20 else [])
    again.transport("send")
    assert ada.call("ping") == {}
