"""Transports, producers and consumers: what people ask for, and what they may not have."""

from typing import Any

import pytest
from support.recorder import CAPABILITIES, DTLS, OPUS, VP8, Client, World

from simplestchat.signaling.limits import Limits


def pair(limits: Limits | None = None) -> tuple[World, Client, Client]:
    world = World(limits)
    ada, bob = world.joined(), world.joined(name="Bob")
    ada.box.take()
    return world, ada, bob


def test_a_transport_is_what_mediasoup_client_takes() -> None:
    world, ada, _ = pair()
    made = ada.call("transport.create", direction="send", sctp=True)
    assert made["iceParameters"] == {"usernameFragment": "ufrag", "password": "password", "iceLite": True}
    assert made["iceCandidates"] == [
        {
            "foundation": "1",
            "priority": 2130706431,
            "ip": "192.0.2.1",
            "address": "192.0.2.1",
            "protocol": "udp",
            "port": 40000,
            "type": "host",
        }
    ]
    assert made["dtlsParameters"] == {
        "role": "auto",
        "fingerprints": [{"algorithm": "sha-256", "value": "00:11"}],
    }
    assert ada.call("transport.connect", transportId=made["id"], dtlsParameters=DTLS) == {}
    ((role, fingerprints),) = world.media.connected.values()
    assert (role, fingerprints[0].algorithm) == ("client", "sha-256")
    assert ada.refused("transport.connect", transportId=made["id"], dtlsParameters=DTLS) == "conflict"
    again = ada.call("transport.restartIce", transportId=made["id"])
    assert again == {"iceParameters": {"usernameFragment": "again", "password": "secret", "iceLite": True}}
    stats = ada.call("transport.stats", transportId=made["id"])
    assert (stats["state"], stats["packetsIn"], stats["roundTripUs"]) == ("new", 0, 0)
    assert ada.call("transport.close", transportId=made["id"]) == {}
    assert world.media.transports == {}
    assert ada.refused("transport.stats", transportId=made["id"]) == "not_found"


def fingerprint(algorithm: str, value: str) -> dict[str, Any]:
    return {"role": "auto", "fingerprints": [{"algorithm": algorithm, "value": value}]}


@pytest.mark.parametrize(
    "dtls",
    [
        {"role": "auto", "fingerprints": []},
        {"role": "boss", "fingerprints": DTLS["fingerprints"]},
        {"fingerprints": [{"algorithm": "sha-256"}]},
        fingerprint("sha-1", ":".join(["AB"] * 20)),
        fingerprint("md5", ":".join(["AB"] * 16)),
        fingerprint("sha-256", ":".join(["AB"] * 31)),
        fingerprint("sha-256", ":".join(["AB"] * 64)),
        fingerprint("sha-256", "AB" * 32),
        fingerprint("sha-256", ":".join(["GG"] * 32)),
        fingerprint("sha-512", ":".join(["AB"] * 32)),
        {"role": "auto", "fingerprints": DTLS["fingerprints"] * 17},  # type: ignore[operator]
    ],
)
def test_certificates_that_cannot_be_checked_are_refused(dtls: dict[str, Any]) -> None:
    world, ada, _ = pair()
    transport = ada.transport("send")
    assert ada.refused("transport.connect", transportId=transport, dtlsParameters=dtls) == "invalid_params"
    assert world.media.connected == {}
    ada.call(
        "transport.connect",
        transportId=transport,
        dtlsParameters={"fingerprints": [{"algorithm": "SHA-384", "value": ":".join(["ab"] * 48)}]},
    )
    ((role, (known,)),) = world.media.connected.values()
    assert (role, known.algorithm, known.value[:5]) == ("auto", "sha-384", "AB:AB")


