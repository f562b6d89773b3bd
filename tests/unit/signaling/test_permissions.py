"""The matrix of roles and methods, made from the registry: nothing can be added without saying who may."""

from typing import Any

import pytest
from support.recorder import CAPABILITIES, DTLS, VP8, Client, World

from simplestchat.signaling.registry import METHODS

OWNER_ONLY = {"room.update", "room.close", "peer.kick"}
ANYWHERE = {"auth", "room.join", "ping"}

PARAMS: dict[str, dict[str, Any]] = {
    "auth": {"token": "secret"},
    "room.join": {"room": "other", "name": "x"},
    "room.update": {"name": "new"},
    "peer.kick": {"peerId": "nobody"},
    "chat.send": {"text": "hi", "clientId": "1"},
    "transport.create": {"direction": "send"},
    "transport.connect": {"transportId": "none", "dtlsParameters": DTLS},
    "transport.restartIce": {"transportId": "none"},
    "transport.stats": {"transportId": "none"},
    "transport.decisions": {"transportId": "none"},
    "transport.close": {"transportId": "none"},
    "producer.create": {"transportId": "none", "kind": "video", "rtpParameters": VP8},
    "producer.pause": {"producerId": "none"},
    "producer.resume": {"producerId": "none"},
    "producer.close": {"producerId": "none"},
    "consumer.create": {"transportId": "none", "producerId": "none", "rtpCapabilities": CAPABILITIES},
    "consumer.pause": {"consumerId": "none"},
    "consumer.resume": {"consumerId": "none"},
    "consumer.close": {"consumerId": "none"},
    "consumer.setPreferredLayers": {"consumerId": "none", "spatialLayer": 0},
    "consumer.setPriority": {"consumerId": "none", "priority": 1},
    "consumer.setView": {"consumerId": "none", "width": 640, "height": 360},
    "consumer.setViews": {"views": [{"consumerId": "none", "width": 0, "height": 0}]},
    "consumer.requestKeyFrame": {"consumerId": "none"},
}


def client_as(role: str, world: World) -> Client:
    if role == "outside":
        return world.client()
    owner = world.joined(name="Owner")
    return owner if role == "owner" else world.joined(name="Member")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("role", ["outside", "member", "owner"])
def test_who_may_call_what(role: str, method: str) -> None:
    client = client_as(role, World())
    answer = client.ask(method, **PARAMS.get(method, {}))
    reason = answer.get("error", {}).get("data", {}).get("reason")
    if role == "outside" and method not in ANYWHERE:
        assert reason == "not_in_room"
    elif role == "member" and method in OWNER_ONLY:
        assert reason == "forbidden"
    else:
        assert reason in (None, "not_found", "already_in_room")


def test_nobody_touches_what_is_anothers() -> None:
    world = World()
    alice, mallory = world.joined(name="Alice"), world.joined(name="Mallory")
    send, recv = alice.transport("send"), alice.transport("recv")
    producer = alice.produce(send)
    consumer = alice.consume(recv, producer)["id"]
    for method, params in (
        ("transport.connect", {"transportId": send, "dtlsParameters": DTLS}),
        ("transport.restartIce", {"transportId": send}),
        ("transport.stats", {"transportId": send}),
        ("transport.decisions", {"transportId": recv}),
        ("transport.close", {"transportId": send}),
        ("producer.create", {"transportId": send, "kind": "video", "rtpParameters": VP8}),
        ("producer.pause", {"producerId": producer}),
        ("producer.close", {"producerId": producer}),
        ("consumer.create", {"transportId": recv, "producerId": producer, "rtpCapabilities": CAPABILITIES}),
        ("consumer.pause", {"consumerId": consumer}),
        ("consumer.close", {"consumerId": consumer}),
        ("consumer.requestKeyFrame", {"consumerId": consumer}),
        ("consumer.setPreferredLayers", {"consumerId": consumer, "spatialLayer": 0}),
        ("consumer.setPriority", {"consumerId": consumer, "priority": 255}),
        ("consumer.setView", {"consumerId": consumer, "width": 0, "height": 0}),
    ):
        assert mallory.refused(method, **params) == "not_found"
    asked = len(world.media.calls)
    mallory.call("consumer.setViews", views=[{"consumerId": consumer, "width": 0, "height": 0}])
    assert world.media.calls[asked:] == []
    assert world.media.producers
    assert world.media.consumers


def test_rooms_are_apart() -> None:
    world = World()
    alice, eve = world.joined("a"), world.joined("b")
    producer = alice.produce(alice.transport("send"))
    recv = eve.transport("recv")
    params = {"transportId": recv, "producerId": producer, "rtpCapabilities": CAPABILITIES}
    assert eve.refused("consumer.create", **params) == "not_found"
    alice.call("chat.send", text="secret", clientId="1")
    assert eve.box.take() == []
    assert eve.call("chat.history")["messages"] == []
    assert eve.refused("peer.kick", peerId=alice.id) == "not_found"
