"""What of a room is worth sending: who speaks, whose cameras are shown, how many voices are heard, what matters most.

The media plane is told in the order in which things happen, and never waited for. An event costs as much as the people
whom it concerns: those who receive the cameras of two peers at most, and those who are told that somebody else speaks.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from simplestchat.model.media import LayersForwarded, MediaPort
from simplestchat.signaling.lastn import Changes
from simplestchat.signaling.limits import Limits
from simplestchat.signaling.notices import (
    ConsumerLayers,
    ConsumerPaused,
    ConsumerResumed,
    ProducerLayers,
    SpeakerActive,
)
from simplestchat.signaling.state import Consumer, Peer, Producer, Room

#: How much a video matters to a receiver that does not say so itself.
PRIORITY: Final = 1
SCREEN_PRIORITY: Final = 2
SPEAKER_PRIORITY: Final = 3
#: What was told of consumers that the node does not know yet: their making is under way.
MAX_EARLY: Final = 4096


class Attention:
    """Keeps rooms' speakers, last N, loudest and priorities, for all rooms."""

    def __init__(self, media: MediaPort, limits: Limits) -> None:
        self._media = media
        self._limits = limits
        self._early: OrderedDict[int, LayersForwarded] = OrderedDict()

    # Speakers

    def speaker_changed(self, room: Room, peer: Peer | None) -> None:
        """Somebody else speaks, or nobody does."""
        before = room.peers.get(room.speaker or "")
        speaker = None if peer is None else peer.id
        if speaker == room.speaker:
            return
        room.speaker = speaker
        room.announce(SpeakerActive(peer_id=speaker))
        if peer is not None:
            self._show(room, room.last_n.spoke(peer.id))
        for one in (before, peer):
            if one is not None:
                self._rank_cameras(one)

    def peer_left(self, peer: Peer) -> None:
        """A peer is gone from its room."""
        if peer.room.speaker == peer.id:
            self.speaker_changed(peer.room, None)
        self.resized(peer.room)

    # Voices

    def resized(self, room: Room) -> None:
        """People came or went, the media plane knows the room now, or its owner wants other voices heard."""
        few = len(room.peers) <= self._limits.loudest_above
        loudest = room.loudest if room.loudest is not None else 0 if few else self._limits.loudest
        if room.media_open and loudest != room.heard:
            room.heard = loudest
            self._media.set_loudest(room.key, loudest)

    # Cameras

    def limit_videos(self, room: Room, limit: int) -> None:
        """Show at most so many cameras of a room; 0: all."""
        self._show(room, room.last_n.set_limit(limit))

    def producer_opened(self, producer: Producer) -> None:
        """A track is published."""
        if producer.source == "camera":
            room = producer.peer.room
            self._show(room, room.last_n.opened(producer.peer.id))
            self._hold(producer, room.last_n.holds(producer.peer.id))

    def producer_closed(self, producer: Producer) -> None:
        """A track is gone."""
        peer = producer.peer
        if producer.source == "camera" and not any(one.source == "camera" for one in peer.producers.values()):
            self._show(peer.room, peer.room.last_n.closed(peer.id))

    def _show(self, room: Room, changes: Changes) -> None:
        for peer_id, held in changes:
            peer = room.peers.get(peer_id)
            for producer in peer.producers.values() if peer is not None else ():
                if producer.source == "camera":
                    self._hold(producer, held)

    def _hold(self, producer: Producer, held: bool) -> None:
        if producer.held == held:
            return
        producer.held = held
        self._media.hold_producer(producer.number, held)
        for consumer in producer.consumers.values():
            notice = ConsumerPaused if held else ConsumerResumed
            consumer.transport.peer.tell(notice(consumer_id=consumer.id, reason="last-n"))
        self._tell_publisher(producer)

    # Layers

    def layers_wanted(self, producer: Producer, mask: int) -> None:
        """The media plane says which spatial layers of a track anyone receives."""
        producer.wanted = mask
        self._tell_publisher(producer)

    def _tell_publisher(self, producer: Producer) -> None:
        wanted = producer.layers_wanted()
        if wanted != producer.told:
            producer.told = wanted
            encodings, highest = wanted
            producer.peer.tell(
                ProducerLayers(producer_id=producer.id, encodings=list(encodings), max_spatial_layer=highest)
            )

    def layers_forwarded(self, consumer: Consumer | None, event: LayersForwarded) -> None:
        """The media plane says what a subscriber gets."""
        if consumer is None:
            self._early[event.consumer] = event
            self._early.move_to_end(event.consumer)
            if len(self._early) > MAX_EARLY:
                self._early.popitem(last=False)
            return
        nothing = event.spatial < 0
        consumer.layers = None if nothing else (event.spatial, event.temporal)
        consumer.transport.peer.tell(
            ConsumerLayers(
                consumer_id=consumer.id,
                spatial_layer=None if nothing else event.spatial,
                temporal_layer=None if nothing else event.temporal,
                reason=event.reason,
            )
        )

    # Priorities

    def consumer_opened(self, consumer: Consumer) -> None:
        """A track is received by one more."""
        self.rank(consumer)
        early = self._early.pop(consumer.number, None)
        if early is not None:
            self.layers_forwarded(consumer, early)

    def rank(self, consumer: Consumer) -> None:
        """Tell the media plane how much a track matters: as its receiver says, else by what it shows."""
        if consumer.producer.production.kind == "audio":
            return
        priority = consumer.priority if consumer.priority > PRIORITY else _natural(consumer.producer)
        if priority != consumer.ranked:
            consumer.ranked = priority
            self._media.set_priority(consumer.number, priority)

    def _rank_cameras(self, peer: Peer) -> None:
        for producer in peer.producers.values():
            if producer.source == "camera":
                for consumer in producer.consumers.values():
                    self.rank(consumer)


def _natural(producer: Producer) -> int:
    """How much a video matters to anybody."""
    if producer.source == "screen":
        return SCREEN_PRIORITY
    return SPEAKER_PRIORITY if producer.peer.room.speaker == producer.peer.id else PRIORITY
