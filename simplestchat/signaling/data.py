"""The structs that requests, results and notifications are made of."""

from __future__ import annotations

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from simplestchat.config.settings import MAX_LOUDEST
from simplestchat.model.media import DtlsRole, MediaKind, TransportStateName
from simplestchat.ortc.parameters import Wire

NAME_MAX = 64
CHAT_TEXT_MAX = 4096
PASSWORD_MAX = 256

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
"""An id that the server gave: random, url-safe."""
RoomId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
Name: TypeAlias = Annotated[str, Meta(max_length=1024)]
"""A name of a person or a room; it has 1 to 64 characters once control characters and outer blanks are gone."""
TOKEN_MAX: Final = 256
Token: TypeAlias = Annotated[str, Meta(min_length=1, max_length=TOKEN_MAX)]
Password: TypeAlias = Annotated[str, Meta(max_length=PASSWORD_MAX)]
ClientId: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
Seq: TypeAlias = Annotated[int, Meta(ge=0)]
VideoLimit: TypeAlias = Annotated[int, Meta(ge=0, le=1000)]
Loudest: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_LOUDEST)]
Time: TypeAlias = Annotated[int, Meta(description="Milliseconds since 1970, UTC.")]

Role: TypeAlias = Literal["owner", "member"]
Source: TypeAlias = Literal["microphone", "camera", "screen", "screen-audio"]
Direction: TypeAlias = Literal["send", "recv"]
ConsumerType: TypeAlias = Literal["simple", "simulcast", "svc"]
LeaveReason: TypeAlias = Literal["left", "disconnected", "kicked"]
RoomCloseReason: TypeAlias = Literal["closed", "expired"]
CloseReason: TypeAlias = Literal["closed", "peer-left", "transport-closed", "audio-only", "worker-lost"]


HoldReason: TypeAlias = Literal["last-n"]


class ProducerInfo(Wire, frozen=True, kw_only=True):
    """A track that someone publishes."""

    producer_id: Id
    kind: MediaKind
    source: Source
    paused: bool


class PeerInfo(Wire, frozen=True, kw_only=True):
    """Someone in the room."""

    peer_id: Id
    name: str
    role: Role
    producers: list[ProducerInfo]


class RoomSettings(Wire, frozen=True, kw_only=True):
    """A room as everyone in it sees it."""

    id: RoomId
    name: str
    public: bool
    locked: bool
    audio_only: bool
    has_password: bool
    video_limit: int
    """Of how many people, those who spoke last, cameras are forwarded; 0: of all."""
    loudest: int | None = None
    """How many voices are forwarded at a time, the loudest; 0: all. Absent: as the server does by the room's size."""
    codecs: list[str]
    """Video codecs in the order in which to prefer them for sending: everybody here can receive them."""


class JoinedRoom(Wire, frozen=True, kw_only=True):
    """The room that was joined, and what one is in it."""

    id: RoomId
    name: str
    public: bool
    locked: bool
    audio_only: bool
    has_password: bool
    video_limit: int
    loudest: int | None = None
    codecs: list[str]
    role: Role
    owner_token: Token | None = None
    """Only for who made the room by joining it: the bearer token that manages it over HTTP and on later joins."""


class ChatMessage(Wire, frozen=True, kw_only=True, gc=False):
    """A stored chat message. ``seq`` counts the room's messages without gaps, from 1."""

    # Kept by the thousand, and nothing in it can refer back to it: no field may ever hold a container.
    id: Id
    seq: Seq
    peer_id: Id
    name: str
    text: str
    time: Time
    client_id: ClientId


class ChatState(Wire, frozen=True, kw_only=True):
    """The latest messages. A changed ``epoch`` means that numbering began anew."""

    epoch: Id
    messages: list[ChatMessage]


class IceServer(Wire, frozen=True, kw_only=True):
    """A STUN or TURN server to hand to RTCPeerConnection."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class IceParametersInfo(Wire, frozen=True, kw_only=True):
    """The server's ICE credentials."""

    username_fragment: str
    password: str
    ice_lite: bool


class IceCandidateInfo(Wire, frozen=True, kw_only=True):
    """An address of the server; ``ip`` and ``address`` are the same, for older and newer clients."""

    foundation: str
    priority: int
    ip: str
    address: str
    protocol: Literal["udp", "tcp"]
    port: int
    type: Literal["host"]
    tcp_type: Literal["passive"] | None = None


class DtlsFingerprint(Wire, frozen=True, kw_only=True):
    """The hash of a certificate: ``sha-256`` and ``AB:CD:…``."""

    algorithm: Annotated[str, Meta(max_length=32)]
    value: Annotated[str, Meta(max_length=256)]


class DtlsParameters(Wire, frozen=True, kw_only=True):
    """A side's certificate and the DTLS role it takes."""

    role: DtlsRole | None = None
    """``auto`` when absent."""
    fingerprints: Annotated[list[DtlsFingerprint], Meta(min_length=1, max_length=16)]


class OwnTransport(Wire, frozen=True, kw_only=True):
    """A transport of one's own that the server still holds."""

    transport_id: Id
    direction: Direction
    state: TransportStateName | Literal["new"]


class OwnProducer(Wire, frozen=True, kw_only=True):
    """A producer of one's own that the server still holds, with what ``producer.layers`` said last."""

    producer_id: Id
    transport_id: Id
    paused: bool
    encodings: list[bool]
    max_spatial_layer: int | None = None


class OwnConsumer(Wire, frozen=True, kw_only=True):
    """A consumer of one's own that the server still holds."""

    consumer_id: Id
    producer_id: Id
    transport_id: Id
    paused: bool
    held: bool
    """Whether the server holds it back (``consumer.paused``)."""
    spatial_layer: int | None = None
    """With ``temporalLayer`` what ``consumer.layers`` said last."""
    temporal_layer: int | None = None


class OwnMedia(Wire, frozen=True, kw_only=True):
    """What the server still holds of a peer that came back."""

    transports: list[OwnTransport]
    producers: list[OwnProducer]
    consumers: list[OwnConsumer]
