"""What the server knows of rooms, peers and their media. Plain records; the rules are in the modules that change them.

Invariants: a transport belongs to one peer, a producer to one send transport, a consumer to one receive transport and
one producer; each is in every dict of its owners or in none (``closed``). A peer is in its room's ``peers`` or is
``gone``.
"""

from __future__ import annotations

import hashlib
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

import msgspec

from simplestchat.model.ids import same_secret
from simplestchat.model.media import TransportStateName
from simplestchat.ortc.producing import Production
from simplestchat.signaling import framing
from simplestchat.signaling.chatlog import ChatLog
from simplestchat.signaling.codecs import CodecOrder, Codecs
from simplestchat.signaling.data import Direction, PeerInfo, ProducerInfo, Role, RoomSettings, Source
from simplestchat.signaling.lastn import LastN
from simplestchat.signaling.memory import Log
from simplestchat.signaling.noticelog import NoticeLog
from simplestchat.signaling.notices import Notice, RoomUpdated

LayersWanted: TypeAlias = tuple[tuple[bool, ...], int | None]
"""Whether each encoding is wanted, and the highest spatial layer of the only one that is, if it has several."""

_SSRC_STEP = 0x9E37_79B1  # odd, so that 2^32 SSRCs follow before one comes back


class Outbox(Protocol):
    """Where a connection's notifications go. Neither call may block, raise, or call back into signaling."""

    def push(self, message: bytes) -> None:
        """Queue one text frame; an outbox that is over its bound closes itself later."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Close the connection once what is queued is sent."""
        ...


@dataclass(slots=True, eq=False)
class Transport:
    """A path between one peer and the worker that it is placed on."""

    id: str
    number: int
    peer: Peer
    direction: Direction
    next_ssrc: int
    state: TransportStateName | Literal["new"] = "new"
    connected: bool = False
    """Whether the client's DTLS parameters are known."""
    closed: bool = False
    next_mid: int = 0
    producers: dict[str, Producer] = field(default_factory=dict)
    consumers: dict[str, Consumer] = field(default_factory=dict)

    def new_ssrc(self) -> int:
        """An SSRC that this transport never had: SRTP must not see one twice under the same key."""
        self.next_ssrc = (self.next_ssrc + _SSRC_STEP) % 2**32 or _SSRC_STEP
        return self.next_ssrc

    def new_mid(self) -> str:
        """The MID of the next consumer."""
        self.next_mid += 1
        return str(self.next_mid - 1)


