"""Parameters and results of every request; ``registry`` says which method takes which."""

from __future__ import annotations

from typing import Annotated, Final, TypeAlias

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
    Loudest,
    Name,
    OwnMedia,
    Password,
    PeerInfo,
    RoomId,
    Seq,
    Source,
    Time,
    Token,
    VideoLimit,
)

MAX_VIEWS: Final = 2048
"""As many as the consumers of a peer can be."""
Pixels: TypeAlias = Annotated[int, Meta(ge=0, le=32_768)]


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
    rtp_capabilities: RtpCapabilities | None = None
    """What this device can receive, for the room's order of codecs; else the first ``consumer.create`` tells."""


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
    video_limit: VideoLimit | None = None
    """Forward the cameras of only so many people, those who spoke last; 0: of all. Screens are always forwarded."""
    loudest: Loudest | UnsetType | None = UNSET
    """Forward only so many voices at a time; 0: all; null: as the server does by the room's size."""
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
    """What may be sent to the receiver, in bits per second, as estimated; 0 until something is known."""
    sent_bitrate_bps: int
    """What is sent to it."""
    loss: float
    """The part of what was sent lately that did not come, 0 to 1."""
    queue_us: int
    """How long datagrams wait on the way, as estimated, in microseconds."""
    bwe: str
    """What the estimator is about, in words of the media server's."""


class DecisionInfo(Wire, frozen=True, kw_only=True):
    """One change of the layers that a consumer gets; a layer that is absent: nothing was or is sent."""

    ago_ms: int
    """Before the answer, in milliseconds."""
    consumer_id: Id
    old_spatial_layer: int | None = None
    old_temporal_layer: int | None = None
    spatial_layer: int | None = None
    temporal_layer: int | None = None
    reason: str
    available_bitrate: int
    """What was estimated at that time, in bits per second."""


class Decisions(Wire, frozen=True, kw_only=True):
    """The latest, the oldest first; those about consumers that are closed are left out."""

    decisions: list[DecisionInfo]


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
    """``simulcast`` and ``svc`` have spatial layers to choose among."""
    producer_paused: bool
    spatial_layers: int
    """How many there are; more may turn up in a stream whose publisher said nothing of them."""
    temporal_layers: int
    held: bool
    """Whether the server holds it back, as with ``consumer.paused``."""


class ConsumerRef(Wire, frozen=True, kw_only=True):
    """One of one's own consumers."""

    consumer_id: Id


class ConsumerLayersWanted(Wire, frozen=True, kw_only=True):
    """The best layers that are of use. All temporal layers are where ``temporalLayer`` is absent."""

    consumer_id: Id
    spatial_layer: Annotated[int, Meta(ge=0, le=7)]
    temporal_layer: Annotated[int, Meta(ge=0, le=7)] | None = None


class ConsumerPriority(Wire, frozen=True, kw_only=True):
    """How much this video matters when bandwidth is short. What matters more gets all its layers before what matters
    less gets its second one; what matters the same gets a fair share. 1 leaves it to the server: who speaks (3) before
    a screen (2) before the rest (1).
    """

    consumer_id: Id
    priority: Annotated[int, Meta(ge=1, le=255)]


class ConsumerView(Wire, frozen=True, kw_only=True):
    """How large a video is shown, in device pixels. 0 by 0: it is out of view, so nothing is sent until it is seen."""

    consumer_id: Id
    width: Pixels
    height: Pixels


class ConsumerViews(Wire, frozen=True, kw_only=True):
    """The same of many consumers. Those that are closed already are passed over."""

    views: Annotated[list[ConsumerView], Meta(max_length=MAX_VIEWS)]
