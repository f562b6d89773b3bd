"""Parameters and results of every request; ``registry`` says which method takes which."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from simplestchat.model.media import MediaKind
from simplestchat.ortc.parameters import RtpCapabilities, RtpParameters, Wire
from simplestchat.signaling.data import (
    ChatMessage,
    ChatState,
    ClientId,
    ConsumerType,
    Direction,
    DtlsParameters,
    IceCandidateInfo,
    IceParametersInfo,
    IceServer,
    Id,
    JoinedRoom,
    Name,
    OwnMedia,
    Password,
    PeerInfo,
    RoomId,
    Seq,
    Source,
    Time,
    Token,
)


class Nothing(Wire, frozen=True, kw_only=True):
    """No parameters, or a result without content."""


class Auth(Wire, frozen=True, kw_only=True):
    """Present a token once for every later ``room.join`` of this connection that carries none itself."""

    token: Token


class RoomJoin(Wire, frozen=True, kw_only=True):
    """Enter a room, which is made if it is not there, or come back to it after a lost connection."""

    room: RoomId
    name: Name
    password: Password | None = None
    """The room's password, or the one it shall have when this join makes it."""
    token: Token | None = None
    """The owner's token, from ``POST /api/rooms`` or an earlier join: its bearer is owner. A room that this join makes
    anew takes it as its own. Without it the token of the connection counts, from ``auth`` or from connecting."""
    resume: Token | None = None
    """``resumeToken`` of the join to go on with. When the room is gone meanwhile, this join makes it anew but gives
    nobody the owner's right: the first one who presents a token has it."""
    last_seq: Seq | None = None
    """With ``resume``: the last notification ``seq`` that was seen. Without it the answer is a full snapshot."""


class RoomJoined(Wire, frozen=True, kw_only=True):
    """The room as it is. A peer that came back is ``resumed``; ``missed`` then holds every notification after
    ``lastSeq``, and ``peers`` and ``chat.messages`` are empty, unless ``reset`` says that this is a full snapshot.
    """

    peer_id: Id
    resume_token: Token
    room: JoinedRoom
    peers: list[PeerInfo]
    """The others, without oneself."""
    rtp_capabilities: RtpCapabilities
    ice_servers: list[IceServer]
    chat: ChatState
    seq: Seq
    """The number of the room's latest notification."""
    resumed: bool
    """Whether it is the same peer as before, with its id and its media."""
    reset: bool
    """Whether what one knew of the room must be replaced by this snapshot."""
    missed: list[msgspec.Raw]
    own: OwnMedia


class RoomUpdate(Wire, frozen=True, kw_only=True):
    """Change settings of the room; what is absent stays. A ``password`` of null takes the password away."""

    name: Name | None = None
    public: bool | None = None
    locked: bool | None = None
    audio_only: bool | None = None
    password: Password | UnsetType | None = UNSET


class PeerKick(Wire, frozen=True, kw_only=True):
    """Put someone out of the room."""

    peer_id: Id


class ChatSend(Wire, frozen=True, kw_only=True):
    """Say something to the room. The same ``clientId`` again gives the answer of the first time."""

    text: Annotated[str, Meta(min_length=1, max_length=4096)]
    client_id: ClientId


class ChatSent(Wire, frozen=True, kw_only=True):
    """The message is stored."""

    id: Id
    seq: Seq
    time: Time


class ChatHistory(Wire, frozen=True, kw_only=True):
    """A page of messages: the last ones, those before or those after a ``seq`` (which is left out itself)."""

    before: Seq | None = None
    after: Seq | None = None
    limit: Annotated[int, Meta(ge=1, le=200)] | None = None


class ChatPage(Wire, frozen=True, kw_only=True):
    """Messages in ascending order of ``seq``."""

    messages: list[ChatMessage]
    epoch: Id
    more: bool
    """Whether there are further messages in the direction that was asked for."""
    truncated: bool
    """Whether messages that belong to this page are no longer kept."""


class TransportCreate(Wire, frozen=True, kw_only=True):
    """Make a transport, to send or to receive."""

    direction: Direction
    sctp: bool | None = None
    """Accepted for clients that ask for data channels; there are none yet."""


class TransportCreated(Wire, frozen=True, kw_only=True):
    """What mediasoup-client's ``createSendTransport`` and ``createRecvTransport`` take."""

    id: Id
    ice_parameters: IceParametersInfo
    ice_candidates: list[IceCandidateInfo]
    dtls_parameters: DtlsParameters


class TransportConnect(Wire, frozen=True, kw_only=True):
    """Say which certificate and DTLS role the client has."""

    transport_id: Id
    dtls_parameters: DtlsParameters


class TransportRef(Wire, frozen=True, kw_only=True):
    """One of one's own transports."""

    transport_id: Id


class IceRestarted(Wire, frozen=True, kw_only=True):
    """The new credentials; the path in use goes on until a new one is proven."""

    ice_parameters: IceParametersInfo


class AppData(Wire, frozen=True, kw_only=True):
    """What the track shows."""

    source: Source | None = None


class TransportCounters(Wire, frozen=True, kw_only=True):
    """The media server's counters of a transport, since it was made."""

    state: str
    """``new``, ``connected``, ``disconnected`` or ``failed``."""
    packets_in: int
    packets_out: int
    bytes_in: int
    bytes_out: int
    dropped_in: int
    """Datagrams that were not what they should be."""
    producers: int
    consumers: int
    round_trip_us: int
    """The longest round trip of its streams in microseconds; 0 until one is known."""
    available_bitrate_bps: int
    """What the receiver says it can take, in bits per second; 0 until it says so."""


class ProducerCreate(Wire, frozen=True, kw_only=True):
    """Publish a track. Without a source it is ``microphone`` or ``camera``."""

    transport_id: Id
    kind: MediaKind
    rtp_parameters: RtpParameters
    app_data: AppData | None = None
    paused: bool | None = None


class ProducerCreated(Wire, frozen=True, kw_only=True):
    """The track is there for the others."""

    id: Id


class ProducerRef(Wire, frozen=True, kw_only=True):
    """One of one's own producers."""

    producer_id: Id


class ConsumerCreate(Wire, frozen=True, kw_only=True):
    """Receive a track. It starts paused unless ``paused`` is false."""

    transport_id: Id
    producer_id: Id
    rtp_capabilities: RtpCapabilities
    paused: bool | None = None


class ConsumerCreated(Wire, frozen=True, kw_only=True):
    """What mediasoup-client's ``transport.consume`` takes."""

    id: Id
    producer_id: Id
    kind: MediaKind
    rtp_parameters: RtpParameters
    type: ConsumerType
    producer_paused: bool


class ConsumerRef(Wire, frozen=True, kw_only=True):
    """One of one's own consumers."""

    consumer_id: Id


class ConsumerLayersWanted(Wire, frozen=True, kw_only=True):
    """The best layers that are of use; ``temporalLayer`` is accepted and has no effect yet."""

    consumer_id: Id
    spatial_layer: Annotated[int, Meta(ge=0, le=7)]
    temporal_layer: Annotated[int, Meta(ge=0, le=7)] | None = None


class ConsumerPriority(Wire, frozen=True, kw_only=True):
    """How much this track matters when bandwidth is short. Accepted; it has no effect yet."""

    consumer_id: Id
    priority: Annotated[int, Meta(ge=1, le=255)]
