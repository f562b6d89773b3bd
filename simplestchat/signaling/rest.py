"""Bodies of the HTTP API beside the WebSocket."""

from __future__ import annotations

from typing import Final

from simplestchat.errors import (
    Conflict,
    Draining,
    Forbidden,
    NotFound,
    PeerFault,
    Quota,
    RateLimited,
    SimplestChatError,
    TooLarge,
)
from simplestchat.ortc.parameters import Wire
from simplestchat.signaling.data import Id, Loudest, Name, Password, RoomId, Time, Token, VideoLimit

HTTP_STATUS: Final[dict[type[SimplestChatError], int]] = {
    Forbidden: 403,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    Quota: 429,
    RateLimited: 429,
    Draining: 503,
}
"""The status of a response that tells of one of these errors."""


def http_status(error: SimplestChatError) -> int:
    """The status for an error: the client's other faults are 400, ours 500."""
    return HTTP_STATUS.get(type(error), 400 if isinstance(error, PeerFault) else 500)


class RoomCreate(Wire, frozen=True, kw_only=True):
    """``POST /api/rooms``: make a room. Without an ``id`` it gets a random one."""

    id: RoomId | None = None
    name: Name | None = None
    public: bool | None = None
    locked: bool | None = None
    audio_only: bool | None = None
    video_limit: VideoLimit | None = None
    loudest: Loudest | None = None
    password: Password | None = None


class RoomView(Wire, frozen=True, kw_only=True):
    """A room as anyone may see it who knows its id."""

    id: RoomId
    name: str
    public: bool
    locked: bool
    audio_only: bool
    has_password: bool
    peers: int
    """How many people are in it."""
    created_at: Time


class Traffic(Wire, frozen=True, kw_only=True):
    """What passed the transports that are there now, since each was made, as the media server counts."""

    bytes_in: int
    """Of all datagrams from clients."""
    bytes_out: int
    packets_in: int
    packets_out: int
    media_in: int
    """Media packets among them, retransmissions that mended something included."""
    media_expected: int
    """Media packets that were sent, as their numbers say."""
    reported_lost: int
    """Media packets that receivers say did not come."""
    producers: int
    consumers: int


class PeerTraffic(Traffic, frozen=True, kw_only=True):
    """The same of one peer: in is what it sent, out what it was sent."""

    peer_id: Id
    name: Name


class RoomStats(Traffic, frozen=True, kw_only=True):
    """The same of a whole room, and of each of its peers."""

    id: RoomId
    peers: list[PeerTraffic]


class RoomMade(Wire, frozen=True, kw_only=True):
    """The new room, and the bearer token that manages it. The token is given only here."""

    room: RoomView
    owner_token: Token


class RoomPage(Wire, frozen=True, kw_only=True):
    """Public rooms, the newest first; ``cursor`` asks for the next page and is absent on the last."""

    rooms: list[RoomView]
    cursor: str | None = None
