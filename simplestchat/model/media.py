"""What the node says to its media plane, and what comes back.

``MediaPort`` is the only door between rooms (``signaling``) and packets (``media``). Its numbers are known to the
node and its workers alone; ids that travel to clients live in ``model.ids``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

MediaKind: TypeAlias = Literal["audio", "video"]
DtlsRole: TypeAlias = Literal["auto", "client", "server"]
TransportStateName: TypeAlias = Literal["connected", "disconnected", "failed"]

EXTENSION_NAMES = (
    "mid",
    "rid",
    "repaired-rid",
    "audio-level",
    "abs-send-time",
    "video-orientation",
    "transport-cc",
    "toffset",
    "dependency-descriptor",
)
"""The header extensions that the media plane knows, by its own short names."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The hash of a DTLS certificate: ``sha-256`` and ``AB:CD:…``."""

    algorithm: str
    value: str


@dataclass(frozen=True, slots=True)
class IceParameters:
    """The server's half of the ICE credentials; the server is always lite."""

    username_fragment: str
    password: str


@dataclass(frozen=True, slots=True)
class IceCandidate:
    """An address at which the server's worker can be reached."""

    foundation: str
    priority: int
    address: str
    port: int
    protocol: Literal["udp", "tcp"] = "udp"


@dataclass(frozen=True, slots=True)
class TransportInfo:
    """A new transport: where it is and how it proves itself. Its DTLS role is always ``auto``."""

    id: int
    ice: IceParameters
    candidates: tuple[IceCandidate, ...]
    fingerprints: tuple[Fingerprint, ...]


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """One encoding of a producer; an SSRC that is 0 and a rid that is empty are learnt from packets."""

    ssrc: int = 0
    rtx_ssrc: int = 0
    rid: str = ""
    spatial_layers: int = 1
    """Inside this encoding; 1 also where nothing is said of them."""
    temporal_layers: int = 1
    max_bitrate_bps: int = 0
    """0: nothing is said of it."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What passed a transport since it was made: datagrams, and of those that carry media, how many are missing."""

    transport: int
    bytes_in: int
    bytes_out: int
    packets_in: int
    packets_out: int
    media_in: int
    media_expected: int
    """What the numbers of its publisher's packets say was sent."""
    reported_lost: int
    """What its subscriber says did not come."""


@dataclass(frozen=True, slots=True)
class CodecSpec:
    """A codec in the publisher's own numbers. ``name`` is lower case: ``opus``, ``vp8``, ``h264``."""

    payload_type: int
    rtx_payload_type: int
    """-1: no retransmission stream."""
    clock_rate: int
    name: str
    nack: bool
    pli: bool
    fir: bool


@dataclass(frozen=True, slots=True)
class ProducerSpec:
    """What the media plane must know to receive one track; streams go from the lowest quality to the highest."""

    kind: MediaKind
    mid: str
    streams: tuple[StreamSpec, ...]
    codecs: tuple[CodecSpec, ...]
    extensions: Mapping[str, int] = field(default_factory=dict)
    """Name (``EXTENSION_NAMES``) to the publisher's id. Of ``transport-cc`` and ``abs-send-time`` it has only the one
    by which its bandwidth is to be estimated, if any."""

    @property
    def spatial_layers(self) -> int:
        """How many there are to choose among: encodings, or layers inside the only one."""
        return len(self.streams) if len(self.streams) > 1 else self.streams[0].spatial_layers


@dataclass(frozen=True, slots=True)
class CodecMap:
    """How one payload type of the publisher is spelt towards one subscriber."""

    producer_payload_type: int
    payload_type: int
    rtx_payload_type: int
    """-1: no retransmission stream."""


@dataclass(frozen=True, slots=True)
class ConsumerSpec:
    """What the media plane must know to send one track to one subscriber."""

    ssrc: int
    rtx_ssrc: int
    """0: no retransmission stream."""
    codecs: tuple[CodecMap, ...]
    extensions: Mapping[str, int]
    """Name (``EXTENSION_NAMES``) to the subscriber's id."""
    mid: str
    paused: bool
    cname: str = ""
    """The publisher's canonical name: what one publisher sends is played in step."""


@dataclass(frozen=True, slots=True)
class TransportStateChanged:
    """A transport got its path, lost it (no consent), or broke for good."""

    transport: int
    state: TransportStateName


@dataclass(frozen=True, slots=True)
class ProducerLevels:
    """How loud producers of one worker are: (producer, -dBov), 0 the loudest and 127 silence."""

    levels: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class SpeakerChanged:
    """Another one, or nobody (0), speaks in a room: the producer of a voice."""

    room_id: str
    producer: int


@dataclass(frozen=True, slots=True)
class LayersWanted:
    """Which spatial layers of a producer anyone receives, bit i for layer i."""

    producer: int
    mask: int


