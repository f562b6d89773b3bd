"""Every error that leaves a layer of the server, in one hierarchy by who is at fault.

``PeerFault``: what a client sent or asked for. ``Misuse``: code of ours called other code of ours wrongly.
``Internal``: a fault of ours, or of the machine. Each error has a JSON-RPC ``code`` (the standard ones, or 4000-4999),
a stable ``reason`` word, and a message that says what happened and what to do about it. Only these words reach a
client; the details of an ``Internal`` stay in the log.
"""

from __future__ import annotations

from typing import ClassVar


class SimplestChatError(Exception):
    """Base of every error that SimplestChat raises on purpose."""

    code: ClassVar[int] = 4500
    reason: ClassVar[str] = "internal"
    default: ClassVar[str] = "Something went wrong in the server. Try again; if it stays, tell the operator."

    def __init__(self, message: str = "", **details: object) -> None:
        self.message = message or self.default
        self.details = details
        """Further fields for ``error.data``, safe to show to the client."""
        super().__init__(self.message)


class PeerFault(SimplestChatError):
    """The client sent something wrong or asked for something that it cannot have."""


class Misuse(SimplestChatError):
    """One part of the server called another wrongly."""


class Internal(SimplestChatError):
    """A fault of the server or its machine."""


# What JSON-RPC itself names.


class ParseError(PeerFault):
    """The text is no JSON."""

    code = -32700
    reason = "parse_error"
    default = "The message is not valid JSON. Send one JSON-RPC 2.0 request per text frame."


class InvalidRequest(PeerFault):
    """The JSON is no JSON-RPC 2.0 request."""

    code = -32600
    reason = "invalid_request"
    default = 'The message is not a JSON-RPC 2.0 request. Send {"jsonrpc":"2.0","id":…,"method":…,"params":{…}}.'


class MethodNotFound(PeerFault):
    """There is no such method."""

    code = -32601
    reason = "method_not_found"
    default = "There is no such method. The protocol reference lists them all."


class InvalidParams(PeerFault):
    """The parameters of a known method are wrong."""

    code = -32602
    reason = "invalid_params"
    default = "The parameters are not what this method takes. The protocol reference describes them."


# Ours: 4000-4999, one class per stable reason.


class NotInRoom(PeerFault):
    """The connection has joined no room."""

    code = 4000
    reason = "not_in_room"
    default = "This connection is in no room. Call room.join first."


class AlreadyInRoom(PeerFault):
    """The connection is in a room already."""

    code = 4001
    reason = "already_in_room"
    default = "This connection is in a room already. Call room.leave first, or open another connection."


class RoomFull(PeerFault):
    """The room, or the server, holds as many as it may."""

    code = 4002
    reason = "room_full"
    default = "The room is full. Try again when someone has left."


class RoomLocked(PeerFault):
    """The room takes nobody new."""

    code = 4003
    reason = "room_locked"
    default = "The room is locked. Ask its owner to unlock it."


class WrongPassword(PeerFault):
    """The room's password is missing or wrong."""

    code = 4004
    reason = "wrong_password"
    default = "The room's password is missing or wrong. Ask its owner for it."


class Forbidden(PeerFault):
    """The role does not allow it."""

    code = 4005
    reason = "forbidden"
    default = "Your role in this room does not allow that. Ask the room's owner."


class NotFound(PeerFault):
    """What was named does not exist, or not any more, or is not the caller's."""

    code = 4006
    reason = "not_found"
    default = "There is nothing with that id. It may have been closed; look again at what is there."


class RateLimited(PeerFault):
    """Too many requests in too short a time."""

    code = 4007
    reason = "rate_limited"
    default = "Too many requests. Wait a second before the next one."


class TooLarge(PeerFault):
    """A message or one of its parts is larger than allowed."""

    code = 4009
    reason = "too_large"
    default = "The message is too large. Send less at once."


class IncompatibleCodecs(PeerFault):
    """Two sides have no codec in common."""

    code = 4010
    reason = "incompatible_codecs"
    default = (
        "There is no codec that both sides know. Offer VP8, H264 constrained baseline, VP9 or AV1 (profile 0) for "
        "video, Opus for audio."
    )


class Quota(PeerFault):
    """The caller holds as many of something as it may."""

    code = 4011
    reason = "quota"
    default = "You have as many of these as you may. Close some first."


class Draining(PeerFault):
    """The server is about to stop and takes no new joins."""

    code = 4012
    reason = "draining"
    default = "The server is shutting down and takes nobody new. Connect again in a moment."


class Conflict(PeerFault):
    """What was asked for contradicts what is there."""

    code = 4013
    reason = "conflict"
    default = "That contradicts the present state. Look at it again and retry."


# Faults of ours that a client may hear of.


class InternalError(Internal):
    """Anything that should not have happened."""

    code = 4500
    reason = "internal"


class MediaError(SimplestChatError):
    """Base of what a ``MediaPort`` raises."""


class MediaRejected(MediaError, PeerFault):
    """The media plane refused what the client offered (a bad fingerprint, clashing SSRCs, …)."""

    code = -32602
    reason = "invalid_params"
    default = "The media plane refused these parameters."


class MediaFull(MediaError, PeerFault):
    """A transport or worker holds as many of something as it can; another transport may help."""

    code = Quota.code
    reason = Quota.reason
    default = "This transport can carry no more. Close it and create another one."


class MediaMisuse(MediaError, Misuse):
    """The media plane was asked for something that its state does not allow, such as a transport that is gone."""

    code = 4501
    reason = "internal"


class MediaUnavailable(MediaError, Internal):
    """No worker is there to serve: it died, or does not answer."""

    code = 4502
    reason = "media_unavailable"
    default = "The media worker is not available just now. Create your transports again in a second."


class ConfigError(Misuse):
    """A setting is wrong; the message names it, its bad value and what is allowed."""

    reason = "config"
    default = "A setting is wrong."
