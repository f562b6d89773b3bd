"""A publisher's ``rtpParameters``: checked, and put in the words of the media plane."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias

from simplestchat.errors import IncompatibleCodecs, InvalidParams
from simplestchat.model.media import CodecSpec, MediaKind, ProducerSpec, StreamSpec
from simplestchat.ortc.capabilities import EXTENSION_OF_URI, ROUTER_CAPABILITIES, extension_names, needless
from simplestchat.ortc.layers import NO_LAYERS, Layers, check_simulcast, parse_mode, scalability_mode
from simplestchat.ortc.matching import apt_of, feedback_of, find_codec, is_rtx, kind_of, name_of
from simplestchat.ortc.parameters import MAX_CODECS, CodecParameters, EncodingParameters, RtpParameters

StreamType: TypeAlias = Literal["simple", "simulcast", "svc"]


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
    """To choose among: encodings of simulcast, else layers inside the one encoding."""
    temporal_layers: int
    scalability_mode: str
    """Of what a subscriber gets, as mediasoup says it: ``S3T3`` for simulcast; "" where nothing is known."""
    ssrcs: frozenset[int]
    """Every SSRC that was announced, retransmission included."""


def produce(kind: MediaKind, parameters: RtpParameters) -> Production:
    """Check what a publisher wants to send; raises ``InvalidParams`` or ``IncompatibleCodecs``."""
    codecs, specs = _codecs(kind, parameters.codecs)
    extensions = _extensions(kind, parameters, codecs)
    mid = parameters.mid or ""
    encodings = parameters.encodings or ()
    layers = _layers(kind, encodings)
    streams = _streams(encodings, layers, mid, extensions, rtx=any(spec.rtx_payload_type >= 0 for spec in specs))
    _check_encoding_codecs(encodings, codecs)
    ssrcs = [ssrc for one in streams for ssrc in (one.ssrc, one.rtx_ssrc) if ssrc]
    _refuse_repeats("SSRC", ssrcs)
    simulcast = len(streams) > 1
    inside = layers[0].spatial
    return Production(
        kind=kind,
        type="simulcast" if simulcast else "svc" if inside > 1 else "simple",
        spec=ProducerSpec(kind=kind, mid=mid, streams=streams, codecs=specs, extensions=extensions),
        codecs=codecs,
        cname=(parameters.rtcp.cname if parameters.rtcp else None) or "",
        spatial_layers=len(streams) if simulcast else inside,
        temporal_layers=max(one.temporal for one in layers),
        scalability_mode=scalability_mode(layers),
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


def _extensions(kind: MediaKind, parameters: RtpParameters, codecs: tuple[CodecParameters, ...]) -> dict[str, int]:
    """The extensions that we read; unknown and encrypted ones are left unread in the packets."""
    given = parameters.header_extensions or ()
    _refuse_repeats("header extension id", (one.id for one in given))
    _refuse_repeats("header extension", (one.uri for one in given))
    wanted = extension_names(kind, sending=False)
    found = {EXTENSION_OF_URI.get(one.uri, ""): one.id for one in given if not one.encrypt}
    wanted -= needless(found, codecs)
    return {name: number for name, number in found.items() if name in wanted}


def _streams(
    encodings: tuple[EncodingParameters, ...],
    layers: list[Layers],
    mid: str,
    extensions: dict[str, int],
    *,
    rtx: bool,
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
        streams.append(
            StreamSpec(
                ssrc=one.ssrc or 0,
                rtx_ssrc=rtx_ssrc,
                rid=one.rid or "",
                spatial_layers=layers[number].spatial,
                temporal_layers=layers[number].temporal,
                max_bitrate_bps=one.max_bitrate or 0,
            )
        )
    return tuple(streams)


def _check_encoding_codecs(encodings: tuple[EncodingParameters, ...], codecs: tuple[CodecParameters, ...]) -> None:
    known = {codec.payload_type for codec in codecs}
    for one in encodings:
        if one.codec_payload_type is not None and one.codec_payload_type not in known:
            raise InvalidParams(
                f"codecPayloadType {one.codec_payload_type} is not among the codecs. Leave it out or name one of them."
            )


def _layers(kind: MediaKind, encodings: tuple[EncodingParameters, ...]) -> list[Layers]:
    """The layers inside each encoding; audio has none, whatever it says."""
    if kind == "audio" or not encodings:
        return [NO_LAYERS] * max(1, len(encodings))
    layers = [parse_mode(one.scalability_mode) for one in encodings]
    check_simulcast(layers, [one.max_bitrate or 0 for one in encodings])
    return layers


def _refuse_repeats(what: str, values: Iterable[object]) -> None:
    seen: set[object] = set()
    for value in values:
        if value in seen:
            raise InvalidParams(f"The {what} {value} is there twice. Use each only once.")
        seen.add(value)
