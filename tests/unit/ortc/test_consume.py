"""What subscribers get: their own numbers, a fresh SSRC, one encoding."""

import itertools
from typing import Any

import msgspec
import pytest
from support.capabilities import ABS_SEND_TIME, AUDIO_LEVEL, CHROME, FIREFOX, MID, ORIENTATION, RID, TRANSPORT_CC

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
    "parameters": {"useinbandfec": 1, "sprop-stereo": 1},
}


def production(kind: Any, *codecs: dict[str, Any], encodings: int = 1) -> Production:
    return produce(
        kind,
        msgspec.convert(
            {
                "codecs": codecs,
                "encodings": [{"ssrc": n + 1} for n in range(encodings)],
                "rtcp": {"cname": "someone"},
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
    assert got.spec.extensions == {"mid": 3, "abs-send-time": 4, "toffset": 5}
    assert {one.uri: one.id for one in got.rtp_parameters.header_extensions or ()}[MID] == 3


def test_one_encoding_with_new_ssrcs_whatever_the_publisher_sends() -> None:
    got = consume(production("video", VP8, encodings=3), CHROME)
    encoded = msgspec.json.decode(msgspec.json.encode(got.rtp_parameters))
    assert encoded["encodings"] == [{"ssrc": 7000, "rtx": {"ssrc": 7001}}]
    assert (got.spec.ssrc, got.spec.rtx_ssrc) == (7000, 7001)
    assert got.ssrcs == {7000, 7001}


def test_what_the_publisher_says_about_itself_goes_along() -> None:
    got = consume(production("audio", OPUS), CHROME)
    codec = got.rtp_parameters.codecs[0]
    assert codec.parameters == {"useinbandfec": 1, "sprop-stereo": 1}
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


def test_remb_only_with_abs_send_time_and_transport_cc_never() -> None:
    with_time = consume(production("video", VP8), CHROME).rtp_parameters.codecs[0].rtcp_feedback or ()
    assert {(one.type, one.parameter) for one in with_time} == {
        ("nack", ""),
        ("nack", "pli"),
        ("ccm", "fir"),
        ("goog-remb", ""),
    }
    without = {**CHROME, "headerExtensions": []}
    assert "goog-remb" not in {
        one.type for one in consume(production("video", VP8), without).rtp_parameters.codecs[0].rtcp_feedback or ()
    }


def test_extensions_are_those_of_the_kind_and_direction() -> None:
    audio = consume(production("audio", OPUS), CHROME)
    assert set(audio.spec.extensions) == {"mid", "abs-send-time", "audio-level"}
    video = {one.uri for one in consume(production("video", VP8), CHROME).rtp_parameters.header_extensions or ()}
    assert ORIENTATION in video
    assert video.isdisjoint({RID, AUDIO_LEVEL, TRANSPORT_CC})


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