def test_a_track_from_one_to_the_other() -> None:
    world, ada, bob = pair()
    send, recv = ada.transport("send"), bob.transport("recv")
    producer = ada.produce(send, appData={"source": "screen"})
    (opened,) = bob.box.take()
    assert opened["params"] == {
        "peerId": ada.id,
        "producerId": producer,
        "kind": "video",
        "source": "screen",
        "paused": False,
    }
    assert ada.box.take() == []
    got = bob.consume(recv, producer)
    assert (got["producerId"], got["kind"], got["type"], got["producerPaused"]) == (producer, "video", "simple", False)
    assert got["rtpParameters"]["mid"] == "0"
    assert len(world.media.paused) == 1
    for method in ("resume", "pause", "resume"):
        bob.call(f"consumer.{method}", consumerId=got["id"])
    assert not world.media.paused
    bob.call("consumer.setPreferredLayers", consumerId=got["id"], spatialLayer=1)
    bob.call("consumer.setPreferredLayers", consumerId=got["id"], spatialLayer=1, temporalLayer=0)
    bob.call("consumer.setPriority", consumerId=got["id"], priority=255)
    bob.call("consumer.requestKeyFrame", consumerId=got["id"])
    assert [call[0] for call in world.media.calls[-4:]] == [
        "set_preferred_layers",
        "set_preferred_layers",
        "set_priority",
        "request_keyframe",
    ]
    for priority in (0, 256):
        assert bob.refused("consumer.setPriority", consumerId=got["id"], priority=priority) == "invalid_params"
    bob.call("consumer.close", consumerId=got["id"])
    assert world.media.consumers == {}
    assert bob.box.take() == []
    assert bob.refused("consumer.resume", consumerId=got["id"]) == "not_found"


def test_muting_is_seen_once() -> None:
    world, ada, bob = pair()
    producer = ada.produce(ada.transport("send"), "audio", paused=True)
    assert bob.box.take()[0]["params"]["paused"]
    assert bob.consume(bob.transport("recv"), producer, paused=False)["producerPaused"]
    assert world.joined(name="Eve").joined["peers"][0]["producers"] == [
        {"producerId": producer, "kind": "audio", "source": "microphone", "paused": True}
    ]
    bob.box.take()
    for method in ("resume", "resume", "pause", "pause"):
        ada.call(f"producer.{method}", producerId=producer)
    assert bob.methods() == ["producer.resumed", "producer.paused"]
    ada.call("producer.resume", producerId=producer)
    assert not world.joined(name="Dan").joined["peers"][0]["producers"][0]["paused"]
    ada.call("producer.close", producerId=producer)
    assert world.joined(name="Zoe").joined["peers"][0]["producers"] == []


def test_closing_a_track_or_a_transport_closes_what_hangs_on_it() -> None:
    world, ada, bob = pair()
    send, recv = ada.transport("send"), bob.transport("recv")
    first = bob.consume(recv, ada.produce(send, "audio"))
    bob.consume(recv, ada.produce(send))
    bob.box.take()
    ada.call("producer.close", producerId=first["producerId"])
    assert [one["params"].get("reason") for one in bob.box.take()] == ["closed", "closed"]
    ada.call("transport.close", transportId=send)
    assert bob.methods() == ["consumer.closed", "producer.closed"]
    assert ada.box.take() == []
    assert (world.media.producers, world.media.consumers) == ({}, {})
    assert world.hub.census()["consumers"] == 0


def test_ssrcs_and_mids_of_consumers_are_never_used_twice() -> None:
    world, ada, bob = pair()
    producer, recv = ada.produce(ada.transport("send")), bob.transport("recv")
    ssrcs, mids = set(), set()
    for _ in range(100):
        got = bob.consume(recv, producer)
        ssrcs.add(got["rtpParameters"]["encodings"][0]["ssrc"])
        mids.add(got["rtpParameters"]["mid"])
        bob.call("consumer.close", consumerId=got["id"])
    assert (len(ssrcs), len(mids)) == (100, 100)
    assert world.media.consumers == {}


