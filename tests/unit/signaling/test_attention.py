"""What of a room is sent: whom all hear, whose cameras are shown, and which layers nobody takes."""

from __future__ import annotations

from typing import Any

import pytest
from support.recorder import Client, World

from simplestchat.model.media import (
    BandwidthChanged,
    Decision,
    LayersForwarded,
    LayersWanted,
    SpeakerChanged,
)
from simplestchat.signaling.attention import MAX_EARLY
from simplestchat.signaling.limits import Limits

ONE_VP8 = {"mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000}


class Scene:
    """People with a microphone and a camera each, who all receive all cameras."""

    def __init__(self, *names: str, limits: Limits | None = None, video_limit: int | None = None) -> None:
        self.world = World(limits)
        self.people = [self.world.joined(name=name) for name in names]
        if video_limit is not None:
            self.people[0].call("room.update", videoLimit=video_limit)
        self.receivers = [one.transport("recv") for one in self.people]
        self.voices: list[int] = []
        self.cameras: list[int] = []
        self.ids: list[str] = []
        for one in self.people:
            send = one.transport("send")
            one.produce(send, "audio")
            self.voices.append(max(self.world.media.producers))
            self.ids.append(one.produce(send))
            self.cameras.append(max(self.world.media.producers))
        self.consumers = {
            (viewer, seen): self.people[viewer].consume(self.receivers[viewer], self.ids[seen])
            for viewer in range(len(names))
            for seen in range(len(names))
            if viewer != seen
        }
        self.quiet()

    def quiet(self) -> None:
        self.world.media.calls.clear()
        for one in self.people:
            one.box.take()

    @property
    def room(self) -> str:
        return next(iter(self.world.media.rooms))

    def speak(self, who: int | None) -> None:
        self.world.hub.on_media_event(SpeakerChanged(self.room, 0 if who is None else self.voices[who]))

    def calls(self, name: str) -> list[Any]:
        return [call[1:] for call in self.world.media.calls if call[0] == name]

    def told(self, who: int, method: str) -> list[dict[str, Any]]:
        return [one["params"] for one in self.people[who].box.take() if one["method"] == method]


# Speakers


def test_the_speaker_is_told_once_and_forgotten_with_its_peer() -> None:
    scene = Scene("Ada", "Bob")
    for who in (0, 0, 1, None, None, 0):
        scene.speak(who)
    ada, bob = scene.people
    assert [one.get("peerId") for one in scene.told(1, "speaker.active")] == [ada.id, bob.id, None, ada.id]
    ada.call("room.leave")
    assert [one.get("peerId") for one in scene.told(1, "speaker.active")] == [None]
    scene.speak(0)
    assert scene.told(1, "speaker.active") == []


def test_a_speaker_of_no_room_or_of_another_one_is_nobodys() -> None:
    scene = Scene("Ada")
    other = scene.world.joined("other", "Eve")
    other.produce(other.transport("send"), "audio")
    stranger = max(scene.world.media.producers)
    scene.world.hub.on_media_event(SpeakerChanged("nowhere", scene.voices[0]))
    scene.world.hub.on_media_event(SpeakerChanged(scene.room, stranger))
    assert scene.people[0].box.take() == []


def test_only_microphones_are_voices() -> None:
    world = World()
    ada = world.joined()
    send = ada.transport("send")
    ada.produce(send, "audio")
    (voice,) = world.media.producers
    ada.produce(send, "audio", ssrc=7, appData={"source": "screen-audio"})
    ada.produce(send)
    assert world.media.voices == {voice}


# Voices


def test_in_larger_rooms_only_the_loudest_are_heard() -> None:
    world = World(Limits(loudest=3, loudest_above=2))
    ada = world.joined()

    def heard() -> list[int]:
        calls, world.media.calls = world.media.calls, []
        return [call[2] for call in calls if call[0] == "set_loudest"]

    others = [world.joined(name="x") for _ in range(2)]
    assert heard() == []  # there is no media yet
    ada.transport("send")
    assert heard() == [3]
    others.pop().call("room.leave")
    assert heard() == [0]
    ada.call("room.update", loudest=5)
    assert heard() == [5]
    world.joined(name="y")
    assert heard() == []
    ada.call("room.update", loudest=0)
    ada.call("room.update", loudest=None)
    assert heard() == [0, 3]
    assert ada.refused("room.update", loudest=9) == "invalid_params"


# Last N


def test_cameras_of_who_did_not_speak_lately_are_held_back() -> None:
    scene = Scene("Ada", "Bob", "Eve", video_limit=2)
    assert scene.world.media.held == {scene.cameras[2]}
    assert scene.consumers[0, 2]["held"]
    assert not scene.consumers[0, 1]["held"]
    scene.speak(2)
    assert scene.calls("hold_producer") == [(scene.cameras[1], True), (scene.cameras[2], False)]
    held = {"consumerId": scene.consumers[0, 1]["id"], "reason": "last-n"}
    shown = {"consumerId": scene.consumers[0, 2]["id"], "reason": "last-n"}
    told = [(one["method"], one["params"]) for one in scene.people[0].box.take()]
    assert told == [
        ("speaker.active", {"peerId": scene.people[2].id}),
        ("consumer.paused", held),
        ("consumer.resumed", shown),
    ]
    # The publishers hear that nobody takes their encodings, or that somebody does again.
    assert scene.told(1, "producer.layers") == [{"producerId": scene.ids[1], "encodings": [False]}]
    assert scene.told(2, "producer.layers") == [{"producerId": scene.ids[2], "encodings": [True]}]
    # When a place becomes free, who lost one last gets it.
    scene.quiet()
    scene.people[0].call("producer.close", producerId=scene.ids[0])
    assert scene.calls("hold_producer") == [(scene.cameras[1], False)]


def test_a_room_says_its_limit_and_the_server_has_one_for_all() -> None:
    scene = Scene("Ada", "Bob", limits=Limits(video_limit=1))
    assert scene.people[0].joined["room"]["videoLimit"] == 1
    assert scene.world.media.held == {scene.cameras[1]}
    scene.people[0].call("room.update", videoLimit=0)
    assert scene.world.media.held == set()
    assert scene.told(1, "room.updated")[0]["videoLimit"] == 0
    assert scene.people[1].refused("room.update", videoLimit=1) == "forbidden"


def test_screens_and_further_cameras() -> None:
    scene = Scene("Ada", "Bob", video_limit=1)
    bob = scene.people[1]
    send = next(one.id for one in bob.session.peer.transports.values() if one.direction == "send")  # type: ignore[union-attr]
    bob.produce(send, ssrc=71, appData={"source": "screen"})
    assert max(scene.world.media.producers) not in scene.world.media.held
    bob.produce(send, ssrc=72)
    second = max(scene.world.media.producers)
    assert scene.world.media.held == {scene.cameras[1], second}
    bob.call("producer.close", producerId=scene.ids[1])
    scene.speak(1)
    assert scene.world.media.held == {scene.cameras[0]}


def test_who_comes_back_knows_what_is_held_and_which_layers_it_gets() -> None:
    scene = Scene("Ada", "Bob", video_limit=1)
    ada = scene.people[0]
    number = max(scene.world.media.consumers)  # Bob's, of Ada
    scene.world.hub.on_media_event(LayersForwarded(number, 2, 1, "wanted"))
    bob = scene.people[1]
    for client, held, layers in ((ada, True, None), (bob, False, (2, 1))):
        client.drop()
        again = scene.world.client()
        joined = again.join(resume=client.joined["resumeToken"])
        (consumer,) = joined["own"]["consumers"]
        assert consumer["held"] == held
        got = (consumer["spatialLayer"], consumer["temporalLayer"]) if "spatialLayer" in consumer else None
        assert got == layers
        camera = joined["own"]["producers"][1]
        assert camera["encodings"] == [held is True]


def test_changing_the_limit_of_a_room_counts_for_those_whom_it_concerns() -> None:
    scene = Scene("Ada", "Bob", limits=Limits(chat_spread=1, request_burst=100, requests_per_s=1))
    scene.world.now += 100
    # There are two consumers in the room: a change counts for three requests.
    answers = [scene.people[0].ask("room.update", videoLimit=step % 2) for step in range(1, 41)]
    assert sum("result" in one for one in answers) == 33
    scene.world.now += 100
    answers = [scene.people[0].ask("room.update", videoLimit=1) for _ in range(40)]
    assert sum("result" in one for one in answers) == 40


# Priorities


def test_speaker_before_screen_before_the_rest_unless_the_receiver_says() -> None:
    scene = Scene("Ada", "Bob", "Eve")
    by_id = {one.id: number for number, one in scene.world.hub._closer.consumers.items()}
    of = {key: by_id[made["id"]] for key, made in scene.consumers.items()}
    scene.speak(0)
    assert sorted(scene.calls("set_priority")) == sorted([(of[1, 0], 3), (of[2, 0], 3)])
    scene.quiet()
    scene.speak(1)
    expected = [(of[1, 0], 1), (of[2, 0], 1), (of[0, 1], 3), (of[2, 1], 3)]
    assert sorted(scene.calls("set_priority")) == sorted(expected)
    scene.quiet()
    scene.people[2].call("consumer.setPriority", consumerId=scene.consumers[2, 1]["id"], priority=200)
    scene.people[2].call("consumer.setPriority", consumerId=scene.consumers[2, 0]["id"], priority=1)
    assert scene.calls("set_priority") == [(of[2, 1], 200)]
    scene.quiet()
    scene.speak(None)
    assert scene.calls("set_priority") == [(of[0, 1], 1)]
    scene.people[2].call("consumer.setPriority", consumerId=scene.consumers[2, 1]["id"], priority=1)
    assert scene.calls("set_priority")[1:] == [(of[2, 1], 1)]


def test_a_screen_matters_more_from_the_start() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    screen = ada.produce(ada.transport("send"), appData={"source": "screen"})
    bob.consume(bob.transport("recv"), screen)
    assert world.media.calls[-1] == ("set_priority", max(world.media.consumers), 2)


def test_who_speaks_concerns_only_who_receives_it() -> None:
    """In a room of many, a new speaker costs as much as the people who look at two cameras."""
    scene = Scene("Ada", "Bob", video_limit=1)
    for _ in range(200):
        one = scene.world.joined(name="x")
        one.consume(one.transport("recv"), scene.ids[0], paused=False)
    scene.quiet()
    scene.speak(1)
    scene.speak(0)
    assert len(scene.calls("hold_producer")) == 4
    assert len(scene.world.media.calls) < 3 * 202


# Layers and bandwidth


def simulcast(client: Client, encodings: list[dict[str, Any]]) -> str:
    rows = [{"ssrc": 100 + number, **one} for number, one in enumerate(encodings)]
    made = client.call(
        "producer.create",
        transportId=client.transport("send"),
        kind="video",
        rtpParameters={"codecs": [ONE_VP8], "encodings": rows},
    )
    return str(made["id"])


@pytest.mark.parametrize(
    ("encodings", "masks", "told"),
    [
        ([{}, {}, {}], [0b111, 0b11, 0b11, 0, 0b100], [[1, 1, 0], [0, 0, 0], [0, 0, 1]]),
        ([{}], [1, 0, 1, 0xFF], [[0], [1]]),
        ([{"scalabilityMode": "L3T3_KEY"}], [7, 3, 1, 0, 4], [[1, 1], [1, 0], [0, None], [1, 2]]),
    ],
)
def test_a_publisher_hears_which_layers_anyone_takes(
    encodings: list[dict[str, Any]], masks: list[int], told: list[Any]
) -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    producer = simulcast(ada, encodings)
    (number,) = world.media.producers
    bob.box.take()
    ada.box.take()
    for mask in masks:
        world.hub.on_media_event(LayersWanted(number, mask))
    svc = "scalabilityMode" in encodings[0]
    got = []
    for notice in ada.box.take():
        params = notice["params"]
        assert (notice["method"], params["producerId"]) == ("producer.layers", producer)
        flags: list[Any] = [int(one) for one in params["encodings"]]
        got.append([*flags, params.get("maxSpatialLayer")] if svc else flags)
        assert svc or "maxSpatialLayer" not in params
    assert got == told
    assert bob.box.take() == []
    world.hub.on_media_event(LayersWanted(999, 1))


def test_a_receiver_hears_what_it_gets_and_why() -> None:
    scene = Scene("Ada", "Bob")
    number = min(scene.world.media.consumers)
    scene.world.hub.on_media_event(LayersForwarded(number, 1, 2, "bandwidth"))
    scene.world.hub.on_media_event(LayersForwarded(number, -1, -1, "hidden"))
    got = scene.people[0].box.take()
    consumer = scene.consumers[0, 1]["id"]
    assert [one["params"] for one in got] == [
        {"consumerId": consumer, "spatialLayer": 1, "temporalLayer": 2, "reason": "bandwidth"},
        {"consumerId": consumer, "reason": "hidden"},
    ]
    assert all("seq" not in one for one in got)
    assert scene.people[1].box.take() == []
    assert scene.world.hub.layer_changes == {"bandwidth": 1, "hidden": 1}


def test_what_a_worker_says_before_its_answer_is_not_lost() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    producer = ada.produce(ada.transport("send"))
    recv = bob.transport("recv")
    number = max(world.media.producers) + 2
    for other in range(10**6, 10**6 + MAX_EARLY + 10):
        world.hub.on_media_event(LayersForwarded(other, 0, 0, "wanted"))
    world.hub.on_media_event(LayersForwarded(number, 0, 1, "wanted"))
    bob.box.take()
    made = bob.consume(recv, producer)
    assert max(world.media.consumers) == number
    (layers,) = bob.box.take()
    assert layers["params"] == {"consumerId": made["id"], "spatialLayer": 0, "temporalLayer": 1, "reason": "wanted"}
    assert len(world.hub._attention._early) < MAX_EARLY + 1


def test_bandwidth_is_told_to_its_peer_and_counted() -> None:
    world = World()
    ada, bob = world.joined(), world.joined(name="Bob")
    transport = ada.transport("recv")
    (number,) = world.media.transports
    for client in (ada, bob):
        client.box.take()
    world.hub.on_media_event(BandwidthChanged(number, 1_200_000))
    world.hub.on_media_event(BandwidthChanged(99, 40_000))
    (told,) = ada.box.take()
    assert (told["method"], told["params"]) == (
        "transport.bandwidth",
        {"transportId": transport, "availableBitrate": 1_200_000},
    )
    assert "seq" not in told
    assert bob.box.take() == []
    assert sum(world.hub.estimates.counts) == 2


def test_decisions_are_told_by_consumer() -> None:
    scene = Scene("Ada", "Bob")
    number = min(scene.world.media.consumers)
    at = int((scene.world.now - 2.5) * 1_000_000)
    scene.world.media.chosen = [
        Decision(at, number, -1, -1, 1, 2, "wanted", 900_000),
        Decision(at, 12345, 0, 0, 1, 1, "wanted", 900_000),
    ]
    (row,) = scene.people[0].call("transport.decisions", transportId=scene.receivers[0])["decisions"]
    assert row == {
        "agoMs": 2500,
        "consumerId": scene.consumers[0, 1]["id"],
        "spatialLayer": 1,
        "temporalLayer": 2,
        "reason": "wanted",
        "availableBitrate": 900_000,
    }
    assert scene.people[1].refused("transport.decisions", transportId=scene.receivers[0]) == "not_found"
