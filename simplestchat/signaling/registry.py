"""Every method and notification by name: the one list that decoding, permissions, tests and documents go by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from simplestchat.ortc.parameters import Wire
from simplestchat.signaling import notices, requests
from simplestchat.signaling.data import Role
from simplestchat.signaling.notices import Notice


@dataclass(frozen=True, slots=True)
class Method:
    """A request: its parameters, its result, what it is for and the least role in the room that may send it."""

    name: str
    params: type[Wire]
    result: type[Wire]
    summary: str
    least: Role | None = "member"
    """None: who is in no room may, too."""


def _method(
    name: str, params: type[Wire], result: type[Wire], summary: str, least: Role | None = "member"
) -> tuple[str, Method]:
    return name, Method(name, params, result, summary, least)


PING: Final = "ping"
"""The one method whose parameters are anything, and whose result is the same."""

METHODS: Final[dict[str, Method]] = dict(
    (
        _method("auth", requests.Auth, requests.Nothing, "Present a token for later joins.", None),
        _method("room.join", requests.RoomJoin, requests.RoomJoined, "Enter a room, or come back to it.", None),
        _method("room.leave", requests.Nothing, requests.Nothing, "Leave the room; the connection stays."),
        _method("room.update", requests.RoomUpdate, requests.Nothing, "Change the room's settings.", "owner"),
        _method("room.close", requests.Nothing, requests.Nothing, "Close the room for everyone.", "owner"),
        _method("peer.kick", requests.PeerKick, requests.Nothing, "Put someone out of the room.", "owner"),
        _method("chat.send", requests.ChatSend, requests.ChatSent, "Say something; answered only when stored."),
        _method("chat.history", requests.ChatHistory, requests.ChatPage, "Read older or missed messages."),
        _method("transport.create", requests.TransportCreate, requests.TransportCreated, "Make a transport."),
        _method("transport.connect", requests.TransportConnect, requests.Nothing, "Give the client's DTLS side."),
        _method("transport.restartIce", requests.TransportRef, requests.IceRestarted, "Get new ICE credentials."),
        _method(
            "transport.stats", requests.TransportRef, requests.TransportCounters, "Counters, RTT, available bitrate."
        ),
        _method("transport.decisions", requests.TransportRef, requests.Decisions, "What layers were chosen, and why."),
        _method("transport.close", requests.TransportRef, requests.Nothing, "Give a transport back."),
        _method("producer.create", requests.ProducerCreate, requests.ProducerCreated, "Publish a track."),
        _method("producer.pause", requests.ProducerRef, requests.Nothing, "Mute a track at the server."),
        _method("producer.resume", requests.ProducerRef, requests.Nothing, "Unmute a track at the server."),
        _method("producer.close", requests.ProducerRef, requests.Nothing, "Stop publishing a track."),
        _method("consumer.create", requests.ConsumerCreate, requests.ConsumerCreated, "Receive a track."),
        _method("consumer.pause", requests.ConsumerRef, requests.Nothing, "Stop a track for oneself for a while."),
        _method("consumer.resume", requests.ConsumerRef, requests.Nothing, "Begin or go on to receive a track."),
        _method("consumer.close", requests.ConsumerRef, requests.Nothing, "Stop receiving a track for good."),
        _method(
            "consumer.setPreferredLayers",
            requests.ConsumerLayersWanted,
            requests.Nothing,
            "Say which layers of a track are of use.",
        ),
        _method("consumer.setPriority", requests.ConsumerPriority, requests.Nothing, "Say how much a track matters."),
        _method("consumer.setView", requests.ConsumerView, requests.Nothing, "Say how large a video is shown."),
        _method("consumer.setViews", requests.ConsumerViews, requests.Nothing, "Say it of several videos."),
        _method("consumer.requestKeyFrame", requests.ConsumerRef, requests.Nothing, "Ask for a keyframe."),
        _method(
            PING, requests.Nothing, requests.Nothing, "Measure the signaling's latency: any params come back.", None
        ),
    )
)

NOTICES: Final[dict[str, type[Notice]]] = {
    one.method: one
    for one in (
        notices.PeerJoined,
        notices.PeerLeft,
        notices.ProducerOpened,
        notices.ProducerClosed,
        notices.ProducerPaused,
        notices.ProducerResumed,
        notices.ProducerLayers,
        notices.ConsumerClosed,
        notices.ConsumerPaused,
        notices.ConsumerResumed,
        notices.ConsumerLayers,
        notices.ConsumerScore,
        notices.ChatMessageNotice,
        notices.SpeakerActive,
        notices.SpeakerLevels,
        notices.TransportState,
        notices.TransportBandwidth,
        notices.RoomUpdated,
        notices.RoomClosed,
        notices.ServerDraining,
    )
}

DECODERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    name: msgspec.json.Decoder(method.params) for name, method in METHODS.items()
}
"""Strict decoders of every method's parameters."""
