"""What workers report, as rooms hear of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import structlog.testing

from simplestchat.media import wire
from simplestchat.media.channel import Answer
from simplestchat.media.groups import GroupBook
from simplestchat.media.objects import ObjectTable, Producer, Transport
from simplestchat.media.pipes import PipeBook
from simplestchat.media.placement import Load
from simplestchat.media.reports import Reports
from simplestchat.media.supervisor import Worker
from simplestchat.model.media import (
    BandwidthChanged,
    CodecSpec,
    LayersForwarded,
    LayersWanted,
    MediaEvent,
    ProducerLevels,
    ProducerSpec,
    SpeakerChanged,
    StreamSpec,
    TransportStateChanged,
)

CAMERA = ProducerSpec(
    kind="video",
    mid="7",
    streams=(StreamSpec(rid="l"), StreamSpec(rid="h")),
    codecs=(CodecSpec(96, 97, 90000, "vp8", nack=True, pli=True, fir=False),),
)
VOICE = ProducerSpec(
    kind="audio",
    mid="8",
    streams=(StreamSpec(ssrc=5),),
    codecs=(CodecSpec(111, -1, 48000, "opus", nack=True, pli=False, fir=False),),
)


@dataclass(eq=False)
class FakeWorker:
    """A worker that answers nothing."""

    index: int
    port: int = 40000
    load: Load = field(default_factory=Load)
    told: list[wire.Call] = field(default_factory=list)

    @property
    def channel(self) -> FakeWorker:
        return self

    def tell(self, call: wire.Call) -> None:
        self.told.append(call)

    def post(self, call: wire.Call) -> Answer:
        self.told.append(call)
        return Answer()


class Scene:
    """A camera and a voice at the first of two workers."""

    def __init__(self) -> None:
        self.heard: list[MediaEvent] = []
        self.objects = ObjectTable()
        self.fakes = [FakeWorker(0), FakeWorker(1)]
        self.workers = [cast("Worker", one) for one in self.fakes]
        self.groups = GroupBook(lambda room_id, producer: self.heard.append(SpeakerChanged(room_id, producer)))
        self.groups.open("room")
        self.pipes = PipeBook(self.objects, self.groups, lambda producer: self.reports.wishes_changed(producer))
        self.reports = Reports(self.objects, self.pipes, self.groups, self.tell)
        transport = Transport(self.objects.next_id(), "room", self.workers[0])
        self.objects.add(transport)
        self.camera = Producer(self.objects.next_id(), transport, CAMERA)
        self.voice = Producer(self.objects.next_id(), transport, VOICE, voice=True)
        for one in (self.camera, self.voice):
            self.objects.add(one)

    def tell(self, event: MediaEvent) -> None:
        self.heard.append(event)

    def report(self, worker: int, *event: Any) -> list[MediaEvent]:
        self.reports.take(self.workers[worker], list(event))
        heard, self.heard = self.heard, []
        return heard

    def wanted(self) -> list[int]:
        calls, self.fakes[0].told = self.fakes[0].told, []
        return [call.mask for call in calls if isinstance(call, wire.SetWanted) and call.id == self.camera.id]


def test_what_concerns_one_object_is_passed_on() -> None:
    scene = Scene()
    assert scene.report(0, "transport.state", 1, "failed") == [TransportStateChanged(1, "failed")]
    assert scene.report(0, "levels", [[3, 20]]) == [ProducerLevels(((3, 20),))]
    assert scene.report(0, "consumer.layers", 9, 1, 2, "bandwidth") == [LayersForwarded(9, 1, 2, "bandwidth")]
    assert scene.report(0, "transport.bandwidth", 1, 300_000) == [BandwidthChanged(1, 300_000)]


def test_what_is_not_known_is_logged_and_ignored() -> None:
    scene = Scene()
    with structlog.testing.capture_logs() as logs:
        for event in (["what"], ["producer.layers", "x", 1], ["consumer.layers", 1, 1], ["transport.state", 1, "odd"]):
            assert scene.report(0, *event) == []
    assert [one["event"] for one in logs] == ["worker sent an unknown event"] * 4
    for number in (1, 12345, scene.voice.id):
        assert scene.report(0, "producer.layers", number, 0) == []
    assert scene.report(0, "speaker", 77, scene.voice.id) == []


def test_layers_that_any_worker_takes_are_wanted() -> None:
    scene = Scene()
    number = scene.camera.id
    assert scene.report(0, "producer.layers", number, 0) == [LayersWanted(number, 0)]
    pipe = scene.pipes.hold(scene.camera, scene.workers[1])
    assert pipe is not None
    # Whoever has it piped wants all of it, until that worker knows better.
    assert (scene.wanted(), scene.heard) == ([0b11], [LayersWanted(number, 0b11)])
    scene.heard.clear()
    assert scene.report(1, "producer.layers", pipe.number, 0b01) == [LayersWanted(number, 0b01)]
    assert scene.report(0, "producer.layers", number, 0b01) == []
    assert scene.report(1, "producer.layers", pipe.number, 0) == []
    assert scene.wanted() == [0b01, 0]
    assert scene.report(0, "producer.layers", number, 0) == [LayersWanted(number, 0)]
    scene.pipes.let_go(pipe)
    assert scene.report(1, "producer.layers", pipe.number, 0b11) == []


def test_a_speaker_is_known_by_its_own_number_wherever_it_is_heard() -> None:
    scene = Scene()
    number = scene.voice.id
    pipe = scene.pipes.hold(scene.voice, scene.workers[1])
    assert pipe is not None
    assert scene.report(1, "speaker", 1, pipe.number) == [SpeakerChanged("room", number)]
    assert scene.report(0, "speaker", 1, number) == []
    assert scene.report(1, "speaker", 1, 0) == []
    assert scene.report(0, "speaker", 1, 999) == [SpeakerChanged("room", 0)]