def test_a_second_claim_to_an_ssrc_or_a_mid_is_refused() -> None:
    _, ada, bob = pair()
    send = ada.transport("send")
    ada.produce(send)
    twice = {"transportId": send, "kind": "video", "rtpParameters": VP8}
    assert ada.refused("producer.create", **twice) == "invalid_params"
    mid = {"mid": "0", "codecs": OPUS["codecs"], "encodings": [{"ssrc": 5}]}
    ada.call("producer.create", transportId=send, kind="audio", rtpParameters=mid)
    same_mid = {**mid, "encodings": [{"ssrc": 6}]}
    assert ada.refused("producer.create", transportId=send, kind="audio", rtpParameters=same_mid) == "invalid_params"
    # Another peer's numbers are its own.
    bob.produce(bob.transport("send"))


@pytest.mark.parametrize(
    ("reason", "change"),
    [
        ("incompatible_codecs", {"rtpParameters": {**VP8, "codecs": [{**VP8["codecs"][0], "mimeType": "video/H265"}]}}),  # type: ignore[dict-item]
        ("invalid_params", {"kind": "audio"}),
        ("invalid_params", {"kind": "smell"}),
        ("invalid_params", {"appData": {"source": "microphone"}}),
        ("invalid_params", {"appData": {"source": "nose"}}),
        ("invalid_params", {"rtpParameters": {}}),
    ],
)
def test_what_cannot_be_published(reason: str, change: dict[str, Any]) -> None:
    world, ada, bob = pair()
    params = {"transportId": ada.transport("send"), "kind": "video", "rtpParameters": VP8, **change}
    assert ada.refused("producer.create", **params) == reason
    assert world.media.producers == {}
    assert bob.box.take() == []


def test_directions_are_kept_apart() -> None:
    _, ada, bob = pair()
    producer = ada.produce(ada.transport("send"))
    params = {"transportId": ada.transport("recv"), "kind": "video", "rtpParameters": VP8}
    assert ada.refused("producer.create", **params) == "invalid_params"
    wrong = {"transportId": bob.transport("send"), "producerId": producer, "rtpCapabilities": CAPABILITIES}
    assert bob.refused("consumer.create", **wrong) == "invalid_params"
    nothing = {**wrong, "transportId": bob.transport("recv"), "rtpCapabilities": {}}
    assert bob.refused("consumer.create", **nothing) == "incompatible_codecs"


def test_quotas() -> None:
    world, ada, bob = pair(Limits(transports=2, producers=2, consumers=3))
    send, _ = ada.transport("send"), ada.transport("recv")
    assert ada.refused("transport.create", direction="send") == "quota"
    producer = ada.produce(send)
    ada.produce(send, "audio")
    more = {"transportId": send, "kind": "video", "rtpParameters": {**VP8, "encodings": [{"ssrc": 9}]}}
    assert ada.refused("producer.create", **more) == "quota"
    recv = bob.transport("recv")
    consumers = [bob.consume(recv, producer)["id"] for _ in range(3)]
    again = {"transportId": recv, "producerId": producer, "rtpCapabilities": CAPABILITIES}
    assert bob.refused("consumer.create", **again) == "quota"
    bob.call("consumer.close", consumerId=consumers[0])
    bob.consume(recv, producer)
    assert len(world.media.consumers) == 3


def test_audio_only_rooms() -> None:
    world, ada, bob = pair()
    send, recv = bob.transport("send"), ada.transport("recv")
    video, audio = bob.produce(send), bob.produce(send, "audio")
    ada.consume(recv, video)
    ada.box.take()
    bob.box.take()
    ada.call("room.update", audioOnly=True)
    world.settle()
    assert ada.methods() == ["room.updated", "consumer.closed", "producer.closed"]
    assert bob.methods() == ["room.updated", "producer.closed"]
    assert [producer["producerId"] for producer in _producers(world)] == [audio]
    assert len(world.media.producers) == 1
    assert bob.refused("producer.create", transportId=send, kind="video", rtpParameters=VP8) == "forbidden"
    ada.call("room.update", audioOnly=False)
    bob.produce(send)


def _producers(world: World) -> list[dict[str, Any]]:
    eve = world.joined(name="Eve")
    found = [one for peer in eve.joined["peers"] for one in peer["producers"]]
    eve.call("room.leave")
    return found
