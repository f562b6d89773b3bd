"""The wire structs of RTP capabilities and parameters, with their bounds.

A ``null`` is as good as an absent field on the way in (pymediasoup writes them); on the way out absent fields are left
out (libmediasoupclient refuses a ``null``). Fields that the server has no use for are ignored.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from simplestchat.model.media import MediaKind

# What the media core takes of one track (`_native/engine/entities.pxd`); more would be refused there.
MAX_ENCODINGS: Final = 4
MAX_CODECS: Final = 16  # retransmission formats not counted: each codec may have one
RID_SIZE: Final = 16
MID_SIZE: Final = 32
MAX_LAYERS: Final = 4  # spatial or temporal ones of a track
MAX_BITRATE_BPS: Final = 1_000_000_000

PayloadType: TypeAlias = Annotated[int, Meta(ge=0, le=127)]
Ssrc: TypeAlias = Annotated[int, Meta(ge=1, le=0xFFFF_FFFF)]
ExtensionId: TypeAlias = Annotated[int, Meta(ge=1, le=255)]
ClockRate: TypeAlias = Annotated[int, Meta(ge=1, le=10_000_000)]
Channels: TypeAlias = Annotated[int, Meta(ge=1, le=255)]
MimeType: TypeAlias = Annotated[str, Meta(pattern=r"^(?i:audio|video)/[A-Za-z0-9._+-]{1,64}\Z")]
# These words end up in the SDP of subscribers, so nothing that could end a line of it gets through.
Word: TypeAlias = Annotated[str, Meta(pattern=r"^[ -~]{0,256}\Z")]
Rid: TypeAlias = Annotated[str, Meta(pattern=rf"^[A-Za-z0-9_-]{{1,{RID_SIZE}}}\Z")]
Mid: TypeAlias = Annotated[str, Meta(pattern=rf"^[!-~]{{1,{MID_SIZE}}}\Z")]
CodecSettings: TypeAlias = Annotated[dict[Word, Word | int | float | None], Meta(max_length=64)]


def _nothing() -> tuple[Any, ...]:
    """The empty default of a list that is always written, even when empty."""
    return ()


def _no_settings() -> dict[str, Any]:
    """The empty default of an object that is always written, even when empty."""
    return {}


class Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """Base of every struct on the wire: camelCase names, absent instead of null."""


class RtcpFeedback(Wire, frozen=True, kw_only=True):
    """One RTCP feedback message that a codec uses: ``nack``, ``nack pli``, ``ccm fir``, ``transport-cc``…"""

    type: Word
    parameter: Word | None = None


class CodecCapability(Wire, frozen=True, kw_only=True):
    """A codec that an endpoint can receive."""

    mime_type: MimeType
    kind: MediaKind | None = None
    preferred_payload_type: PayloadType
    clock_rate: ClockRate
    channels: Channels | None = None
    parameters: CodecSettings | None = msgspec.field(default_factory=_no_settings)
    rtcp_feedback: Annotated[tuple[RtcpFeedback, ...], Meta(max_length=32)] | None = msgspec.field(
        default_factory=_nothing
    )


class ExtensionCapability(Wire, frozen=True, kw_only=True):
    """An RTP header extension that an endpoint understands."""

    kind: Literal["audio", "video", ""] | None = None
    uri: Word
    preferred_id: ExtensionId
    preferred_encrypt: bool | None = None
    direction: Literal["sendrecv", "sendonly", "recvonly", "inactive"] | None = None


class RtpCapabilities(Wire, frozen=True, kw_only=True):
    """What an endpoint can receive: ``router.rtpCapabilities`` or ``device.recvRtpCapabilities``."""

    codecs: Annotated[tuple[CodecCapability, ...], Meta(max_length=128)] | None = msgspec.field(
        default_factory=_nothing
    )
    header_extensions: Annotated[tuple[ExtensionCapability, ...], Meta(max_length=64)] | None = msgspec.field(
        default_factory=_nothing
    )


class CodecParameters(Wire, frozen=True, kw_only=True):
    """A codec in use, under its payload type."""

    mime_type: MimeType
    payload_type: PayloadType
    clock_rate: ClockRate
    channels: Channels | None = None
    parameters: CodecSettings | None = msgspec.field(default_factory=_no_settings)
    rtcp_feedback: Annotated[tuple[RtcpFeedback, ...], Meta(max_length=32)] | None = msgspec.field(
        default_factory=_nothing
    )


class ExtensionParameters(Wire, frozen=True, kw_only=True):
    """A header extension in use, under its id."""

    uri: Word
    id: ExtensionId
    encrypt: bool | None = None
    parameters: CodecSettings | None = msgspec.field(default_factory=_no_settings)


class RtxParameters(Wire, frozen=True, kw_only=True):
    """The retransmission stream of an encoding."""

    ssrc: Ssrc


class EncodingParameters(Wire, frozen=True, kw_only=True):
    """One stream of a track; several make simulcast, the lowest quality first."""

    ssrc: Ssrc | None = None
    rid: Rid | None = None
    codec_payload_type: PayloadType | None = None
    rtx: RtxParameters | None = None
    dtx: bool | None = None
    scalability_mode: Word | None = None
    max_bitrate: Annotated[int, Meta(ge=0, le=MAX_BITRATE_BPS)] | None = None


class RtcpParameters(Wire, frozen=True, kw_only=True):
    """How RTCP of a track is sent."""

    cname: Word | None = None
    reduced_size: bool | None = None
    mux: bool | None = None


class RtpParameters(Wire, frozen=True, kw_only=True):
    """A track as it is sent: by a publisher to the server, or by the server to a subscriber."""

    mid: Mid | Literal[""] | None = None
    codecs: Annotated[tuple[CodecParameters, ...], Meta(min_length=1, max_length=2 * MAX_CODECS)]
    header_extensions: Annotated[tuple[ExtensionParameters, ...], Meta(max_length=32)] | None = msgspec.field(
        default_factory=_nothing
    )
    encodings: Annotated[tuple[EncodingParameters, ...], Meta(max_length=MAX_ENCODINGS)] | None = msgspec.field(
        default_factory=_nothing
    )
    rtcp: RtcpParameters | None = None
