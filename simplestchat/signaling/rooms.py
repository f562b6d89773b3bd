"""The rooms of this server: made, found, listed, changed and closed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from msgspec import UNSET

from simplestchat.errors import Conflict, InvalidParams, NotFound, Quota, RateLimited
from simplestchat.model.ids import Entropy, new_id, new_token, same_secret
from simplestchat.signaling.attention import Attention
from simplestchat.signaling.chatlog import ChatLog
from simplestchat.signaling.closing import Closer
from simplestchat.signaling.codecs import CodecOrder
from simplestchat.signaling.data import RoomCloseReason
from simplestchat.signaling.deadlines import Deadlines, Reason
from simplestchat.signaling.lastn import LastN
from simplestchat.signaling.limits import Limits
from simplestchat.signaling.noticelog import NoticeLog
from simplestchat.signaling.notices import RoomClosed
from simplestchat.signaling.permissions import check_manage
from simplestchat.signaling.rates import Rates
from simplestchat.signaling.requests import RoomUpdate
from simplestchat.signaling.rest import RoomCreate, RoomPage, RoomView
from simplestchat.signaling.state import PasswordHash, Room
from simplestchat.signaling.text import check_room_id, clean_name

PAGE_ROOMS: Final = 50
SALT_BYTES: Final = 16
ADOPTED_TOKEN_MIN: Final = 43
"""Characters of a token that a room made anew takes for its own: as many as ours have."""


class RoomBook:
    """Every room by its id, and by the key of its incarnation."""

    def __init__(
        self,
        closer: Closer,
        attention: Attention,
        deadlines: Deadlines,
        limits: Limits,
        *,
        video_codecs: Sequence[str],
        clock: Callable[[], float],
        wall_ms: Callable[[], int],
        entropy: Entropy,
    ) -> None:
        self._closer = closer
        self._attention = attention
        self._video_codecs = tuple(video_codecs)
        self._deadlines = deadlines
        self._limits = limits
        self._clock = clock
        self._wall_ms = wall_ms
        self._entropy = entropy
        self._made = 0
        self._by_id: dict[str, Room] = {}
        self._by_key: dict[str, Room] = {}
        self._empty: dict[str, Room] = {}
        """By key, those that have been empty for longest first."""
        self._blank: dict[str, Room] = {}
        """Those of them that nobody would miss."""
        self._joined = Rates(limits.rooms_joined, limits.rooms_joined_per_minute / 60, clock)

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[Room]:
        return iter(self._by_id.values())

    def find(self, room_id: str) -> Room | None:
        """The open room with this id."""
        return self._by_id.get(room_id)

    def by_key(self, key: str) -> Room | None:
        """The open room with this incarnation key."""
        return self._by_key.get(key)

    def get(self, room_id: str) -> Room:
        """The open room with this id; raises ``NotFound``."""
        room = self.find(room_id)
        if room is None:
            raise NotFound("There is no such room. It may have been closed; join it to make it anew.")
        return room

    def create(self, wanted: RoomCreate) -> tuple[Room, str]:
        """Make a room over HTTP, with its owner's token; it waits for its people for a long while."""
        room_id = new_id(self._entropy) if wanted.id is None else check_room_id(wanted.id)
        if room_id in self._by_id:
            raise Conflict("A room with this id is there already. Choose another id, or none for a random one.")
        name = clean_name(wanted.name, "room's name") if wanted.name is not None else room_id
        token = new_token(self._entropy)
        room = self._add(room_id, name, token, made=True)
        room.public = bool(wanted.public)
        room.locked = bool(wanted.locked)
        room.audio_only = bool(wanted.audio_only)
        room.loudest = wanted.loudest
        self._limit_videos(room, wanted.video_limit)
        self._set_password(room, wanted.password)
        self.emptied(room)
        return room, token

    def open(self, room_id: str, password: str | None, token: str | None, origin: str, *, claimed: bool) -> Room:
        """Make a room by joining it; a password and a token that come along become the room's.

        Without a token it gets one of its own if it is ``claimed``, else none.
        """
        if origin and self._joined.take(origin):
            raise RateLimited("Too many rooms were made from your address. Join one that is there, or wait a minute.")
        owner_token = adoptable(token) or (new_token(self._entropy) if claimed else None)
        room = self._add(room_id, room_id, owner_token, made=False)
        self._set_password(room, password)
        return room

    def _add(self, room_id: str, name: str, owner_token: str | None, *, made: bool) -> Room:
        if len(self._by_id) >= self._limits.rooms:
            self._make_place()
        self._made += 1
        chat = ChatLog(new_id(self._entropy), self._limits.chat_messages, self._limits.chat_bytes)
        room = Room(
            id=room_id,
            key=new_id(self._entropy),
            ordinal=self._made,
            name=name,
            owner_token=owner_token,
            made=made,
            created_at=self._wall_ms(),
            chat=chat,
            log=NoticeLog(self._limits.room_notices, self._limits.room_notice_bytes),
            codecs=CodecOrder(self._video_codecs),
            last_n=LastN(self._limits.video_limit),
        )
        self._by_id[room_id] = self._by_key[room.key] = room
        return room

    def _make_place(self) -> None:
        """Close an empty room that nobody would miss; else the one that has been empty for longest, unless that is so
        short that its people may be coming.
        """
        longest = next(iter((self._blank or self._empty).values()), None)
        safe_s = 0.0 if self._blank else self._limits.empty_room_safe_s
        if longest is None or self._clock() < (longest.empty_since or 0.0) + safe_s:
            raise Quota(
                "This server has as many rooms as it may. Join one that is there, or try again in some minutes."
            )
        self.close(longest, "expired")

    def _set_password(self, room: Room, password: str | None) -> None:
        room.password = PasswordHash.of(password, self._entropy(SALT_BYTES)) if password else None

    def _limit_videos(self, room: Room, limit: int | None) -> None:
        if limit is not None:
            room.video_limited = True
            self._attention.limit_videos(room, limit)

    def update(self, room: Room, wanted: RoomUpdate) -> None:
        """Change settings and tell everyone; an audio-only room loses its video tracks."""
        name = clean_name(wanted.name, "room's name") if wanted.name is not None else room.name
        before = room.settings()
        room.name = name
        room.public = room.public if wanted.public is None else wanted.public
        room.locked = room.locked if wanted.locked is None else wanted.locked
        room.audio_only = room.audio_only if wanted.audio_only is None else wanted.audio_only
        if wanted.loudest is not UNSET:
            room.loudest = wanted.loudest
        if wanted.password is not UNSET:
            self._set_password(room, wanted.password)
        self._limit_videos(room, wanted.video_limit)
        self._attention.resized(room)
        if not room.blank:
            self._blank.pop(room.key, None)
        if room.settings() != before:
            room.announce_settings()
        if room.audio_only:
            for producer in tuple(room.producers.values()):
                if producer.production.kind == "video":
                    self._closer.producer(producer, "audio-only", tell_owner=True)
                    self._closer.drop_producer(producer.number)

    def close(self, room: Room, reason: RoomCloseReason) -> None:
        """Close a room for everyone in it."""
        if room.closed:
            return
        room.announce(RoomClosed(reason=reason))
        room.closed = True
        self._closer.room(room)
        for peer in room.peers.values():
            peer.gone = True
            self._deadlines.drop(Reason.PEER_GRACE, room.key, peer.id)
        self.occupied(room)
        del self._by_id[room.id]
        del self._by_key[room.key]

    def emptied(self, room: Room) -> None:
        """The last peer left: the room stays for a grace time, unless others need its place."""
        now = self._clock()
        room.empty_since = now
        self._empty[room.key] = room
        if room.blank:
            self._blank[room.key] = room
        self._deadlines.add(now + self._grace(room), Reason.ROOM_EMPTY, room.key)

    def occupied(self, room: Room) -> None:
        """Somebody came in: the room stays."""
        room.empty_since = None
        self._empty.pop(room.key, None)
        self._blank.pop(room.key, None)
        self._deadlines.drop(Reason.ROOM_EMPTY, room.key)

    def expire(self, room: Room) -> None:
        """Close a room that has been empty for its grace time."""
        if room.empty_since is not None and self._clock() >= room.empty_since + self._grace(room):
            self.close(room, "expired")

    def _grace(self, room: Room) -> float:
        return self._limits.made_room_grace_s if room.made else self._limits.joined_room_grace_s

    # For the HTTP API.

    def managed(self, room_id: str, token: str) -> Room:
        """The room, if the token is its owner's; raises ``NotFound`` or ``Forbidden``."""
        room = self.get(room_id)
        check_manage(bears_token=room.owner_token is not None and same_secret(token, room.owner_token))
        return room

    def named(self, room_id: str) -> RoomPage:
        """The room with this id, listed or not; an empty page when there is none."""
        room = self.find(room_id)
        return RoomPage(rooms=[view(room)] if room else [])

    def page(self, query: str, cursor: str | None) -> RoomPage:
        """Public rooms whose name or id contains the query, the newest first."""
        below = self._made + 1
        if cursor:
            if not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
                raise InvalidParams("The cursor is not one that this list gave. Leave it out to begin at the top.")
            below = int(cursor)
        needle = query.strip().casefold()
        found: list[Room] = []
        for room in reversed(self._by_id.values()):
            if (
                room.ordinal < below
                and room.public
                and (needle in room.name.casefold() or needle in room.id.casefold())
            ):
                found.append(room)
                if len(found) > PAGE_ROOMS:
                    break
        shown = found[:PAGE_ROOMS]
        return RoomPage(
            rooms=[view(room) for room in shown],
            cursor=str(shown[-1].ordinal) if len(found) > PAGE_ROOMS else None,
        )


def adoptable(token: str | None) -> str | None:
    """The token, if it may become a room's: one that is too short to have come from a server could be guessed."""
    return token if token is not None and len(token) >= ADOPTED_TOKEN_MIN else None


def view(room: Room) -> RoomView:
    """A room as the HTTP API shows it."""
    return RoomView(
        id=room.id,
        name=room.name,
        public=room.public,
        locked=room.locked,
        audio_only=room.audio_only,
        has_password=room.password is not None,
        peers=len(room.peers),
        created_at=room.created_at,
    )
