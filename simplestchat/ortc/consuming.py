"""A subscriber's side of a producer: in its own payload types and extension ids, under a fresh SSRC."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from simplestchat.errors import IncompatibleCodecs, InvalidParams
from simplestchat.model.media import CodecMap, ConsumerSpec
from simplestchat.ortc.capabilities import (
    BANDWIDTH_FEEDBACK,
    DEPENDENCY_DESCRIPTOR,
    EXTENSION_OF_URI,
    ROUTER_CAPABILITIES,
    extension_names,
    needless,
)
from simplestchat.ortc.matching import apt_of, common_feedback, find_codec, is_rtx, kind_of
from simplestchat.ortc.parameters import (
    CodecCapability,
    CodecParameters,
    EncodingParameters,
    ExtensionParameters,
    RtcpParameters,
    RtpCapabilities,
    RtpParameters,
    RtxParameters,
)
from simplestchat.ortc.producing import Production


@dataclass(frozen=True, slots=True)
class Consumption:
    """What the subscriber is told, and what the media plane is told."""

    rtp_parameters: RtpParameters
    spec: ConsumerSpec
    ssrcs: frozenset[int]


def consume(
    production: Production,
    capabilities: RtpCapabilities,
    *,
    mid: str,
    new_ssrc: Callable[[], int],
    paused: bool,
) -> Consumption:
    """Fit a producer to what a subscriber can receive; raises ``IncompatibleCodecs`` when nothing fits."""
    known = capabilities.codecs or ()
    _check_payload_types(known)
    extensions = _extensions(production, capabilities)
    names = {EXTENSION_OF_URI[uri] for uri in extensions}
    useless = [feedback for feedback, extension in BANDWIDTH_FEEDBACK.items() if extension not in names]
    codecs: list[CodecParameters] = []
    maps: list[CodecMap] = []
    for codec in production.codecs:
        theirs = find_codec(known, codec)
        if theirs is None or any(theirs.preferred_payload_type == one.payload_type for one in maps):
            continue
        rtx = _retransmission(known, theirs) if production.kind == "video" else None
        codecs += _codec_parameters(codec, theirs, rtx, useless)
        maps.append(CodecMap(codec.payload_type, theirs.preferred_payload_type, -1 if rtx is None else rtx))
    if not maps:
        raise IncompatibleCodecs(
            f"The subscriber can receive none of {', '.join(one.mime_type for one in production.codecs)}. "
            "Pass the rtpCapabilities of the device, or leave this producer out."
        )
    ssrc = new_ssrc()
    rtx_ssrc = new_ssrc() if any(one.rtx_payload_type >= 0 for one in maps) else 0
    return Consumption(
        rtp_parameters=_rtp_parameters(production, codecs, extensions, mid, ssrc, rtx_ssrc),
        spec=ConsumerSpec(
            ssrc=ssrc,
            rtx_ssrc=rtx_ssrc,
            codecs=tuple(maps),
            extensions={EXTENSION_OF_URI[uri]: number for uri, number in extensions.items()},
            mid=mid,
            paused=paused,
            cname=production.cname,
        ),
        ssrcs=frozenset(one for one in (ssrc, rtx_ssrc) if one),
    )


def _check_payload_types(codecs: tuple[CodecCapability, ...]) -> None:
    seen: set[int] = set()
    for codec in codecs:
        if codec.preferred_payload_type in seen:
            raise InvalidParams(
                f"rtpCapabilities has payload type {codec.preferred_payload_type} twice. Give each codec its own."
            )
        seen.add(codec.preferred_payload_type)


def _retransmission(known: tuple[CodecCapability, ...], codec: CodecCapability) -> int | None:
    """The payload type of a codec's retransmission format, if the subscriber has one."""
    for one in known:
        if is_rtx(one) and apt_of(one) == codec.preferred_payload_type:
            return one.preferred_payload_type
    return None


def _extensions(production: Production, capabilities: RtpCapabilities) -> dict[str, int]:
    """URI to the subscriber's id of each extension that we write and it reads."""
    wanted = extension_names(production.kind, sending=True)
    if DEPENDENCY_DESCRIPTOR not in production.spec.extensions:
        wanted -= {DEPENDENCY_DESCRIPTOR}  # it is forwarded, never made
    found: dict[str, int] = {}
    for one in capabilities.header_extensions or ():
        if one.kind and one.kind != production.kind:
            continue
        name = EXTENSION_OF_URI.get(one.uri)
        if name in wanted and not one.preferred_encrypt and one.direction not in ("sendonly", "inactive"):
            found.setdefault(one.uri, one.preferred_id)
    if len(set(found.values())) < len(found):
        raise InvalidParams("rtpCapabilities gives two header extensions one id. Give each its own.")
    spoken = [codec for codec in capabilities.codecs or () if kind_of(codec) == production.kind]
    dropped = needless([EXTENSION_OF_URI[uri] for uri in found], spoken)
    return {uri: number for uri, number in found.items() if EXTENSION_OF_URI[uri] not in dropped}


def _codec_parameters(
    codec: CodecParameters, theirs: CodecCapability, rtx: int | None, useless: Collection[str]
) -> list[CodecParameters]:
    """The codec under the subscriber's payload type with the publisher's settings, and its retransmission format."""
    ours = find_codec(ROUTER_CAPABILITIES.codecs or (), codec)
    assert ours is not None, "a producer has only codecs of the router"
    result = [
        CodecParameters(
            mime_type=codec.mime_type,
            payload_type=theirs.preferred_payload_type,
            clock_rate=codec.clock_rate,
            channels=codec.channels,
            parameters={key: value for key, value in (codec.parameters or {}).items() if value is not None},
            rtcp_feedback=common_feedback(ours, theirs, useless),
        )
    ]
    if rtx is not None:
        result.append(
            CodecParameters(
                mime_type="video/rtx",
                payload_type=rtx,
                clock_rate=codec.clock_rate,
                parameters={"apt": theirs.preferred_payload_type},
            )
        )
    return result


def _rtp_parameters(
    production: Production,
    codecs: list[CodecParameters],
    extensions: dict[str, int],
    mid: str,
    ssrc: int,
    rtx_ssrc: int,
) -> RtpParameters:
    return RtpParameters(
        mid=mid,
        codecs=tuple(codecs),
        header_extensions=tuple(
            ExtensionParameters(uri=uri, id=number, encrypt=False) for uri, number in extensions.items()
        ),
        encodings=(
            EncodingParameters(
                ssrc=ssrc,
                rtx=RtxParameters(ssrc=rtx_ssrc) if rtx_ssrc else None,
                scalability_mode=production.scalability_mode or None,
                max_bitrate=max(one.max_bitrate_bps for one in production.spec.streams) or None,
            ),
        ),
        rtcp=RtcpParameters(cname=production.cname, reduced_size=True, mux=True),
    )
