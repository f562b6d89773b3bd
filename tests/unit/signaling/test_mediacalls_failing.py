"""When the media plane fails, is slow, or dies: state stays whole, and everything can be done again."""

from typing import Any

import pytest
from support.recorder import CAPABILITIES, DTLS, VP8, Client, World

from simplestchat.errors import MediaRejected, MediaUnavailable
from simplestchat.model.media import WorkerLost


def pair() -> tuple[World, Client, Client]:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    ada.box.take()
    return world, ada, bob


FAILING = ["open_room", "create_transport", "connect_transport", "create_producer", "create_consumer", "pause_producer"]


@pytest.mark.parametrize("step", FAILING)
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (MediaUnavailable(), "media_unavailable"),
        (MediaRejected("clash"), "invalid_params"),
        (ValueError("bug"), "internal"),
    ],
)
def test_a_failure_leaves_everything_as_it_was(step: str, error: Exception, reason: str) -> None:
    world, ada, bob = pair()

    def whole_call() -> None:
        send = ada.transport("send")
        ada.call("transport.connect", transportId=send, dtlsParameters=DTLS)
        producer = ada.produce(send)
        bob.consume(bob.transport("recv"), producer)
        ada.call("producer.pause", producerId=producer)

    world.media.fail[step] = error
    with pytest.raises(AssertionError, match=reason):
        whole_call()
    del world.media.fail[step]
    for client in (ada, bob):
        client.call("room.leave")
    world.settle()
    assert (world.media.transports, world.media.producers, world.media.consumers) == ({}, {}, {})
    ada.join()
    bob.join(name="Bob")
    whole_call()


def test_closing_works_even_when_the_worker_does_not_answer() -> None:
    world, ada, bob = pair()
    send = ada.transport("send")
    producer = ada.produce(send)
    got = bob.consume(bob.transport("recv"), producer)
    for step in ("close_consumer", "close_producer", "close_transport"):
        world.media.fail[step] = MediaUnavailable()
    assert bob.call("consumer.close", consumerId=got["id"]) == {}
    assert ada.call("producer.close", producerId=producer) == {}
    assert ada.call("transport.close", transportId=send) == {}
    assert world.hub.census()["producers"] == 0


# What happens while the media plane works.


@pytest.mark.parametrize("when", ["hold", "hold_answer"])
def test_the_peer_leaves_meanwhile(when: str) -> None:
    for step, request in (("create_transport", None), ("create_producer", "video"), ("create_consumer", "consume")):
        world, ada, bob = pair()
        recv = bob.transport("recv")
        producer = ada.produce(ada.transport("send"))
        send = bob.transport("send")
        getattr(world.media, when).add(step)
        if request is None:
            waiting = bob.begin("transport.create", direction="send")
        elif request == "video":
            waiting = bob.begin("producer.create", transportId=send, kind="video", rtpParameters=VP8)
        else:
            waiting = bob.begin("consumer.create", transportId=recv, producerId=producer, rtpCapabilities=CAPABILITIES)
        ada.call("peer.kick", peerId=bob.id)
        getattr(world.media, when).clear()
        assert b"error" in waiting.go_on()
        world.settle()
        assert len(world.media.transports) == 1, step
        assert len(world.media.producers) == 1
        assert world.media.consumers == {}


@pytest.mark.parametrize("when", ["hold", "hold_answer"])
def test_the_producer_closes_meanwhile(when: str) -> None:
    world, ada, bob = pair()
    producer, recv = ada.produce(ada.transport("send")), bob.transport("recv")
    getattr(world.media, when).add("create_consumer")
    waiting = bob.begin("consumer.create", transportId=recv, producerId=producer, rtpCapabilities=CAPABILITIES)
    ada.call("producer.close", producerId=producer)
    assert b"not_found" in waiting.go_on()
    world.settle()
    assert world.media.consumers == {}
    assert world.hub.census()["consumers"] == 0


