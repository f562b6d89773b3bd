"""How much of everything a client, a room and the server may hold; what the operator can set names its option."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from simplestchat.config.settings import Entry, Settings, entries

_ENTRIES: Final[dict[str, Entry]] = {entry.field_name: entry for entry in entries()}


def _limit(default: float, note: str) -> Any:
    """A fixed limit with the sentence that explains it."""
    return field(default=default, metadata={"note": note})


def _set_by(name: str, note: str) -> Any:
    """A limit that the setting of this name sets, whose default is its default, too."""
    return field(default=_ENTRIES[name].default(), metadata={"note": note, "setting": name})


class Described(NamedTuple):
    """One line of the table of limits."""

    name: str
    default: float
    option: str
    """How the operator sets it; "" when it is fixed."""
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The bounds of signaling; durations in seconds, sizes in bytes or characters."""

    transports: int = _set_by("max_transports", "transports that one peer holds at a time")
    producers: int = _set_by("max_producers", "producers that one peer holds at a time")
    consumers: int = _set_by("max_consumers", "consumers that one peer holds at a time")
    room_peers: int = _set_by("max_room_peers", "peers in one room, those that are away for a moment included")
    rooms: int = _set_by("max_rooms", "rooms on this server; when they are all there, an empty one makes way")
    rooms_joined: int = _set_by("room_join_burst", "rooms that one address may make at once by joining them")
    rooms_joined_per_minute: int = _set_by("room_join_rate", "rooms per minute that one address may keep making so")
    empty_room_safe_s: float = _limit(
        300, "how long a room must have been empty before it makes way, if it has chat or settings to lose"
    )
    request_burst: int = _set_by("message_burst", "requests that one connection may send at once")
    requests_per_s: float = _set_by("message_rate", "requests per second that one connection may send in the long run")
    flood_requests: int = _limit(1_000, "refused requests, not yet worn off, after which the connection is closed")
    wrong_password_cost: int = _limit(20, "requests that one wrong password counts for")
    wrong_passwords_per_minute: int = _limit(10, "wrong passwords for one room that are looked at from one address")
    resume_grace_s: float = _limit(20, "how long the place of a peer without a connection is kept")
    joined_room_grace_s: float = _limit(600, "how long a room that was made by joining it stays when empty")
    made_room_grace_s: float = _limit(3_600, "how long a room that was made over HTTP stays when empty")
    codecs_hold_s: float = _limit(30, "how long who left a room still counts for its order of codecs")
    chat_messages: int = _set_by("chat_history", "chat messages that a room remembers")
    chat_bytes: int = _limit(2_097_152, "bytes of text that a room's chat remembers")
    chat_spread: int = _limit(
        100,
        "peers; for each that many in its room, a chat message counts for one request more, and what undoes something"
        " that all were told of (a mute, a close, a leave) for two",
    )
    chat_snapshot: int = _limit(50, "chat messages that come with joining")
    room_notices: int = _limit(2_048, "notifications that a room remembers for those who come back")
    room_notice_bytes: int = _limit(1_048_576, "bytes of those notifications")
    peer_notices: int = _limit(512, "notifications for one peer alone that are remembered for its return")
    peer_notice_bytes: int = _limit(262_144, "bytes of those notifications of one peer")
    history_bytes: int = _set_by(
        "max_history_bytes", "bytes of chat and notifications that all rooms remember; beyond it the largest are cut"
    )
    identities: int = _limit(4_096, "resume tokens of peers that left which a room remembers, for their chat's dedupe")
    video_limit: int = _set_by(
        "video_limit",
        "people of a room whose cameras are forwarded, those who spoke last, unless its owner says; 0: all",
    )
    loudest: int = _set_by(
        "loudest", "voices of a larger room that are forwarded at a time, unless its owner says; 0: all"
    )
    loudest_above: int = _set_by("loudest_above", "peers up to which a room is a small one, where all voices are")
    view_burst: int = _limit(512, "sizes of consumers that one peer's media server hears at once")
    views_per_s: int = _limit(200, "sizes of consumers per second that it hears in the long run; the last ones count")
    levels_peers: int = _limit(50, "peers up to which a room is told everyone's loudness")

    @classmethod
    def describe(cls) -> Iterator[Described]:
        """Every limit with its default."""
        for one in dataclasses.fields(cls):
            setting = one.metadata.get("setting")
            option = _ENTRIES[setting].option if setting else ""
            yield Described(one.name, getattr(cls(), one.name), option, one.metadata["note"])

    @classmethod
    def set_by(cls, settings: Settings) -> Limits:
        """The limits as an operator has set them."""
        values = {}
        for one in dataclasses.fields(cls):
            name = one.metadata.get("setting")
            if name:
                values[one.name] = getattr(getattr(settings, _ENTRIES[name].group), name)
        return cls(**values)