@dataclass(slots=True, eq=False)
class Producer:
    """A track that a peer publishes."""

    id: str
    number: int
    transport: Transport
    production: Production
    source: Source
    paused: bool
    closed: bool = False
    held: bool = False
    """Whether the server forwards it to nobody, because its publisher has not spoken lately (last N)."""
    wanted: int = -1
    """The spatial layers that anyone receives, as a mask; all of them until the media plane says otherwise."""
    told: LayersWanted = field(init=False)
    """What its publisher knows of that."""
    consumers: dict[str, Consumer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.told = self.layers_wanted()

    def layers_wanted(self) -> LayersWanted:
        """Which encodings are of use, and, where one holds several spatial layers, up to which of them."""
        mask = 0 if self.held else self.wanted
        count = len(self.production.spec.streams)
        if count > 1:
            return tuple(bool(mask >> number & 1) for number in range(count)), None
        known = mask & ((1 << self.production.spatial_layers) - 1)
        return (known != 0,), known.bit_length() - 1 if known and self.production.spatial_layers > 1 else None

    @property
    def peer(self) -> Peer:
        """Who publishes it."""
        return self.transport.peer

    def info(self) -> ProducerInfo:
        """As others see it."""
        return ProducerInfo(producer_id=self.id, kind=self.production.kind, source=self.source, paused=self.paused)


@dataclass(slots=True, eq=False)
class Consumer:
    """A track that a peer receives."""

    id: str
    number: int
    transport: Transport
    producer: Producer
    paused: bool
    closed: bool = False
    layers: tuple[int, int] | None = None
    """The spatial and the temporal one that are forwarded now; nothing is, or nobody knows."""
    view: tuple[int, int] = (-1, -1)
    """What the media plane knows of the size in which it is shown: 0, 0 is not at all, -1, -1 nothing."""
    priority: int = 1
    """What its receiver says; 1 leaves it to the server."""
    ranked: int = 1
    """What the media plane knows of it."""


@dataclass(slots=True, eq=False)
class Peer:
    """Someone in a room, with or without a connection just now."""

    id: str
    name: str
    role: Role
    room: Room
    identity: str
    """Outlives the peer: who comes back with a token after the grace time still has it."""
    resume_token: str
    log: NoticeLog
    outbox: Outbox | None = None
    away_since: float = 0.0
    gone: bool = False
    joined_seq: int = 0
    transports: dict[str, Transport] = field(default_factory=dict)
    producers: dict[str, Producer] = field(default_factory=dict)
    consumers: dict[str, Consumer] = field(default_factory=dict)
    pending: Counter[str] = field(default_factory=Counter)
    """Creations under way, which count towards quotas."""
    codecs: Codecs | None = None
    """The video codecs that it can receive, once it has said so."""
    views_left: float = 0.0
    """How many sizes of its consumers may pass at once, as of ``views_at``."""
    views_at: float = float("-inf")
    _entry: msgspec.Raw = field(init=False)
    """What others are told of it as long as it publishes nothing: in a big room nearly everyone only listens."""

    def __post_init__(self) -> None:
        self._entry = framing.encoded(self.info())

    def entry(self) -> msgspec.Raw:
        """Its place in the list that someone who joins gets."""
        return framing.encoded(self.info()) if self.producers else self._entry

    def info(self) -> PeerInfo:
        """As others see it."""
        return PeerInfo(
            peer_id=self.id, name=self.name, role=self.role, producers=[one.info() for one in self.producers.values()]
        )

    def tell(self, notice: Notice) -> None:
        """Send a notification to this peer alone, now or when it is back."""
        if not notice.numbered:
            frame = framing.notification(notice, None)
        else:
            self.room.seq += 1
            frame = framing.notification(notice, self.room.seq)
            self.log.append(self.room.seq, frame)
        if self.outbox is not None:
            self.outbox.push(frame)


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """A salted hash; it guards against reading memory dumps, guessing is slowed by the request limits."""

    salt: bytes
    digest: str

    @classmethod
    def of(cls, password: str, salt: bytes) -> PasswordHash:
        """Hash a password under a fresh salt of at most 16 bytes."""
        return cls(salt, hashlib.blake2b(password.encode(), salt=salt).hexdigest())

    def fits(self, password: str | None) -> bool:
        """Whether this is the password."""
        return password is not None and same_secret(PasswordHash.of(password, self.salt).digest, self.digest)


@dataclass(slots=True, eq=False)
class Room:
    """A room from its making to its closing; a room made later under the same id is another one."""

    id: str
    key: str
    """The incarnation's own id, which is also the room's name towards the media plane."""
    ordinal: int
    name: str
    owner_token: str | None
    """The secret whose bearer is owner; None in a room made anew by those who came back, until one presents it."""
    made: bool
    """Over HTTP, not by joining it."""
    created_at: int
    chat: ChatLog
    log: NoticeLog
    codecs: CodecOrder
    last_n: LastN
    public: bool = False
    locked: bool = False
    audio_only: bool = False
    password: PasswordHash | None = None
    loudest: int | None = None
    """How many voices its owner wants heard at a time; None leaves it to the server."""
    video_limited: bool = False
    """Whether its owner has set the limit of its last N."""
    heard: int = 0
    """How many the media plane lets be heard at a time; 0: all."""
    seq: int = 0
    peers: dict[str, Peer] = field(default_factory=dict)
    producers: dict[str, Producer] = field(default_factory=dict)
    """Everyone's."""
    tokens: dict[str, str] = field(default_factory=dict)
    """Resume tokens of those in the room, to their peer ids."""
    identities: OrderedDict[str, str] = field(default_factory=OrderedDict)
    """Resume tokens of peers that left, to their identities; the oldest first."""
    speaker: str | None = None
    """The id of the peer that speaks."""
    empty_since: float | None = None
    media_open: bool = False
    closed: bool = False

    @property
    def blank(self) -> bool:
        """Whether who makes it anew by joining it gets the same: nothing was said in it and nothing set."""
        changed = self.public or self.locked or self.audio_only or self.password is not None or self.name != self.id
        changed = changed or self.loudest is not None or self.video_limited
        return not self.made and not changed and self.chat.last == 0

    @property
    def remembered_bytes(self) -> int:
        """How much it remembers of what happened."""
        held = self.chat.bytes + self.log.bytes
        for peer in self.peers.values():
            held += peer.log.bytes
        return held

    def logs(self) -> list[Log]:
        """Everything in which it does."""
        return [self.chat, self.log, *(peer.log for peer in self.peers.values())]

    def settings(self) -> RoomSettings:
        """As everyone in it sees it."""
        return RoomSettings(
            id=self.id,
            name=self.name,
            public=self.public,
            locked=self.locked,
            audio_only=self.audio_only,
            has_password=self.password is not None,
            video_limit=self.last_n.limit,
            loudest=self.loudest,
            codecs=list(self.codecs.order),
        )

    def announce_settings(self, skip: Peer | None = None) -> None:
        """Tell everyone what is set now."""
        self.announce(RoomUpdated(**msgspec.structs.asdict(self.settings())), skip)

    def announce(self, notice: Notice, skip: Peer | None = None) -> None:
        """Send a notification to everyone but ``skip``: encoded once, in the room's order."""
        if not notice.numbered:
            frame = framing.notification(notice, None)
        else:
            self.seq += 1
            frame = framing.notification(notice, self.seq)
            self.log.append(self.seq, frame, skip.id if skip else "")
        for peer in self.peers.values():
            if peer is not skip and peer.outbox is not None:
                peer.outbox.push(frame)

    def missed_by(self, peer: Peer, last_seq: int) -> list[bytes] | None:
        """Every notification for this peer after ``last_seq``, or None when that cannot be told."""
        if not peer.joined_seq <= last_seq <= self.seq:
            return None
        shared, own = self.log.after(last_seq, peer.id), peer.log.after(last_seq, peer.id)
        if shared is None or own is None:
            return None
        return [frame for _, frame in sorted(shared + own)]
