"""What subscribers get: their own numbers, a fresh SSRC, one encoding."""

import itertools
from typing import Any

import msgspec
import pytest
from support.capabilities import (
    ABS_SEND_TIME,
    AUDIO_LEVEL,
    CHROME,
    DEPENDENCY,
    FIREFOX,
    MID,
    ORIENTATION,
    RID,
    TRANSPORT_CC,
)

from simplestchat.errors import IncompatibleCodecs, InvalidParams
from simplestchat.model.media import CodecMap
from simplestchat.ortc import ROUTER_CAPABILITIES, Consumption, Production, RtpCapabilities, RtpParameters, produce
from simplestchat.ortc import consume as consume_with

VP8 = {"mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000}
H264 = {
    "mimeType": "video/H264",
    "payloadType": 98,
    "clockRate": 90000,
    "parameters": {"profile-level-id": "42e01f", "packetization-mode": 1, "x": None},
}
OPUS = {
    "mimeType": "audio/opus",
    "payloadType": 111,
    "clockRate": 48000,
    "channels": 2,
    "parameters": {"useinbandfec": 1, "usedtx": 1, "sprop-stereo": 1},
}


def production(kind: Any, *codecs: dict[str, Any], encodings: int = 1, said: Any = None, **fields: Any) -> Production:
    """A track of some encodings, each of which says the same, or what is ``said`` of each."""
    return produce(
        kind,
        msgspec.convert(
            {
                "codecs": codecs,
                "encodings": [{"ssrc": n + 1, **one} for n, one in enumerate(said or [{}] * encodings)],
                "rtcp": {"cname": "someone"},
                **fields,
            },
            RtpParameters,
        ),
    )


def consume(made: Production, capabilities: dict[str, Any], *, paused: bool = True) -> Consumption:
    return consume_with(
        made,
        msgspec.convert(capabilities, RtpCapabilities),
        mid="3",
        new_ssrc=itertools.count(7000).__next__,
        paused=paused,
    )


def test_payload_types_and_ids_are_the_subscribers() -> None:
    got = consume(production("video", VP8), FIREFOX)
    assert [codec.payload_type for codec in got.rtp_parameters.codecs] == [120, 124]
    assert got.spec.codecs == (CodecMap(96, 120, 124),)
    assert got.spec.extensions == {"mid": 3, "toffset": 5, "transport-cc": 7}
    assert {one.uri: one.id for one in got.rtp_parameters.header_extensions or ()}[MID] == 3


def test_one_encoding_with_new_ssrcs_whatever_the_publisher_sends() -> None:
    got = consume(production("video", VP8, encodings=3), CHROME)
    encoded = msgspec.json.decode(msgspec.json.encode(got.rtp_parameters))
    assert encoded["encodings"] == [{"ssrc": 7000, "rtx": {"ssrc": 7001}, "scalabilityMode": "S3T1"}]
    assert (got.spec.ssrc, got.spec.rtx_ssrc) == (7000, 7001)
    assert got.ssrcs == {7000, 7001}


def test_what_the_publisher_says_about_itself_goes_along() -> None:
    got = consume(production("audio", OPUS), CHROME)
    codec = got.rtp_parameters.codecs[0]
    assert codec.parameters == {"useinbandfec": 1, "usedtx": 1, "sprop-stereo": 1}
    rtcp = got.rtp_parameters.rtcp
    assert rtcp is not None
    assert (rtcp.cname, rtcp.reduced_size, rtcp.mux) == ("someone", True, True)


def test_absent_is_never_written_as_null() -> None:
    got = consume(production("video", H264), CHROME)
    assert b"null" not in msgspec.json.encode(got.rtp_parameters)


def test_no_rtx_without_the_subscribers_format() -> None:
    capabilities = {"codecs": [{"mimeType": "video/VP8", "preferredPayloadType": 100, "clockRate": 90000}]}
    got = consume(production("video", VP8), capabilities)
    assert got.spec.codecs == (CodecMap(96, 100, -1),)
    assert got.spec.rtx_ssrc == 0
    assert b"rtx" not in msgspec.json.encode(got.rtp_parameters)


def test_only_what_the_subscriber_can_decode() -> None:
    got = consume(
        production("video", VP8, H264),
        {"codecs": [one for one in CHROME["codecs"] if one["mimeType"] in ("video/H264", "video/rtx")]},
    )
    assert got.spec.codecs == (CodecMap(98, 109, 114),)
    with pytest.raises(IncompatibleCodecs):
        consume(production("video", VP8), {"codecs": [one for one in CHROME["codecs"] if one["kind"] == "audio"]})
    with pytest.raises(IncompatibleCodecs):
        consume(production("video", VP8), {})


def without(capabilities: dict[str, Any], *uris: str) -> dict[str, Any]:
    """The same endpoint, had it not these header extensions."""
    extensions = [one for one in capabilities["headerExtensions"] if one["uri"] not in uris]
    return {**capabilities, "headerExtensions": extensions}


def silent(capabilities: dict[str, Any], feedback: str) -> dict[str, Any]:
    """The same endpoint, did it not speak this feedback."""
    codecs = [
        {**one, "rtcpFeedback": [said for said in one["rtcpFeedback"] if said["type"] != feedback]}
        for one in capabilities["codecs"]
    ]
    return {**capabilities, "codecs": codecs}


BANDWIDTH = {"transport-cc", "goog-remb"}
BOTH = {"transport-cc", "abs-send-time"}


@pytest.mark.parametrize(
    ("endpoint", "extension", "feedback"),
    [
        (CHROME, "transport-cc", "transport-cc"),
        (FIREFOX, "transport-cc", "transport-cc"),
        (without(CHROME, TRANSPORT_CC), "abs-send-time", "goog-remb"),
        (silent(CHROME, "transport-cc"), "abs-send-time", "goog-remb"),
        (without(CHROME, ABS_SEND_TIME), "transport-cc", "transport-cc"),
        (without(CHROME, ABS_SEND_TIME, TRANSPORT_CC), None, None),
    ],
)
def test_bandwidth_is_estimated_one_way(endpoint: dict[str, Any], extension: str | None, feedback: str | None) -> None:
    """By transport-cc where the subscriber has both the extension and the feedback, else by REMB."""
    got = consume(production("video", VP8), endpoint)
    assert set(got.spec.extensions) & BOTH == ({extension} if extension else set())
    told = {(one.type, one.parameter) for one in got.rtp_parameters.codecs[0].rtcp_feedback or ()}
    assert told == {("nack", ""), ("nack", "pli"), ("ccm", "fir")} | ({(feedback, "")} if feedback else set())


def test_audio_counts_in_what_bandwidth_is_estimated_by() -> None:
    got = consume(production("audio", OPUS), CHROME)
    assert set(got.spec.extensions) & BOTH == {"transport-cc"}
    assert BANDWIDTH & {one.type for one in got.rtp_parameters.codecs[0].rtcp_feedback or ()} == {"transport-cc"}
    # Firefox has it for video alone.
    assert not set(consume(production("audio", OPUS), FIREFOX).spec.extensions) & BOTH
    only_video = {
        **CHROME,
        "codecs": [one for one in silent(CHROME, "transport-cc")["codecs"] if one["kind"] == "audio"],
    }
    only_video["codecs"] += [one for one in CHROME["codecs"] if one["kind"] == "video"]
    assert set(consume(production("audio", OPUS), only_video).spec.extensions) & BOTH == {"abs-send-time"}


AV1 = {"mimeType": "video/AV1", "payloadType": 45, "clockRate": 90000}


def test_a_dependency_descriptor_is_forwarded_where_there_is_one() -> None:
    sent = {"headerExtensions": [{"uri": DEPENDENCY, "id": 7}]}
    assert consume(production("video", AV1, **sent), CHROME).spec.extensions["dependency-descriptor"] == 12
    assert "dependency-descriptor" not in consume(production("video", AV1), CHROME).spec.extensions
    deaf = without(CHROME, DEPENDENCY)
    assert "dependency-descriptor" not in consume(production("video", AV1, **sent), deaf).spec.extensions


@pytest.mark.parametrize(
    ("said", "kind", "mode", "bitrate"),
    [
        ([{}], "simple", None, None),
        ([{"scalabilityMode": "L1T3", "maxBitrate": 500}], "simple", "L1T3", 500),
        ([{"scalabilityMode": "L3T3_KEY"}], "svc", "L3T3_KEY", None),
        ([{"scalabilityMode": "S3T3"}], "svc", "S3T3", None),
        ([{}, {}], "simulcast", "S2T1", None),
        ([{"scalabilityMode": "L1T2"}, {"scalabilityMode": "L1T3", "maxBitrate": 900}, {}], "simulcast", "S3T3", 900),
    ],
)
def test_a_subscriber_is_told_the_layers_as_by_mediasoup(
    said: list[dict[str, Any]], kind: str, mode: str | None, bitrate: int | None
) -> None:
    made = production("video", VP8, said=said)
    (encoding,) = consume(made, CHROME).rtp_parameters.encodings or ()
    assert (made.type, encoding.scalability_mode, encoding.max_bitrate) == (kind, mode, bitrate)


def test_extensions_are_those_of_the_kind_and_direction() -> None:
    audio = consume(production("audio", OPUS), CHROME)
    assert set(audio.spec.extensions) == {"mid", "transport-cc", "audio-level"}
    video = {one.uri for one in consume(production("video", VP8), CHROME).rtp_parameters.header_extensions or ()}
    assert ORIENTATION in video
    assert video.isdisjoint({RID, AUDIO_LEVEL, ABS_SEND_TIME})


def test_extensions_that_the_subscriber_does_not_read_are_not_written() -> None:
    capabilities = {
        **CHROME,
        "headerExtensions": [
            {"uri": MID, "preferredId": 1, "direction": "sendonly"},
            {"uri": ABS_SEND_TIME, "preferredId": 2, "preferredEncrypt": True},
            {"uri": ORIENTATION, "preferredId": 3, "kind": ""},
        ],
    }
    assert consume(production("video", VP8), capabilities).spec.extensions == {"video-orientation": 3}


def test_clashing_numbers_are_refused() -> None:
    vp8 = {"mimeType": "video/VP8", "preferredPayloadType": 100, "clockRate": 90000}
    with pytest.raises(InvalidParams, match="payload type 100 twice"):
        consume(production("video", VP8), {"codecs": [vp8, vp8]})
    with pytest.raises(InvalidParams, match="one id"):
        consume(
            production("video", VP8),
            {
                "codecs": [vp8],
                "headerExtensions": [{"uri": MID, "preferredId": 1}, {"uri": ABS_SEND_TIME, "preferredId": 1}],
            },
        )


def test_who_hands_back_the_rooms_capabilities_gets_the_rooms_numbers() -> None:
    capabilities = msgspec.to_builtins(ROUTER_CAPABILITIES)
    got = consume(production("video", VP8), capabilities, paused=False)
    assert [codec.payload_type for codec in got.rtp_parameters.codecs] == [101, 102]
    assert not got.spec.paused
