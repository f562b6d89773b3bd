"""The control channel's format: 4-byte big-endian length, then msgpack.

Node to worker: ``[request id, method, {parameters}]``, the id above 0. Worker to node, by the first element:
``[0, request id, result]``, ``[1, request id, {"code", "message"}]`` and ``[2, event name, …]``. A new worker sends
the event ``waiting``; its first request is ``serve``, which it answers with the event ``hello, port, fingerprints``.
Failure 0 takes the place of either when it cannot start. Both ends are ours, so a
malformed message is a bug and ends the worker; the length is bounded anyway.
"""

from __future__ import annotations

import struct
from typing import Any, ClassVar, TypeAlias

import msgspec

from simplestchat.model.media import ProducerSpec

REPLY, FAILURE, EVENT = 0, 1, 2
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_LENGTH = struct.Struct(">I")

CodecRow: TypeAlias = tuple[int, int, int, str, bool, bool, bool]
StreamRow: TypeAlias = tuple[int, int, str]
#: Spatial layers and temporal layers inside an encoding, and its highest bitrate in bits a second, or 0.
LayersRow: TypeAlias = tuple[int, int, int]


class ChannelError(Exception):
    """The other end of the control channel broke its rules."""


class Call(msgspec.Struct, frozen=True):
    """The parameters of one method of a worker; the class says which method."""

    METHOD: ClassVar[str] = ""


class Stats(Call, frozen=True):
    """Everything that a worker tells of itself: a ``reading.Reading``."""

    METHOD = "stats"


class Serve(Call, frozen=True):
    """Open this UDP port, 0 for a free one, and serve as the worker of this number: the first request, and only it."""

    METHOD = "serve"
    index: int
    port: int
    srtp_backend: str = "auto"
    udp_offload: bool = True


class ById(Call, frozen=True):
    """Base of what needs only the number of an object."""

    id: int


class CreateTransport(ById, frozen=True):
    """Make a transport; the result is its ICE user name fragment and password."""

    METHOD = "create_transport"


class ConnectTransport(ById, frozen=True):
    """Set the peer's DTLS role and fingerprints."""

    METHOD = "connect_transport"
    role: str
    fingerprints: list[tuple[str, str]]


class RestartIce(ById, frozen=True):
    """Give a transport new credentials."""

    METHOD = "restart_ice"


class TransportStats(ById, frozen=True):
    """Counters of a transport."""

    METHOD = "transport_stats"


class Traffic(Call, frozen=True):
    """What passed many transports, in rows of ``model.media.Traffic``; those that are gone have none."""

    METHOD = "traffic"
    ids: list[int]


class CloseTransport(ById, frozen=True):
    """Close a transport with what is on it."""

    METHOD = "close_transport"


class CreatePipe(ById, frozen=True):
    """Make this worker's end of the pipe to another one; addresses are those of the UDP sockets."""

    METHOD = "create_pipe"
    remote: tuple[str, int]
    local: tuple[str, int]
    send_key: bytes
    recv_key: bytes


class PipeProducer(Call, frozen=True):
    """Send a producer over a pipe: for each encoding the number of a consumer, its SSRC and that for RTX, or 0."""

    METHOD = "pipe_producer"
    transport: int
    producer: int
    rows: list[tuple[int, int, int]]


class CreateProducer(ById, frozen=True):
    """Begin to receive a track. ``group`` is the number of its room, in which speakers are looked for; 0: in none."""

    METHOD = "create_producer"
    transport: int
    kind: str
    mid: str
    streams: list[StreamRow]
    codecs: list[CodecRow]
    extensions: dict[str, int]
    layers: list[LayersRow] = []
    """One for each of the streams, or none at all."""
    group: int = 0


class PauseProducer(ById, frozen=True):
    """Stop forwarding a track."""

    METHOD = "pause_producer"


class ResumeProducer(ById, frozen=True):
    """Forward a track again."""

    METHOD = "resume_producer"


