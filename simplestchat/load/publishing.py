"""What a user publishes: its tracks announced as mediasoup-client would, turns to talk, mutes, and the end of it.

Rules of a mute, so that a server that forwards in spite of it is caught and one that does not never seems to:
 - The sender falls silent, and ``DRAIN_S`` later producer.pause is asked for: nothing that may arrive is cut off.
 - After that was acknowledged the sender goes on, each packet stamped as forbidden (over a clear path; over
   another one it falls silent, since what is late there may arrive rightly after the next resume).
 - ``QUIET_S`` before the resume it falls silent, so that nothing forbidden is under way any more.
 - After producer.resume was acknowledged it waits for ``NEWS_S``, until all subscribers know.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import msgspec
import trio

from simplestchat.load import device
from simplestchat.load.client import RequestFailed
from simplestchat.load.presets import AUDIO_BITRATE_BPS, TRACK_CAMERA, TRACK_MICROPHONE, Layer, layers, preset
from simplestchat.load.rooms import Publication
from simplestchat.signaling.notices import ProducerLayers
from simplestchat.signaling.requests import AppData, ProducerCreate, ProducerCreated, ProducerRef

if TYPE_CHECKING:
    from simplestchat._native.peer.swarm import SenderInfo
    from simplestchat.load.plan import Mute
    from simplestchat.load.stay import Stay
    from simplestchat.load.transports import Path

DRAIN_S = 0.1
QUIET_S = 1.5
NEWS_S = 1.0
_TALK = {"always": 1, "turns": 0, "spurts": 2, "never": 0}


def layers_wanted(notice: ProducerLayers) -> int:
    """The encodings, or spatial layers of one, that somebody receives: a bit each. Servers have said it by a list of
    numbers and by one of truths, and of spatial layers by the highest.
    """
    said = msgspec.structs.asdict(notice)
    highest = said.get("max_spatial_layer")
    if highest is not None:
        return (2 << highest) - 1 if highest >= 0 else 0
    if said.get("encodings") is not None:
        return sum(1 << number for number, wanted in enumerate(said["encodings"]) if wanted)
    return sum(1 << number for number in said.get("wanted", ()))


class Track:
    """One published track."""

    __slots__ = ("begun", "info", "muted", "publication")

    def __init__(self, publication: Publication, info: SenderInfo) -> None:
        self.publication = publication
        self.info = info
        self.begun = False
        self.muted = False


class Publishing:
    """All tracks of one stay."""

    __slots__ = ("_over", "_starts", "_stay", "tracks")

    def __init__(self, stay: Stay) -> None:
        self._stay = stay
        self._over = False
        self._starts = 0
        self.tracks: dict[bool, Track] = {}
        """By whether it is the video."""

    async def start(self, path: Path) -> None:
        """Announce the tracks; they are sent once the path stands. Raises ``RequestFailed``."""
        plan = self._stay.plan
        wanted = [video for video, there in ((False, plan.audio), (True, plan.video)) if there]
        starts, self._starts = self._starts, self._starts + 1
        for number, video in enumerate(wanted):
            chance = random.Random(self._stay.seed(starts, "camera" if video else "microphone"))
            try:
                await self._announce(path, str(number), chance, video=video)
            except device.NotNegotiated as error:
                self._stay.world.tally.fault("not-negotiated", plan.index, str(error))

    async def _announce(self, path: Path, mid: str, chance: random.Random, *, video: bool) -> None:
        stay, publish = self._stay, self._stay.world.scenario.publish
        if video:
            camera = preset(publish.video, publish.bitrate_bps)
            encodings = layers(camera, simulcast=publish.simulcast, rates=publish.layers)
        else:
            encodings = (Layer("", 0, 0, AUDIO_BITRATE_BPS),)
        infos = device.layer_infos(encodings, chance, rtx=video)
        scalability = publish.scalability if video else "L1T1"
        parameters = device.sending(
            stay.offered,
            stay.plan.codec if video else "opus",
            mid,
            f"u{stay.plan.index}",
            infos,
            dtx=publish.dtx,
            scalability=scalability,
        )
        info: SenderInfo = {
            "user": stay.plan.index,
            "track": TRACK_CAMERA if video else TRACK_MICROPHONE,
            **device.numbers(parameters),  # type: ignore[typeddict-item]
            "fps": camera.fps if video else 50,
            "max_payload": device.MAX_PAYLOAD,
            "mid": mid,
            "talk": _TALK[publish.talk],  # turns are said by the agenda
            "dtx": publish.dtx,
            "talk_ms": round(publish.talk_s * 1000),
            "silence_ms": round(publish.silence_s * 1000),
            "seed": chance.getrandbits(63),
            "scalability": scalability,
            "layers": infos,
        }
        created: ProducerCreated = await stay.client.call(
            "producer.create",
            ProducerCreate(
                transport_id=path.transport_id,
                kind="video" if video else "audio",
                rtp_parameters=parameters,
                app_data=AppData(source="camera" if video else "microphone"),
            ),
        )
        certain = len(infos) == 1 and scalability == "L1T1" and not stay.disturbed
        publication = Publication(stay.plan.index, video=video, sender=stay.world.media.new_number(), certain=certain)
        publication.producer_id = created.id
        stay.room.publish(publication)
        track = self.tracks[video] = Track(publication, info)
        path.when_connected(lambda: self._begin(track, path))

    def _begin(self, track: Track, path: Path) -> None:
        if self._over or self.tracks.get(track.publication.video) is not track:
            return
        self._stay.world.media.swarm.add_sender(track.publication.sender, path.number, track.info)
        track.begun = True
        if track.publication.layers is not None:
            self._stay.world.media.swarm.set_layers(track.publication.sender, track.publication.layers)
        if self._stay.world.silent:
            self.stop()
        elif not track.publication.video and self._stay.world.scenario.publish.talk == "turns":
            self._take_turns(track)

    # Talking in turns

    def _take_turns(self, track: Track) -> None:
        """Talk now or wait for the turn, and look again when that changes."""
        if self._over or self.tracks.get(False) is not track:
            return
        world, plan = self._stay.world, self._stay.plan
        now = world.now_s()
        begin, end = world.plan.turn(plan.room, plan.place, now)
        mine = begin <= now
        world.media.swarm.talk(track.publication.sender, mine)
        world.agenda.at(world.at_us(end if mine else begin) + 1, lambda: self._take_turns(track))

    # Mutes

    async def mute(self, mute: Mute) -> None:
        """Carry a mute out; its later parts come by the agenda."""
        track = self.tracks.get(mute.video)
        if track is None or self._over:
            return
        stay, sender = self._stay, track.publication.sender
        if not track.begun:
            return
        track.muted = True
        stay.world.media.swarm.mute(sender, True)
        await trio.sleep(DRAIN_S)
        if self._over:
            return
        if not await self._ask("producer.pause", track):
            self._speak(track)
            return
        stay.world.media.swarm.mute(sender, True, not stay.disturbed)
        at_us = stay.world.at_us(mute.end_s)
        stay.world.agenda.at(at_us - round(1_000_000 * (QUIET_S + NEWS_S)), lambda: self._quiet(track))
        stay.world.agenda.at(at_us - round(1_000_000 * NEWS_S), lambda: stay.do(lambda: self._unmute(track)))

    def _quiet(self, track: Track) -> None:
        if self._lives(track):
            self._stay.world.media.swarm.mute(track.publication.sender, True)

    async def _unmute(self, track: Track) -> None:
        if self._lives(track) and await self._ask("producer.resume", track):
            self._stay.world.agenda.after(NEWS_S, lambda: self._speak(track))

    def _speak(self, track: Track) -> None:
        if self._lives(track):
            track.muted = False
            self._stay.world.media.swarm.mute(track.publication.sender, False)

    def _lives(self, track: Track) -> bool:
        return not self._over and self.tracks.get(track.publication.video) is track

    async def _ask(self, method: str, track: Track) -> bool:
        try:
            await self._stay.client.call(method, ProducerRef(producer_id=track.publication.producer_id))
        except RequestFailed as error:
            self._stay.refused(error)
            return False
        return True

    def wanted(self, notice: ProducerLayers) -> None:
        """The server says which encodings anyone receives; the others need not be sent."""
        for track in self.tracks.values():
            if track.publication.producer_id == notice.producer_id:
                track.publication.layers = layers_wanted(notice)
                if track.begun:
                    self._stay.world.media.swarm.set_layers(track.publication.sender, track.publication.layers)

    # The end

    def closed(self, producer_id: str) -> None:
        """The server closed one of ours."""
        for video, track in tuple(self.tracks.items()):
            if track.publication.producer_id == producer_id:
                del self.tracks[video]
                self._stay.world.tally.add("races")

    def stop(self) -> None:
        """Fall silent for good."""
        swarm = self._stay.world.media.swarm
        for track in self.tracks.values():
            if track.begun and track.publication.final is None:
                swarm.mute(track.publication.sender, True)
                counters = swarm.sender_totals(track.publication.sender)["counters"]
                track.publication.final = None if track.muted else int(counters[0])
        self._over = True

    def forget(self) -> None:
        """Its path is gone; another one may be made."""
        self.tracks.clear()
