"""The RTP side of a synthetic user, as mediasoup-client in a Chromium would say it: what it can receive, how it sends.

Payload types and header extension ids are a browser's own, unlike the server's proposal, so that the server's mapping
is exercised by every packet.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

from simplestchat.load.presets import Layer
from simplestchat.ortc.matching import apt_of, feedback_of, find_codec, is_rtx, name_of
from simplestchat.ortc.parameters import (
    CodecCapability,
    CodecParameters,
    EncodingParameters,
    ExtensionCapability,
    ExtensionParameters,
    RtcpFeedback,
    RtcpParameters,
    RtpCapabilities,
    RtpParameters,
    RtxParameters,
)

if TYPE_CHECKING:
    from simplestchat._native.peer.swarm import LayerInfo, ReceiverInfo

Kind = Literal["audio", "video"]
MAX_PAYLOAD = 1150  # bytes of a packet's payload; browsers stay under 1200 with everything

_URIS: Final[dict[str, str]] = {
    "mid": "urn:ietf:params:rtp-hdrext:sdes:mid",
    "rid": "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id",
    "repaired-rid": "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id",
    "audio-level": "urn:ietf:params:rtp-hdrext:ssrc-audio-level",
    "abs-send-time": "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time",
    "transport-cc": "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01",
    "dependency-descriptor": "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension",
}
_NAMES: Final = {uri: name for name, uri in _URIS.items()}

_FEEDBACK: Final = tuple(
    RtcpFeedback(type=kind, parameter=parameter)
    for kind, parameter in (
        ("goog-remb", ""), ("transport-cc", ""), ("ccm", "fir"), ("nack", ""), ("nack", "pli"),
    )
)  # fmt: skip


def _video(name: str, payload_type: int, **settings: str | int) -> tuple[CodecCapability, CodecCapability]:
    parameters: dict[str, str | int | float | None] = {key.replace("_", "-"): value for key, value in settings.items()}
    return (
        CodecCapability(
            mime_type=f"video/{name}",
            kind="video",
            preferred_payload_type=payload_type,
            clock_rate=90_000,
            parameters=parameters,
            rtcp_feedback=_FEEDBACK,
        ),
        CodecCapability(
            mime_type="video/rtx",
            kind="video",
            preferred_payload_type=payload_type + 1,
            clock_rate=90_000,
            parameters={"apt": payload_type},
        ),
    )


def _extensions(kind: Kind, **ids: int) -> Iterable[ExtensionCapability]:
    for name, number in ids.items():
        yield ExtensionCapability(
            kind=kind, uri=_URIS[name.replace("_", "-")], preferred_id=number, direction="sendrecv"
        )


CAPABILITIES: Final = RtpCapabilities(
    codecs=(
        CodecCapability(
            mime_type="audio/opus",
            kind="audio",
            preferred_payload_type=111,
            clock_rate=48_000,
            channels=2,
            parameters={"minptime": 10, "useinbandfec": 1},
            rtcp_feedback=(RtcpFeedback(type="transport-cc", parameter=""),),
        ),
        *_video("VP8", 96),
        *_video("VP9", 98, profile_id=0),
        *_video("H264", 109, level_asymmetry_allowed=1, packetization_mode=1, profile_level_id="42e01f"),
        *_video("AV1", 45, level_idx=5, profile=0, tier=0),
    ),
    header_extensions=(
        *_extensions("audio", audio_level=1, abs_send_time=2, transport_cc=3, mid=4),
        *_extensions(
            "video", abs_send_time=2, transport_cc=3, mid=4, rid=10, repaired_rid=11, dependency_descriptor=12
        ),
    ),
)
"""``device.rtpCapabilities``."""


class NotNegotiated(Exception):
    """The server does not know the codec that was to be sent."""


def sending(
    offered: RtpCapabilities,
    codec: str,
    mid: str,
    cname: str,
    layers: Sequence[LayerInfo],
    *,
    dtx: bool = False,
    scalability: str = "L1T1",
) -> RtpParameters:
    """``rtpParameters`` of a producer: what both sides know, under this device's numbers.

    Raises ``NotNegotiated``. One encoding is told by its SSRCs; several are told by their rids alone.
    """
    own = next(one for one in CAPABILITIES.codecs or () if name_of(one) == codec)
    theirs = find_codec(offered.codecs or (), own)
    if theirs is None:
        raise NotNegotiated(f"the server does not take {own.mime_type}")
    kind = own.kind or "audio"
    rtx = _rtx_of(own) if any(is_rtx(one) for one in offered.codecs or ()) else None
    feedback = feedback_of(theirs)
    codecs = [
        CodecParameters(
            mime_type=own.mime_type,
            payload_type=own.preferred_payload_type,
            clock_rate=own.clock_rate,
            channels=own.channels,
            parameters=own.parameters,
            rtcp_feedback=tuple(one for one in own.rtcp_feedback or () if (one.type, one.parameter or "") in feedback),
        )
    ]
    if rtx is not None:
        codecs.append(
            CodecParameters(
                mime_type=rtx.mime_type,
                payload_type=rtx.preferred_payload_type,
                clock_rate=rtx.clock_rate,
                parameters=rtx.parameters,
            )
        )
    return RtpParameters(
        mid=mid,
        codecs=tuple(codecs),
        header_extensions=tuple(
            ExtensionParameters(uri=_URIS[name], id=number) for name, number in _common(offered, kind).items()
        ),
        encodings=tuple(_encoding(one, dtx=dtx, scalability=scalability) for one in layers),
        rtcp=RtcpParameters(cname=cname, reduced_size=True, mux=True),
    )


def _encoding(layer: LayerInfo, *, dtx: bool, scalability: str) -> EncodingParameters:
    mode = None if scalability == "L1T1" else scalability
    if layer["rid"]:
        return EncodingParameters(rid=layer["rid"], max_bitrate=layer["bitrate_bps"], scalability_mode=mode)
    rtx = RtxParameters(ssrc=layer["rtx_ssrc"]) if layer["rtx_ssrc"] else None
    most = layer["bitrate_bps"] if layer["width"] else None
    return EncodingParameters(ssrc=layer["ssrc"], rtx=rtx, dtx=dtx or None, scalability_mode=mode, max_bitrate=most)


def _rtx_of(codec: CodecCapability) -> CodecCapability | None:
    known = CAPABILITIES.codecs or ()
    return next((one for one in known if is_rtx(one) and apt_of(one) == codec.preferred_payload_type), None)


def _common(offered: RtpCapabilities, kind: str) -> dict[str, int]:
    """Header extensions that both sides know, to this device's ids."""
    theirs = {one.uri for one in offered.header_extensions or () if one.kind in (kind, "", None)}
    return {
        _NAMES[one.uri]: one.preferred_id
        for one in CAPABILITIES.header_extensions or ()
        if one.kind == kind and one.uri in theirs
    }


