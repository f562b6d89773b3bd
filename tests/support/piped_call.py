"""Users of one crowd at several workers, each a process of its own, and the pipes between these."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

from support.live_call import RunningCrowd
from support.worker_end import WorkerEnd

from simplestchat._native.peer.swarm import EVENT_CONNECTED
from simplestchat.media import wire

KEYS = (bytes(range(28)), bytes(range(100, 128)))
OPUS = {"codec": "opus", "payload_type": 111, "rtx_payload_type": -1, "clock_rate": 48_000}
VP8 = {"codec": "vp8", "payload_type": 96, "rtx_payload_type": 97, "clock_rate": 90_000}
FORMS = {
    "audio": {**OPUS, "bitrate_bps": 32_000, "fps": 0, "width": 0, "height": 0},
    "video": {**VP8, "bitrate_bps": 800_000, "fps": 30, "width": 640, "height": 360},
}
_LAYER = ("bitrate_bps", "width", "height")
_TURNS = {"talk": 1, "dtx": False, "talk_ms": 1000, "silence_ms": 1000}
Address = tuple[str, int]


@dataclass
class Person:
    """Somebody with a transport at a worker."""

    worker: WorkerEnd
    path: int


@dataclass
class Track:
    """What somebody publishes."""

    id: int
    publisher: Person
    form: dict[str, Any]

    @property
    def video(self) -> bool:
        return self.form["codec"] == "vp8"

    @property
    def codecs(self) -> Any:
        form = self.form
        names = ("payload_type", "rtx_payload_type", "clock_rate", "codec")
        return [(*(form[name] for name in names), True, self.video, self.video)]


class PipedCall:
    """Media objects of all workers have one row of numbers, as a node gives them."""

    def __init__(self, running: RunningCrowd, hosts: dict[WorkerEnd, str]) -> None:
        """``hosts`` are the addresses at which the users reach the workers."""
        self.running, self.swarm, self._hosts = running, running.swarm, hosts
        self._ids, self._ssrcs = itertools.count(1), itertools.count(1)

    def new_id(self) -> int:
        return next(self._ids)

    def link(self, one: WorkerEnd, other: WorkerEnd, towards: tuple[Address, Address]) -> dict[WorkerEnd, int]:
        """A pipe between two workers, which send to these addresses; the transport's number at each."""
        made = {one: self.new_id(), other: self.new_id()}
        for worker, remote, keys in ((one, towards[0], KEYS), (other, towards[1], KEYS[::-1])):
            worker.ask(wire.CreatePipe(made[worker], remote, (self._hosts[worker], worker.port), *keys))
        return made

    def join(self, worker: WorkerEnd) -> Person:
        path = self.new_id()
        ufrag, password = worker.ask(wire.CreateTransport(path))
        worker.ask(wire.ConnectTransport(path, "client", [self.swarm.fingerprint]))
        address = (self._hosts[worker], worker.port)
        self.swarm.add_path(path, path, address, ufrag, password, worker.fingerprint, path)
        self.running.wait_for(EVENT_CONNECTED, path)
        return Person(worker, path)

    def publish(self, person: Person, kind: str, **changes: Any) -> Track:
        """A track that does not send yet, see ``start``."""
        track = Track(self.new_id(), person, {**FORMS[kind], **changes})
        ssrc, rtx_ssrc = self._ssrcs_of(track)
        person.worker.ask(
            wire.CreateProducer(track.id, person.path, kind, "", [(ssrc, rtx_ssrc, "")], track.codecs, {})
        )
        return track

    def start(self, track: Track) -> None:
        form, (ssrc, rtx_ssrc) = track.form, self._ssrcs_of(track)
        info: Any = {name: value for name, value in form.items() if name not in _LAYER}
        info |= {"user": track.publisher.path, "track": int(track.video), "seed": track.id, "mid": "", "ext": {}}
        layer = {"ssrc": ssrc, "rtx_ssrc": rtx_ssrc, "rid": "", **{name: form[name] for name in _LAYER}}
        self.swarm.add_sender(
            track.id, track.publisher.path, {**info, **_TURNS, "max_payload": 1100, "layers": [layer]}
        )

    def pipe(self, track: Track, link: dict[WorkerEnd, int]) -> int:
        """The track at the other worker: the number of the producer there."""
        near = track.publisher.worker
        (far,) = set(link) - {near}
        number, ssrc, rtx_ssrc = self.new_id(), next(self._ssrcs), next(self._ssrcs) if track.video else 0
        kind = "video" if track.video else "audio"
        far.ask(wire.CreateProducer(number, link[far], kind, "", [(ssrc, rtx_ssrc, "")], track.codecs, {}))
        near.ask(wire.PipeProducer(link[near], track.id, [(self.new_id(), ssrc, rtx_ssrc)]))
        return number

    def watch(self, viewer: Person, track: Track, number: int) -> int:
        """Receive a track that has this number at the viewer's worker; the number of the receiver."""
        receiver, (ssrc, rtx_ssrc) = self.new_id(), self._ssrcs_of(track)
        form, video = track.form, track.video
        wanted: Any = {name: form[name] for name in ("codec", "payload_type", "rtx_payload_type", "clock_rate")}
        wanted |= {"user": track.publisher.path, "track": int(video), "ssrc": ssrc, "rtx_ssrc": rtx_ssrc, "ext": {}}
        self.swarm.add_receiver(receiver, viewer.path, wanted)
        maps = [(form["payload_type"], form["payload_type"], form["rtx_payload_type"])]
        viewer.worker.ask(
            wire.CreateConsumer(receiver, viewer.path, number, ssrc, rtx_ssrc, maps, {}, "", paused=False, cname="")
        )
        return receiver

    @staticmethod
    def _ssrcs_of(track: Track) -> tuple[int, int]:
        return 100_000 + track.id, 200_000 + track.id if track.video else 0
