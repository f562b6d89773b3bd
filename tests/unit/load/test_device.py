"""A synthetic user's RTP parameters: the server takes them, and what it answers is understood."""

from __future__ import annotations

import random

import msgspec
import pytest

from simplestchat.load import device
from simplestchat.load.presets import Layer, layers, preset
from simplestchat.ortc import ROUTER_CAPABILITIES
from simplestchat.ortc.consuming import consume
from simplestchat.ortc.parameters import RtpCapabilities, RtpParameters
from simplestchat.ortc.producing import Production, produce


def camera(codec: str, *, simulcast: bool = False, offered: RtpCapabilities = ROUTER_CAPABILITIES) -> RtpParameters:
    infos = device.layer_infos(layers(preset("720p30"), simulcast=simulcast), random.Random(1), rtx=True)
    return device.sending(offered, codec, "1", "u0", infos)


def microphone() -> RtpParameters:
    infos = device.layer_infos([Layer("", 0, 0, 32_000)], random.Random(2), rtx=False)
    return device.sending(ROUTER_CAPABILITIES, "opus", "0", "u0", infos, dtx=True)


def taken(parameters: RtpParameters) -> Production:
    """As the server takes them off the wire."""
    there = msgspec.json.decode(msgspec.json.encode(parameters), type=RtpParameters)
    return produce("audio" if "audio" in there.codecs[0].mime_type else "video", there)


def test_a_microphone_is_taken() -> None:
    production = taken(microphone())
    assert production.spec.codecs[0].payload_type == 111
    assert production.spec.extensions == {"mid": 4, "audio-level": 1, "transport-cc": 3}
    assert [stream.rtx_ssrc for stream in production.spec.streams] == [0]


@pytest.mark.parametrize(("codec", "payload_type"), [("vp8", 96), ("h264", 109), ("vp9", 98), ("av1", 45)])
def test_a_camera_is_taken_with_its_retransmissions(codec: str, payload_type: int) -> None:
    production = taken(camera(codec))
    (spec,) = production.spec.codecs
    assert (spec.payload_type, spec.rtx_payload_type, spec.nack, spec.pli) == (
        payload_type,
        payload_type + 1,
        True,
        True,
    )
    assert len(production.ssrcs) == 2


def test_simulcast_is_told_by_rids() -> None:
    production = taken(camera("vp8", simulcast=True))
    assert production.type == "simulcast"
    assert [stream.rid for stream in production.spec.streams] == ["q", "h", "f"]
    assert not production.ssrcs
    assert {"rid", "repaired-rid"} <= set(production.spec.extensions)


@pytest.mark.parametrize("codec", ["vp8", "h264", "vp9", "av1"])
def test_what_the_server_does_not_know_is_not_sent(codec: str) -> None:
    known = [one for one in ROUTER_CAPABILITIES.codecs or () if not one.mime_type.lower().endswith(codec)]
    older = msgspec.structs.replace(ROUTER_CAPABILITIES, codecs=tuple(known))
    with pytest.raises(device.NotNegotiated, match="does not take"):
        camera(codec, offered=older)


@pytest.mark.parametrize("parameters", [microphone(), *map(camera, ("vp8", "h264", "vp9", "av1"))])
def test_what_another_one_sends_is_understood(parameters: RtpParameters) -> None:
    capabilities = msgspec.json.decode(msgspec.json.encode(device.CAPABILITIES), type=RtpCapabilities)
    ssrcs = iter((11, 22))
    consumption = consume(taken(parameters), capabilities, mid="7", new_ssrc=lambda: next(ssrcs), paused=True)
    info = device.receiving(consumption.rtp_parameters, 5, 1, 3)
    assert (info["user"], info["track"], info["visit"], info["ssrc"]) == (5, 1, 3, 11)
    spec = consumption.spec
    assert (info["payload_type"], info["rtx_payload_type"]) == (
        spec.codecs[0].payload_type,
        spec.codecs[0].rtx_payload_type,
    )
    assert info["rtx_ssrc"] == spec.rtx_ssrc
    assert info["ext"] == {name: number for name, number in spec.extensions.items() if name in info["ext"]}
    assert "transport-cc" in info["ext"]


def test_parameters_without_an_ssrc_are_refused() -> None:
    with pytest.raises(ValueError, match="no SSRC"):
        device.receiving(RtpParameters(codecs=microphone().codecs), 1, 0)
