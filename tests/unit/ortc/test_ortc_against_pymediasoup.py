"""Our matching against pymediasoup's, which follows mediasoup-client: what its device makes, the server takes, and what
the server makes, its device can receive."""

import asyncio
import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymediasoup import ortc as theirs
from pymediasoup import rtp_parameters as shapes
from pymediasoup.handlers.aiortc_handler import AiortcHandler
from support.capabilities import ENDPOINTS

from simplestchat.ortc import ROUTER_CAPABILITIES, RtpCapabilities, RtpParameters, consume, produce
from simplestchat.ortc.matching import same_codec
from simplestchat.ortc.parameters import CodecCapability

KINDS = ("audio", "video")


def router() -> shapes.RtpCapabilities:
    return shapes.RtpCapabilities.model_validate_json(msgspec.json.encode(ROUTER_CAPABILITIES))


def extended(native: dict[str, Any], *, prefer_local: bool = False) -> shapes.ExtendedRtpCapabilities:
    """What ``device.load`` works out."""
    local = shapes.RtpCapabilities.model_validate(native)
    remote = router()
    theirs.validateAndNormalizeRtpCapabilities(local)
    theirs.validateAndNormalizeRtpCapabilities(remote)
    return theirs.getExtendedRtpCapabilities(local, remote, prefer_local)


def sending(kind: Any, native: dict[str, Any]) -> RtpParameters:
    """What ``transport.produce`` hands to the application, with pymediasoup's nulls."""
    parameters = theirs.getSendingRtpParameters(kind, extended(native))
    parameters.codecs = theirs.reduceCodecs(parameters.codecs)
    parameters.mid = "0"
    assert parameters.rtcp is not None
    parameters.rtcp.cname = "publisher"
    rtx = shapes.RTX(ssrc=2002) if kind == "video" else None
    parameters.encodings = [shapes.RtpEncodingParameters(ssrc=1001, rtx=rtx)]
    return msgspec.json.decode(parameters.model_dump_json(), type=RtpParameters)


def receiving(native: dict[str, Any]) -> RtpCapabilities:
    """``device.recvRtpCapabilities``."""
    return msgspec.json.decode(theirs.getRecvRtpCapabilities(extended(native)).model_dump_json(), type=RtpCapabilities)


@pytest.mark.parametrize(("publisher", "subscriber"), list(itertools.product(ENDPOINTS, ENDPOINTS)))
@pytest.mark.parametrize("kind", KINDS)
def test_every_endpoint_hears_and_sees_every_other(publisher: str, subscriber: str, kind: Any) -> None:
    production = produce(kind, sending(kind, ENDPOINTS[publisher]))
    ssrcs = itertools.count(5000)
    consumption = consume(production, receiving(ENDPOINTS[subscriber]), mid="7", new_ssrc=ssrcs.__next__, paused=True)
    parameters = shapes.RtpParameters.model_validate_json(msgspec.json.encode(consumption.rtp_parameters))
    assert theirs.canReceive(parameters, extended(ENDPOINTS[subscriber]))
    assert parameters.rtcp is not None
    assert parameters.rtcp.cname == "publisher"
    assert parameters.mid == "7"
    # The subscriber's numbers for the subscriber, the publisher's for the publisher.
    own = {one["preferredPayloadType"] for one in ENDPOINTS[publisher]["codecs"]}
    assert {codec.payload_type for codec in production.spec.codecs} <= own
    offered = {one.preferred_payload_type for one in receiving(ENDPOINTS[subscriber]).codecs or ()}
    assert {codec.payloadType for codec in parameters.codecs} <= offered
    assert (consumption.spec.rtx_ssrc > 0) == (kind == "video")


def test_aiortc_itself_can_send_and_receive() -> None:
    """The capabilities that the installed aiortc really has."""

    async def native() -> shapes.RtpCapabilities:
        return await AiortcHandler().getNativeRtpCapabilities()

    real = asyncio.run(native()).model_dump()
    for kind in KINDS:
        production = produce(kind, sending(kind, real))
        consumption = consume(production, receiving(real), mid="0", new_ssrc=itertools.count(1).__next__, paused=False)
        parameters = shapes.RtpParameters.model_validate_json(msgspec.json.encode(consumption.rtp_parameters))
        assert theirs.canReceive(parameters, extended(real))


def test_feedback_is_what_both_sides_know() -> None:
    parameters = sending("video", ENDPOINTS["chrome"])
    spec = produce("video", parameters).spec
    assert (spec.codecs[0].nack, spec.codecs[0].pli, spec.codecs[0].fir) == (True, True, True)
    answer = theirs.getSendingRemoteRtpParameters("video", extended(ENDPOINTS["chrome"]))
    types = {one.type for one in answer.codecs[0].rtcpFeedback}
    # Publishers ramp up on transport-cc: the answer that mediasoup-client writes for us offers it, and no REMB.
    assert "transport-cc" in types
    assert "goog-remb" not in types


@pytest.mark.parametrize(
    ("endpoint", "extension", "feedback"),
    [
        ("chrome", "transport-cc", "transport-cc"),
        ("firefox", "transport-cc", "transport-cc"),
        ("aiortc", "abs-send-time", "goog-remb"),
    ],
)
def test_both_ways_are_estimated_by_what_the_endpoint_has(endpoint: str, extension: str, feedback: str) -> None:
    both = {"transport-cc", "abs-send-time"}
    production = produce("video", sending("video", ENDPOINTS[endpoint]))
    assert both & set(production.spec.extensions) == {extension}
    consumption = consume(production, receiving(ENDPOINTS[endpoint]), mid="7", new_ssrc=lambda: 1, paused=True)
    assert both & set(consumption.spec.extensions) == {extension}
    said = {one.type for one in consumption.rtp_parameters.codecs[0].rtcp_feedback or ()}
    assert said & {"transport-cc", "goog-remb"} == {feedback}


_LEVELS = st.sampled_from(["42e01f", "42001f", "42E034", "4d001f", "64001f", "640c1f", "58c01f", "zz", "42e01"])
_CODECS = st.fixed_dictionaries(
    {
        "mimeType": st.sampled_from(["video/VP8", "video/vp8", "video/H264", "audio/opus", "audio/OPUS"]),
        "preferredPayloadType": st.integers(0, 127),
        "clockRate": st.sampled_from([90000, 48000]),
        "channels": st.sampled_from([None, 1, 2]),
        "parameters": st.one_of(
            st.just({}),
            st.fixed_dictionaries({"packetization-mode": st.sampled_from([0, 1]), "profile-level-id": _LEVELS}),
        ),
    }
)


@given(a=_CODECS, b=_CODECS)
def test_two_codecs_match_as_in_mediasoup_client(a: dict[str, Any], b: dict[str, Any]) -> None:
    ours = same_codec(msgspec.convert(a, CodecCapability), msgspec.convert(b, CodecCapability))
    both = []
    for one in (a, b):
        codec = shapes.RtpCodecCapability.model_validate({**one, "kind": one["mimeType"].split("/")[0].lower()})
        theirs.validateAndNormalizeRtpCodecCapability(codec)
        both.append(codec)
    assert ours == bool(theirs.matchCodecs(both[0], both[1], strict=True))
