"""What publishers may send, and how it is put to the media plane."""

import re
from typing import Any

import msgspec
import pytest
from support.capabilities import ABS_SEND_TIME, DEPENDENCY, MID, REPAIRED_RID, RID, TRANSPORT_CC
from support.repository import ROOT

from simplestchat._native.engine.shard import Shard
from simplestchat.errors import IncompatibleCodecs, InvalidParams
from simplestchat.model.media import StreamSpec
from simplestchat.ortc import RtpParameters, produce
from simplestchat.ortc import parameters as bounds

VP8 = {"mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000}
RTX = {"mimeType": "video/rtx", "payloadType": 97, "clockRate": 90000, "parameters": {"apt": 96}}
OPUS = {"mimeType": "audio/opus", "payloadType": 111, "clockRate": 48000, "channels": 2}


def parameters(**fields: Any) -> RtpParameters:
    return msgspec.convert({"codecs": [VP8], "encodings": [{"ssrc": 1}], **fields}, RtpParameters)


def extensions(**ids: int) -> list[dict[str, Any]]:
    uris = {
        "mid": MID,
        "rid": RID,
        "repaired": REPAIRED_RID,
        "time": ABS_SEND_TIME,
        "cc": TRANSPORT_CC,
        "dependency": DEPENDENCY,
    }
    return [{"uri": uris[name], "id": number} for name, number in ids.items()]


def test_the_simplest_hand_written_publisher() -> None:
    """VP8 with an SSRC: no RTX, no extensions, no mid, no feedback, no rtcp."""
    made = produce("video", parameters())
    assert made.type == "simple"
    assert made.spec.mid == ""
    assert made.spec.streams == (StreamSpec(ssrc=1),)
    assert made.spec.extensions == {}
    codec = made.spec.codecs[0]
    assert (codec.name, codec.payload_type, codec.rtx_payload_type, codec.clock_rate) == ("vp8", 96, -1, 90000)
    assert (codec.nack, codec.pli, codec.fir) == (False, False, False)


def test_nulls_are_as_good_as_absence() -> None:
    made = produce(
        "video",
        parameters(
            mid=None,
            rtcp=None,
            headerExtensions=None,
            codecs=[{**VP8, "channels": None, "parameters": None, "rtcpFeedback": None}],
            encodings=[{"ssrc": 1, "rid": None, "rtx": None, "dtx": None, "scalabilityMode": None}],
        ),
    )
    assert made.spec.streams == (StreamSpec(ssrc=1),)


def test_simulcast_by_rid_keeps_the_order_of_its_encodings() -> None:
    made = produce(
        "video",
        parameters(
            codecs=[VP8, RTX],
            mid="0",
            encodings=[{"rid": rid, "maxBitrate": 100_000} for rid in ("r0", "r1", "r2")],
            headerExtensions=extensions(mid=4, rid=10, repaired=11, time=2, cc=3),
        ),
    )
    assert made.type == "simulcast"
    assert made.spatial_layers == 3
    assert [one.rid for one in made.spec.streams] == ["r0", "r1", "r2"]
    # Nobody speaks the feedback of transport-cc here, so it is not read.
    assert made.spec.extensions == {"mid": 4, "rid": 10, "repaired-rid": 11, "abs-send-time": 2}
    assert {(one.spatial_layers, one.temporal_layers, one.max_bitrate_bps) for one in made.spec.streams} == {
        (1, 1, 100_000)
    }


FEEDBACK = [{"type": "goog-remb"}, {"type": "transport-cc"}]


@pytest.mark.parametrize(
    ("names", "feedback", "read"),
    [
        ({"time": 2, "cc": 3}, FEEDBACK, {"transport-cc": 3}),
        ({"time": 2, "cc": 3}, FEEDBACK[:1], {"abs-send-time": 2}),
        ({"time": 2}, FEEDBACK, {"abs-send-time": 2}),
        ({"cc": 3}, FEEDBACK, {"transport-cc": 3}),
        ({"cc": 3}, [], {}),
        ({"dependency": 7}, [], {"dependency-descriptor": 7}),
    ],
)
def test_a_publisher_is_estimated_one_way(
    names: dict[str, int], feedback: list[dict[str, str]], read: dict[str, int]
) -> None:
    codec = {**VP8, "rtcpFeedback": feedback}
    made = produce("video", parameters(codecs=[codec], headerExtensions=extensions(**names)))
    assert made.spec.extensions == read


@pytest.mark.parametrize(
    ("mode", "kind", "spatial", "temporal"),
    [
        ("L1T1", "simple", 1, 1),
        ("L1T3", "simple", 1, 3),
        ("L3T3_KEY", "svc", 3, 3),
        ("L2T2_KEY_SHIFT", "svc", 2, 2),
        ("L2T1h", "svc", 2, 1),
        ("S3T3", "svc", 3, 3),
        ("K3T3", "svc", 3, 3),
        ("", "simple", 1, 1),
        (None, "simple", 1, 1),
    ],
)
def test_layers_are_told_by_the_mode(mode: str | None, kind: str, spatial: int, temporal: int) -> None:
    made = produce("video", parameters(encodings=[{"ssrc": 1, "scalabilityMode": mode}]))
    assert (made.type, made.spatial_layers, made.temporal_layers) == (kind, spatial, temporal)
    assert made.scalability_mode == (mode or "")
    (stream,) = made.spec.streams
    assert (stream.spatial_layers, stream.temporal_layers) == (spatial, temporal)


def test_layers_of_simulcast_are_its_encodings() -> None:
    said = [{"scalabilityMode": "L1T2", "maxBitrate": 1}, {"maxBitrate": 2}, {"scalabilityMode": "L1T3"}]
    made = produce("video", parameters(encodings=[{"ssrc": number + 1, **one} for number, one in enumerate(said)]))
    assert (made.type, made.spatial_layers, made.temporal_layers, made.scalability_mode) == ("simulcast", 3, 3, "S3T3")
    rows = [(one.spatial_layers, one.temporal_layers, one.max_bitrate_bps) for one in made.spec.streams]
    assert rows == [(1, 2, 1), (1, 1, 2), (1, 3, 0)]


def test_audio_has_no_layers() -> None:
    made = produce("audio", parameters(codecs=[OPUS], encodings=[{"ssrc": 1, "scalabilityMode": "L3T3", "dtx": True}]))
    assert (made.type, made.spatial_layers, made.temporal_layers, made.scalability_mode) == ("simple", 1, 1, "")


def test_rtx_is_paired_by_apt() -> None:
    made = produce("video", parameters(codecs=[VP8, RTX], encodings=[{"ssrc": 1, "rtx": {"ssrc": 2}}]))
    assert made.spec.codecs[0].rtx_payload_type == 97
    assert made.spec.streams == (StreamSpec(ssrc=1, rtx_ssrc=2),)
    assert made.ssrcs == {1, 2}


def test_rtx_without_its_format_is_left_out() -> None:
    made = produce("video", parameters(encodings=[{"ssrc": 1, "rtx": {"ssrc": 2}}]))
    assert made.spec.streams == (StreamSpec(ssrc=1),)


def test_a_track_can_be_told_by_its_mid_alone() -> None:
    made = produce("audio", parameters(codecs=[OPUS], mid="a", encodings=[], headerExtensions=extensions(mid=1)))
    assert made.spec.streams == (StreamSpec(),)
    assert made.spec.mid == "a"


@pytest.mark.parametrize(("name", "setting"), [("VP9", "profile-id"), ("AV1", "profile")])
def test_vp9_and_av1_of_their_first_profile_only(name: str, setting: str) -> None:
    def codec(settings: dict[str, Any]) -> dict[str, Any]:
        return {"mimeType": f"video/{name}", "payloadType": 98, "clockRate": 90000, "parameters": settings}

    for settings in ({}, {setting: 0}, {setting: "0"}, {setting: 0, "level-idx": 5}):
        made = produce("video", parameters(codecs=[codec(settings)]))
        assert made.spec.codecs[0].name == name.lower()
    for settings in ({setting: 1}, {setting: "2"}):
        with pytest.raises(IncompatibleCodecs):
            produce("video", parameters(codecs=[codec(settings)]))


def test_h264_of_the_right_profile_only() -> None:
    def h264(level: str) -> dict[str, Any]:
        return {
            "mimeType": "video/H264",
            "payloadType": 100,
            "clockRate": 90000,
            "parameters": {"profile-level-id": level, "packetization-mode": "1"},
        }

    assert produce("video", parameters(codecs=[h264("42e034")])).spec.codecs[0].name == "h264"
    with pytest.raises(IncompatibleCodecs):
        produce("video", parameters(codecs=[h264("64001f")]))


INVALID: list[tuple[str, dict[str, Any]]] = [
    ("no media codec", {"codecs": [RTX]}),
    ("belongs to no codec", {"codecs": [VP8, {**RTX, "parameters": {"apt": 99}}]}),
    ("belongs to no codec", {"codecs": [VP8, {**RTX, "parameters": {}}]}),
    ("two rtx formats", {"codecs": [VP8, RTX, {**RTX, "payloadType": 98}]}),
    ("payload type 96 is there twice", {"codecs": [VP8, VP8]}),
    ("no video codec", {"codecs": [OPUS]}),
    ("17 media codecs", {"codecs": [{**VP8, "payloadType": n} for n in range(17)]}),
    ("SSRC 1 is there twice", {"encodings": [{"ssrc": 1}, {"ssrc": 1}]}),
    ("SSRC 1 is there twice", {"codecs": [VP8, RTX], "encodings": [{"ssrc": 1, "rtx": {"ssrc": 1}}]}),
    ("rid a is there twice", {"encodings": [{"rid": "a"}, {"rid": "a"}]}),
    ("tells the packets of encoding 0 apart", {"encodings": []}),
    ("tells the packets of encoding 0 apart", {"encodings": [{"rid": "a"}]}),
    ("tells the packets of encoding 0 apart", {"mid": "0", "encodings": [{}]}),
    ("tells the packets of encoding 1 apart", {"encodings": [{"ssrc": 1}, {}]}),
    ("codecPayloadType 7", {"encodings": [{"ssrc": 1, "codecPayloadType": 7}]}),
    ("scalabilityMode 'L0T1' is not known", {"encodings": [{"ssrc": 1, "scalabilityMode": "L0T1"}]}),
    ("scalabilityMode 'L3T3_KEYS' is not", {"encodings": [{"ssrc": 1, "scalabilityMode": "L3T3_KEYS"}]}),
    ("scalabilityMode 'l3t3' is not", {"encodings": [{"ssrc": 1, "scalabilityMode": "l3t3"}]}),
    ("L5T1 has too many layers. Use 4", {"encodings": [{"ssrc": 1, "scalabilityMode": "L5T1"}]}),
    ("L1T9 has too many layers", {"encodings": [{"ssrc": 1, "scalabilityMode": "L1T9"}]}),
    ("Encoding 1 has 3 spatial layers", {"encodings": [{"ssrc": 1}, {"ssrc": 2, "scalabilityMode": "L3T3"}]}),
    ("maxBitrate goes down", {"encodings": [{"ssrc": 1, "maxBitrate": 9}, {"ssrc": 2}, {"ssrc": 3, "maxBitrate": 5}]}),
    ("header extension id 3", {"headerExtensions": extensions(mid=3, rid=3)}),
    ("header extension urn", {"headerExtensions": extensions(mid=3) + extensions(mid=4)}),
]


@pytest.mark.parametrize(("words", "fields"), INVALID)
def test_what_cannot_work_is_refused_with_a_reason(words: str, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidParams, match=words):
        produce("video", parameters(**fields))


MALFORMED: list[dict[str, Any]] = [
    {"codecs": []},
    {"codecs": [{**VP8, "payloadType": n} for n in range(33)]},
    {"codecs": [{**VP8, "payloadType": 128}]},
    {"codecs": [{**VP8, "payloadType": -1}]},
    {"codecs": [{**VP8, "payloadType": "96"}]},
    {"codecs": [{**VP8, "clockRate": 0}]},
    {"codecs": [{**VP8, "mimeType": "text/VP8"}]},
    {"codecs": [{**VP8, "mimeType": "video/VP8\r\na=evil"}]},
    {"codecs": [{**VP8, "parameters": {"x": "1\r\na=evil:1"}}]},
    {"codecs": [{**VP8, "parameters": {"x\n": 1}}]},
    {"codecs": [{**VP8, "parameters": {"x": [1]}}]},
    {"codecs": [{**VP8, "parameters": {str(n): n for n in range(65)}}]},
    {"encodings": [{"ssrc": 0}]},
    {"encodings": [{"ssrc": 2**32}]},
    {"encodings": [{"ssrc": 1.5}]},
    {"encodings": [{"ssrc": n + 1} for n in range(5)]},
    {"encodings": [{"rid": "a b"}]},
    {"encodings": [{"ssrc": 1, "maxBitrate": -1}]},
    {"encodings": [{"ssrc": 1, "maxBitrate": 1_000_000_001}]},
    {"encodings": [{"ssrc": 1, "scalabilityMode": 3}]},
    {"encodings": [{"rid": "a" * 17}]},
    {"headerExtensions": [{"uri": MID, "id": 0}]},
    {"headerExtensions": [{"uri": MID, "id": 256}]},
    {"mid": "a\r\nb"},
    {"mid": "a\n"},
    {"mid": "a" * 33},
    {"rtcp": {"cname": "a\nb"}},
]


@pytest.mark.parametrize("fields", MALFORMED)
def test_what_is_out_of_bounds_is_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        parameters(**fields)


def test_encrypted_extensions_are_not_read() -> None:
    made = produce("video", parameters(headerExtensions=[{"uri": MID, "id": 1, "encrypt": True}]))
    assert made.spec.extensions == {}


def test_the_bounds_are_those_of_the_media_core() -> None:
    caps = (ROOT / "_native/engine/entities.pxd").read_text()
    for name, bound in (
        ("MAX_STREAMS", bounds.MAX_ENCODINGS),
        ("MAX_CODECS", bounds.MAX_CODECS),
        ("RID_SIZE", bounds.RID_SIZE),
        ("MID_SIZE", bounds.MID_SIZE),
    ):
        assert re.search(rf"^ +{name} = {bound}\b", caps, re.MULTILINE)


def test_the_media_core_takes_the_most_that_is_let_through() -> None:
    media = [{**VP8, "payloadType": number} for number in range(bounds.MAX_CODECS)]
    again = [{**RTX, "payloadType": 100 + number, "parameters": {"apt": number}} for number in range(bounds.MAX_CODECS)]
    spec = produce(
        "video",
        parameters(
            codecs=media + again,
            encodings=[
                {
                    "ssrc": 10 + number,
                    "rtx": {"ssrc": 20 + number},
                    "rid": str(number) * bounds.RID_SIZE,
                    "scalabilityMode": f"L1T{bounds.MAX_LAYERS}",
                    "maxBitrate": bounds.MAX_BITRATE_BPS,
                }
                for number in range(bounds.MAX_ENCODINGS)
            ],
            mid="m" * bounds.MID_SIZE,
            headerExtensions=extensions(mid=1, rid=255, repaired=2, time=3, cc=4, dependency=5),
        ),
    ).spec
    shard = Shard(1)
    shard.create_transport(1)
    shard.create_producer(
        2,
        1,
        spec.kind,
        spec.mid,
        [(one.ssrc, one.rtx_ssrc, one.rid) for one in spec.streams],
        [
            (one.payload_type, one.rtx_payload_type, one.clock_rate, one.name, one.nack, one.pli, one.fir)
            for one in spec.codecs
        ],
        dict(spec.extensions),
        [(one.spatial_layers, one.temporal_layers, one.max_bitrate_bps) for one in spec.streams],
        7,
    )
    assert shard.stats()["producers"] == 1