class CloseProducer(ById, frozen=True):
    """Stop receiving a track."""

    METHOD = "close_producer"


class CreateConsumer(ById, frozen=True):
    """Begin to send a track."""

    METHOD = "create_consumer"
    transport: int
    producer: int
    ssrc: int
    rtx_ssrc: int
    codecs: list[tuple[int, int, int]]
    extensions: dict[str, int]
    mid: str
    paused: bool
    cname: str


class PauseConsumer(ById, frozen=True):
    """Stop sending a track."""

    METHOD = "pause_consumer"


class ResumeConsumer(ById, frozen=True):
    """Send a track again."""

    METHOD = "resume_consumer"


class CloseConsumer(ById, frozen=True):
    """Stop sending a track for good."""

    METHOD = "close_consumer"


class RequestKeyframe(ById, frozen=True):
    """Ask the publisher for a keyframe."""

    METHOD = "request_keyframe"


class SetPreferredLayers(ById, frozen=True):
    """Set the highest layers wanted."""

    METHOD = "set_preferred_layers"
    spatial: int
    temporal: int


class SetPriority(ById, frozen=True):
    """Set a consumer's weight."""

    METHOD = "set_priority"
    priority: int


class SetView(ById, frozen=True):
    """Set the size of a consumer's tile in device pixels; 0, 0: out of view, -1, -1: not known."""

    METHOD = "set_view"
    width: int
    height: int


class SetLoudest(Call, frozen=True):
    """Forward at most so many voices of a group at a time; 0: all, which also forgets the group once it is empty."""

    METHOD = "set_loudest"
    group: int
    limit: int


class SetWanted(ById, frozen=True):
    """Say which spatial layers of a producer other workers want: bit i for layer i."""

    METHOD = "set_wanted"
    mask: int


class Decisions(ById, frozen=True):
    """The latest decisions of a transport's allocation, in rows of ``model.media.Decision``."""

    METHOD = "decisions"


#: Every method that a worker that serves answers, by name. Nothing else of a worker can be reached.
CALLS: dict[str, type[Call]] = {
    call.METHOD: call
    for call in (
        Stats, CreateTransport, ConnectTransport, RestartIce, TransportStats, Traffic, CloseTransport, CreateProducer,
        PauseProducer, ResumeProducer, CloseProducer, CreateConsumer, PauseConsumer, ResumeConsumer, CloseConsumer,
        RequestKeyframe, SetPreferredLayers, SetPriority, SetView, SetLoudest, SetWanted, Decisions, CreatePipe,
        PipeProducer,
    )
}  # fmt: skip


def layers(spec: ProducerSpec) -> list[LayersRow]:
    """What a worker is told of the layers in each encoding of a track."""
    return [(one.spatial_layers, one.temporal_layers, one.max_bitrate_bps) for one in spec.streams]


def frame(payload: bytes) -> bytes:
    """Put the length before a message."""
    if len(payload) > MAX_MESSAGE_BYTES:
        raise ChannelError("a control message is too long")
    return _LENGTH.pack(len(payload)) + payload


def encode_call(request_id: int, call: Call) -> bytes:
    """Return the framed request."""
    return frame(msgspec.msgpack.encode((request_id, call.METHOD, call)))


class FrameReader:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[list[Any]]:
        """Take what arrived; return the messages that are complete."""
        self._buffer += data
        messages: list[list[Any]] = []
        start = 0
        while len(self._buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._buffer, start)
            if length > MAX_MESSAGE_BYTES:
                raise ChannelError("a control message is too long")
            end = start + _LENGTH.size + length
            if len(self._buffer) < end:
                break
            messages.append(self._decode(bytes(self._buffer[start + _LENGTH.size : end])))
            start = end
        del self._buffer[:start]
        return messages

    @staticmethod
    def _decode(payload: bytes) -> list[Any]:
        try:
            return msgspec.msgpack.decode(payload, type=list[Any])
        except msgspec.DecodeError as exc:
            raise ChannelError(f"a control message is no msgpack array: {exc}") from None