@pytest.mark.parametrize("when", ["hold", "hold_answer"])
def test_the_room_becomes_audio_only_meanwhile(when: str) -> None:
    world, ada, bob = pair()
    send = bob.transport("send")
    getattr(world.media, when).add("create_producer")
    waiting = bob.begin("producer.create", transportId=send, kind="video", rtpParameters=VP8)
    ada.call("room.update", audioOnly=True)
    assert b"forbidden" in waiting.go_on()
    world.settle()
    assert world.media.producers == {}
    assert "producer.opened" not in ada.methods()


@pytest.mark.parametrize("step", ["open_room", "create_transport"])
def test_the_room_closes_meanwhile(step: str) -> None:
    world, ada, bob = pair()
    world.media.hold.add(step)
    waiting = bob.begin("transport.create", direction="send")
    ada.call("room.close")
    world.settle()
    assert b"not_in_room" in waiting.go_on() or step == "create_transport"
    world.settle()
    assert (world.media.rooms, world.media.transports) == (set(), {})


@pytest.mark.parametrize(
    ("step", "when"),
    [
        ("create_transport", "hold_answer"),
        ("create_producer", "hold"),
        ("create_producer", "hold_answer"),
    ],
)
def test_the_worker_dies_meanwhile(step: str, when: str) -> None:
    world, ada, _ = pair()
    send = "" if step != "create_producer" else ada.transport("send")
    getattr(world.media, when).add(step)
    if send:
        waiting = ada.begin("producer.create", transportId=send, kind="video", rtpParameters=VP8)
    else:
        waiting = ada.begin("transport.create", direction="send")
    world.hub.on_media_event(WorkerLost(world.media.lose_worker()))
    getattr(world.media, when).clear()
    assert b"error" in waiting.go_on()
    world.settle()
    assert world.hub.census()["transports"] == 0
    # And it can be done again at once, on another worker.
    ada.produce(ada.transport("send"))


def test_a_worker_dies_before_a_transport_is_made_on_another() -> None:
    world, ada, _ = pair()
    lost = ada.transport("send")
    world.media.hold.add("create_transport")
    waiting = ada.begin("transport.create", direction="send")
    world.hub.on_media_event(WorkerLost(world.media.lose_worker()))
    world.media.hold.clear()
    assert b"result" in waiting.go_on()
    assert world.hub.census()["transports"] == len(world.media.transports) == 1
    assert ada.refused("transport.stats", transportId=lost) == "not_found"


@pytest.mark.parametrize(
    ("step", "method"),
    [
        ("create_transport", "transport.create"),
        ("connect_transport", "transport.connect"),
        ("create_producer", "producer.create"),
        ("pause_producer", "producer.create"),
        ("create_consumer", "consumer.create"),
        ("pause_consumer", "consumer.pause"),
        ("close_producer", "producer.close"),
        ("close_transport", "transport.close"),
    ],
)
def test_a_cancelled_request_leaves_nothing_behind(step: str, method: str) -> None:
    world, ada, bob = pair()
    send, recv = ada.transport("send"), bob.transport("recv")
    producer = ada.produce(send, "audio")
    consumer = bob.consume(recv, producer, paused=False)["id"]
    params: dict[str, dict[str, Any]] = {
        "transport.create": {"direction": "send"},
        "transport.connect": {"transportId": send, "dtlsParameters": DTLS},
        "producer.create": {"transportId": send, "kind": "video", "rtpParameters": VP8, "paused": True},
        "consumer.create": {"transportId": recv, "producerId": producer, "rtpCapabilities": CAPABILITIES},
        "consumer.pause": {"consumerId": consumer},
        "producer.close": {"producerId": producer},
        "transport.close": {"transportId": send},
    }
    client = bob if method.startswith("consumer") else ada
    world.media.hold.add(step)
    client.begin(method, **params[method]).cancel()
    world.media.hold.clear()
    world.settle()
    census = world.hub.census()
    assert census["producers"] == len(world.media.producers)
    assert census["consumers"] == len(world.media.consumers)
    assert census["transports"] == len(world.media.transports)
    assert not world.media.paused
    assert client.session.peer is not None
    assert not +client.session.peer.pending