def layer_infos(layers: Iterable[Layer], chance: random.Random, *, rtx: bool) -> list[LayerInfo]:
    """Encodings with SSRCs of their own."""
    return [
        {
            "ssrc": chance.randrange(1, 1 << 32),
            "rtx_ssrc": chance.randrange(1, 1 << 32) if rtx else 0,
            "bitrate_bps": one.bitrate_bps,
            "width": one.width,
            "height": one.height,
            "rid": one.rid,
        }
        for one in layers
    ]


def numbers(parameters: RtpParameters) -> dict[str, Any]:
    """What a sender or a receiver needs of its parameters: codec, payload types, clock rate, extension ids."""
    media = next(one for one in parameters.codecs if not is_rtx(one))
    rtx = next((one for one in parameters.codecs if is_rtx(one)), None)
    return {
        "codec": name_of(media),
        "payload_type": media.payload_type,
        "rtx_payload_type": -1 if rtx is None else rtx.payload_type,
        "clock_rate": media.clock_rate,
        "ext": {_NAMES[one.uri]: one.id for one in parameters.header_extensions or () if one.uri in _NAMES},
    }


def receiving(parameters: RtpParameters, user: int, track: int, visit: int = 0) -> ReceiverInfo:
    """The receiver of a consumer's ``rtpParameters``; raises ValueError when these name no SSRC."""
    encoding = next(iter(parameters.encodings or ()), None)
    if encoding is None or not encoding.ssrc:
        raise ValueError("the consumer's parameters name no SSRC")
    info: ReceiverInfo = {
        "user": user,
        "visit": visit,
        "track": track,
        "ssrc": encoding.ssrc,
        "rtx_ssrc": encoding.rtx.ssrc if encoding.rtx else 0,
        **numbers(parameters),  # type: ignore[typeddict-item]
    }
    return info
