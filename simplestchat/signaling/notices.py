"""Notifications, server to client. Those with a place in the room's order carry ``seq`` beside ``method``."""

from __future__ import annotations

from typing import ClassVar

from simplestchat.model.media import MediaKind, TransportStateName
from simplestchat.ortc.parameters import Wire
from simplestchat.signaling.data import (
    ChatMessage,
    CloseReason,
    HoldReason,
    Id,
    LeaveReason,
    PeerInfo,
    RoomCloseReason,
    RoomSettings,
    Source,
    Time,
)


class Notice(Wire, frozen=True, kw_only=True):
    """Base of all notifications."""

    method: ClassVar[str]
    numbered: ClassVar[bool] = True
    """Whether it has a ``seq``, is kept for those who are away, and is replayed to them."""
    reserved: ClassVar[bool] = False
    """Whether it is only a name and a shape so far, for servers that choose layers and estimate bandwidth."""


class PeerJoined(PeerInfo, Notice, frozen=True, kw_only=True):
    """Someone came in."""

    method = "peer.joined"


class PeerLeft(Notice, frozen=True, kw_only=True):
    """Someone is gone. With one's own ``peerId``: one was put out of the room."""

    method = "peer.left"
    peer_id: Id
    reason: LeaveReason


class ProducerOpened(Notice, frozen=True, kw_only=True):
    """Someone publishes a track."""

    method = "producer.opened"
    peer_id: Id
    producer_id: Id
    kind: MediaKind
    source: Source
    paused: bool


class ProducerClosed(Notice, frozen=True, kw_only=True):
    """A track is gone; it is sent to its publisher too when the server closed it."""

    method = "producer.closed"
    peer_id: Id
    producer_id: Id
    reason: CloseReason


class ProducerPaused(Notice, frozen=True, kw_only=True):
    """A publisher muted a track."""

    method = "producer.paused"
    peer_id: Id
    producer_id: Id


class ProducerResumed(Notice, frozen=True, kw_only=True):
    """A publisher unmuted a track."""

    method = "producer.resumed"
    peer_id: Id
    producer_id: Id


class ProducerLayers(Notice, frozen=True, kw_only=True):
    """Which encodings of a producer of one's own anyone receives: switch the others off."""

    method = "producer.layers"
    producer_id: Id
    encodings: list[bool]
    """For each encoding of ``rtpParameters``; all are wanted before the first of these notifications."""
    max_spatial_layer: int | None = None
    """Where a single encoding has several spatial layers: the highest that anyone receives."""


class ConsumerClosed(Notice, frozen=True, kw_only=True):
    """A consumer of one's own is gone, because its producer or its transport is."""

    method = "consumer.closed"
    consumer_id: Id
    producer_id: Id
    reason: CloseReason


class ConsumerPaused(Notice, frozen=True, kw_only=True):
    """The server holds a consumer of one's own back. Whether one paused it oneself is another matter."""

    method = "consumer.paused"
    consumer_id: Id
    reason: HoldReason
    """``last-n``: its publisher has not spoken for longer than those who are shown (``videoLimit``)."""


class ConsumerResumed(Notice, frozen=True, kw_only=True):
    """The server does not hold a consumer of one's own back any more."""

    method = "consumer.resumed"
    consumer_id: Id
    reason: HoldReason


class ConsumerLayers(Notice, frozen=True, kw_only=True):
    """Which layers a consumer of one's own gets from now on; without layers it gets nothing."""

    method = "consumer.layers"
    numbered = False
    consumer_id: Id
    spatial_layer: int | None = None
    temporal_layer: int | None = None
    reason: str
    """Why it is so, in a word of the media server's, such as ``wanted`` or ``bandwidth``."""


class ConsumerScore(Notice, frozen=True, kw_only=True):
    """How well a consumer is received: 0 to 10."""

    method = "consumer.score"
    reserved = True
    numbered = False
    consumer_id: Id
    score: int


class ChatMessageNotice(ChatMessage, Notice, frozen=True, kw_only=True):
    """A chat message, to every member, its sender included; ``params.seq`` counts messages, not notifications."""

    method = "chat.message"


class SpeakerActive(Notice, frozen=True, kw_only=True):
    """Who speaks now; without a ``peerId`` nobody does."""

    method = "speaker.active"
    peer_id: Id | None = None


class SpeakerLevel(Wire, frozen=True, kw_only=True):
    """How loud someone is: decibels under full scale, 0 the loudest, 127 silence."""

    peer_id: Id
    level: int


class SpeakerLevels(Notice, frozen=True, kw_only=True):
    """How loud those are who make a sound; only in rooms small enough."""

    method = "speaker.levels"
    numbered = False
    levels: list[SpeakerLevel]


class TransportState(Notice, frozen=True, kw_only=True):
    """The path of a transport of one's own. After ``failed``: make new transports, produce and consume again."""

    method = "transport.state"
    transport_id: Id
    state: TransportStateName


class TransportBandwidth(Notice, frozen=True, kw_only=True):
    """What a transport of one's own can take, once a second at most and only when it changed by a tenth."""

    method = "transport.bandwidth"
    numbered = False
    transport_id: Id
    available_bitrate: int
    """Bits per second."""


class RoomUpdated(RoomSettings, Notice, frozen=True, kw_only=True):
    """The owner changed settings, or the room's order of codecs is another one for who came or went."""

    method = "room.updated"


class RoomClosed(Notice, frozen=True, kw_only=True):
    """The room is gone; the connection stays and may join another."""

    method = "room.closed"
    reason: RoomCloseReason


class ServerDraining(Notice, frozen=True, kw_only=True):
    """The server stops at ``deadline``; connect anew after it."""

    method = "server.draining"
    numbered = False
    deadline: Time
