"""A publisher's ``rtpParameters``: checked, and put in the words of the media plane."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from simplestchat.errors import IncompatibleCodecs, InvalidParams
from simplestchat.model.media import CodecSpec, MediaKind, ProducerSpec, StreamSpec
from simplestchat.ortc.capabilities import EXTENSION_OF_URI, ROUTER_CAPABILITIES, extension_names
from simplestchat.ortc.matching import apt_of, feedback_of, find_codec, is_rtx, kind_of, name_of
from simplestchat.ortc.parameters import MAX_CODECS, CodecParameters, EncodingParameters, RtpParameters

StreamType: TypeAlias = Literal["simple", "simulcast", "svc"]
_SPATIAL_LAYERS = re.compile(r"^[LSK]([1-9])T[1-9]")


@dataclass(frozen=True, slots=True)
class Production:
    """A producer as the rest of the node knows it."""

    kind: MediaKind
    type: StreamType
    spec: ProducerSpec
    codecs: tuple[CodecParameters, ...]
    """The publisher's media codecs, without retransmission formats."""
    cname: str
    spatial_layers: int
    ssrcs: frozenset[int]
    """Every SSRC that was announced, retransmission included."""


def produce(kind: MediaKind, parameters: RtpParameters) -> Production:
    """Check what a publisher wants to send; raises ``InvalidParams`` or ``IncompatibleCodecs``."""
    codecs, specs = _codecs(kind, parameters.codecs)
    extensions = _extensions(kind, parameters)
    mid = parameters.mid or ""
    encodings = parameters.encodings or ()
    streams = _streams(encodings, mid, extensions, rtx=any(spec.rtx_payload_type >= 0 for spec in specs))
    _check_encoding_codecs(encodings, codecs)
    ssrcs = [ssrc for one in streams for ssrc in (one.ssrc, one.rtx_ssrc) if ssrc]
    _refuse_repeats("SSRC", ssrcs)
    layers = _spatial_layers(encodings)
    simulcast = len(streams) > 1
    return Production(
        kind=kind,
        type="simulcast" if simulcast else "svc" if layers > 1 else "simple",
        spec=ProducerSpec(kind=kind, mid=mid, streams=streams, codecs=specs, extensions=extensions),
        codecs=codecs,
        cname=(parameters.rtcp.cname if parameters.rtcp else None) or "",
        spatial_layers=len(streams) if simulcast else layers,
        ssrcs=frozenset(ssrcs),
    )


def _codecs(
    kind: MediaKind, given: tuple[CodecParameters, ...]
) -> tuple[tuple[CodecParameters, ...], tuple[CodecSpec, ...]]:
    """The media codecs and what the media plane must know of each."""
    _refuse_repeats("payload type", (codec.payload_type for codec in given))
    media = tuple(codec for codec in given if not is_rtx(codec))
    if not media:
        raise InvalidParams("rtpParameters.codecs has no media codec. Put the codec first, its rtx format behind it.")
    if len(media) > MAX_CODECS:
        raise InvalidParams(f"rtpParameters.codecs has {len(media)} media codecs. Name {MAX_CODECS} at most.")
    retransmission = _retransmission(media, given)
    specs = []
    for codec in media:
        if kind_of(codec) != kind:
            raise InvalidParams(f"{codec.mime_type} is no {kind} codec. Say the same kind in both places.")
        if find_codec(ROUTER_CAPABILITIES.codecs or (), codec) is None:
            raise IncompatibleCodecs(
                f"{codec.mime_type} with clock rate {codec.clock_rate}, these channels and these parameters is not "
                "among the server's codecs. Choose one of rtpCapabilities, as room.join gave them."
            )
        specs.append(_codec_spec(codec, retransmission.get(codec.payload_type, -1)))
    return media, tuple(specs)


def _retransmission(media: tuple[CodecParameters, ...], given: tuple[CodecParameters, ...]) -> dict[int, int]:
    """Payload type of each media codec to that of its retransmission format."""
    known = {codec.payload_type for codec in media}
    found: dict[int, int] = {}
    for codec in given:
        if not is_rtx(codec):
            continue
        apt = apt_of(codec)
        if apt not in known:
            raise InvalidParams(
                f"The rtx format {codec.payload_type} belongs to no codec of the list. Set parameters.apt to a "
                "media codec's payload type."
            )
        if apt in found:
            raise InvalidParams(f"Payload type {apt} has two rtx formats. Keep one.")
        found[apt] = codec.payload_type
    return found


def _codec_spec(codec: CodecParameters, rtx_payload_type: int) -> CodecSpec:
    feedback = feedback_of(codec)
    return CodecSpec(
        payload_type=codec.payload_type,
        rtx_payload_type=rtx_payload_type,
        clock_rate=codec.clock_rate,
        name=name_of(codec),
        nack=("nack", "") in feedback,
        pli=("nack", "pli") in feedback,
        fir=("ccm", "fir") in feedback,
    )


def _extensions(kind: MediaKind, parameters: RtpParameters) -> dict[str, int]:
    """The extensions that we read; unknown and encrypted ones are left unread in the packets."""
    given = parameters.header_extensions or ()
    _refuse_repeats("header extension id", (one.id for one in given))
    _refuse_repeats("header extension", (one.uri for one in given))
    wanted = extension_names(kind, sending=False)
    found = {EXTENSION_OF_URI.get(one.uri, ""): one.id for one in given if not one.encrypt}
    return {name: number for name, number in found.items() if name in wanted}


def _streams(
    encodings: tuple[EncodingParameters, ...], mid: str, extensions: dict[str, int], *, rtx: bool
) -> tuple[StreamSpec, ...]:
    """The encodings, each with something by which its packets can be told apart."""
    _refuse_repeats("rid", (one.rid for one in encodings if one.rid))
    by_mid = bool(mid) and "mid" in extensions
    by_rid = "rid" in extensions
    streams = []
    for number, one in enumerate(encodings or (EncodingParameters(),)):
        told_apart = one.ssrc or (one.rid and by_rid) or (by_mid and len(encodings) <= 1)
        if not told_apart:
            raise InvalidParams(
                f"Nothing tells the packets of encoding {number} apart. Give it an ssrc, or a rid with the "
                "rtp-stream-id header extension, or (a single encoding) a mid with the mid header extension."
            )
        rtx_ssrc = one.rtx.ssrc if one.rtx and rtx else 0
        streams.append(StreamSpec(ssrc=one.ssrc or 0, rtx_ssrc=rtx_ssrc, rid=one.rid or ""))
    return tuple(streams)


def _check_encoding_codecs(encodings: tuple[EncodingParameters, ...], codecs: tuple[CodecParameters, ...]) -> None:
    known = {codec.payload_type for codec in codecs}
    for one in encodings:
        if one.codec_payload_type is not None and one.codec_payload_type not in known:
            raise InvalidParams(
                f"codecPayloadType {one.codec_payload_type} is not among the codecs. Leave it out or name one of them."
            )


def _spatial_layers(encodings: tuple[EncodingParameters, ...]) -> int:
    """The spatial layers inside the first encoding (``L3T3`` has three); simulcast's own are counted elsewhere."""
    mode = encodings[0].scalability_mode if encodings else None
    found = _SPATIAL_LAYERS.match(mode or "")
    return int(found.group(1)) if found else 1


def _refuse_repeats(what: str, values: Iterable[object]) -> None:
    seen: set[object] = set()
    for value in values:
        if value in seen:
            raise InvalidParams(f"The {what} {value} is there twice. Use each only once.")
        seen.add(value)