@dataclass(frozen=True, slots=True)
class LayersForwarded:
    """What a subscriber gets of a track from now on; -1: nothing."""

    consumer: int
    spatial: int
    temporal: int
    reason: str


@dataclass(frozen=True, slots=True)
class BandwidthChanged:
    """What may be sent to a subscriber over a transport, in bits a second."""

    transport: int
    available_bps: int


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """A worker died: these transports are gone with everything on them, and so is what others received of it."""

    transports: tuple[int, ...]


MediaEvent: TypeAlias = (
    TransportStateChanged
    | ProducerLevels
    | SpeakerChanged
    | LayersWanted
    | LayersForwarded
    | BandwidthChanged
    | WorkerLost
)


@dataclass(frozen=True, slots=True)
class Decision:
    """One change of what a subscriber is sent, and why; layers of -1: nothing."""

    time_us: int
    """Of the machine's monotonic clock."""
    consumer: int
    old_spatial: int
    old_temporal: int
    new_spatial: int
    new_temporal: int
    reason: str
    estimate_bps: int


class MediaPort(Protocol):
    """The media plane as rooms see it. Every method may raise a ``simplestchat.errors.MediaError``.

    Methods that are not ``async`` are carried out soon, in the order of the calls, and say nothing of what is gone.

    Numbers are never reused. Opening a room that is open changes nothing. Closing is idempotent: what is gone is closed
    already. A call that is cancelled leaves nothing behind: what it made nevertheless is closed again. Events reach the
    handler that was given to the implementation, in the order in which a worker reported them.
    """

    async def open_room(self, room_id: str) -> None:
        """Let the room have transports."""
        ...

    async def close_room(self, room_id: str) -> None:
        """Forget the room and close what is left of its media."""
        ...

    async def create_transport(self, room_id: str, peer_id: str = "") -> TransportInfo:
        """Make a transport on a worker that is chosen by load; all of one participant are on the same."""
        ...

    async def connect_transport(self, transport: int, role: DtlsRole, fingerprints: Sequence[Fingerprint]) -> None:
        """Tell a transport the *peer's* DTLS role and the certificate to insist on."""
        ...

    async def restart_ice(self, transport: int) -> IceParameters:
        """Give the transport new ICE credentials; its path stays in use until a new one is proven."""
        ...

    async def transport_stats(self, transport: int) -> dict[str, object]:
        """Counters of a transport, as the worker keeps them."""
        ...

    async def traffic(self, room_id: str, transports: Sequence[int]) -> Sequence[Traffic]:
        """What passed transports of a room, those that are there; asked for at once."""
        ...

    async def close_transport(self, transport: int) -> None:
        """Close a transport with its producers and consumers."""
        ...

    async def create_producer(self, transport: int, spec: ProducerSpec, *, voice: bool = False) -> int:
        """Begin to receive a track; the result is its number. Speakers are looked for, and silence is left out, among
        the ``voice`` of a room.
        """
        ...

    async def pause_producer(self, producer: int) -> None:
        """Stop forwarding a track to anyone."""
        ...

    async def resume_producer(self, producer: int) -> None:
        """Forward a track again."""
        ...

    def hold_producer(self, producer: int, held: bool) -> None:
        """Hold a track back from everyone, or do so no longer, whether its publisher pauses it or not."""
        ...

    async def close_producer(self, producer: int) -> None:
        """Stop receiving a track; its consumers go with it."""
        ...

    async def create_consumer(self, transport: int, producer: int, spec: ConsumerSpec) -> int:
        """Begin to send a track to a subscriber; the result is its number."""
        ...

    async def pause_consumer(self, consumer: int) -> None:
        """Stop sending a track to this subscriber."""
        ...

    async def resume_consumer(self, consumer: int) -> None:
        """Send a track to this subscriber, from the next keyframe on if it is video."""
        ...

    async def close_consumer(self, consumer: int) -> None:
        """Stop sending a track for good."""
        ...

    async def request_keyframe(self, consumer: int) -> None:
        """Ask the publisher for a keyframe on behalf of this subscriber."""
        ...

    async def set_preferred_layers(self, consumer: int, spatial: int, temporal: int) -> None:
        """Say which layers the subscriber wants at most."""
        ...

    def set_priority(self, consumer: int, priority: int) -> None:
        """Say how much this track matters when bandwidth is short: 1..255."""
        ...

    def set_view(self, consumer: int, width: int, height: int) -> None:
        """Say how large the subscriber shows a track, in device pixels; 0, 0: not at all, -1, -1: nobody knows."""
        ...

    def set_loudest(self, room_id: str, limit: int) -> None:
        """Let at most so many voices of a room be heard at a time; 0: all."""
        ...

    async def decisions(self, transport: int) -> Sequence[Decision]:
        """The latest changes of what is sent over a transport, the oldest first."""
        ...
