"""What the server negotiates: codecs, their feedback, header extensions and their directions.

Bandwidth is estimated by transport-cc where both sides have it, else by REMB, which rests on abs-send-time.
RED is not offered: its blocks name the publisher's payload type of Opus inside the payload, and the ``111/111`` of its
SDP line has no place in the parameters that mediasoup-client writes. Opus mends single losses by in-band FEC.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final, Literal

from simplestchat.model.media import MediaKind
from simplestchat.ortc.matching import Codec, feedback_of
from simplestchat.ortc.parameters import CodecCapability, ExtensionCapability, RtcpFeedback, RtpCapabilities

_NACK: Final = RtcpFeedback(type="nack", parameter="")
_TRANSPORT_CC: Final = RtcpFeedback(type="transport-cc", parameter="")
_VIDEO_FEEDBACK: Final = (
    _NACK,
    RtcpFeedback(type="nack", parameter="pli"),
    RtcpFeedback(type="ccm", parameter="fir"),
    RtcpFeedback(type="goog-remb", parameter=""),
    _TRANSPORT_CC,
)

EXTENSION_OF_URI: Final[dict[str, str]] = {
    "urn:ietf:params:rtp-hdrext:sdes:mid": "mid",
    "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id": "rid",
    "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id": "repaired-rid",
    "urn:ietf:params:rtp-hdrext:ssrc-audio-level": "audio-level",
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time": "abs-send-time",
    "urn:3gpp:video-orientation": "video-orientation",
    "urn:ietf:params:rtp-hdrext:toffset": "toffset",
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01": "transport-cc",
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension": "dependency-descriptor",
}
"""The URIs that the server negotiates, to the media plane's names."""

ABS_SEND_TIME: Final = "abs-send-time"
TRANSPORT_CC: Final = "transport-cc"
DEPENDENCY_DESCRIPTOR: Final = "dependency-descriptor"

BANDWIDTH_FEEDBACK: Final = {"transport-cc": TRANSPORT_CC, "goog-remb": ABS_SEND_TIME}
"""Each kind of bandwidth feedback, to the header extension that it rests on."""


def _video(name: str, payload_type: int, **settings: str | int) -> tuple[CodecCapability, CodecCapability]:
    """A video codec and its retransmission format, on the next payload type."""
    codec = CodecCapability(
        mime_type=f"video/{name}",
        kind="video",
        preferred_payload_type=payload_type,
        clock_rate=90_000,
        parameters={key.replace("_", "-"): value for key, value in settings.items()},
        rtcp_feedback=_VIDEO_FEEDBACK,
    )
    rtx = CodecCapability(
        mime_type="video/rtx",
        kind="video",
        preferred_payload_type=payload_type + 1,
        clock_rate=90_000,
        parameters={"apt": payload_type},
    )
    return codec, rtx


def _h264(payload_type: int, packetization_mode: int) -> tuple[CodecCapability, CodecCapability]:
    """H264 constrained baseline 3.1, which every browser can do."""
    return _video(
        "H264",
        payload_type,
        level_asymmetry_allowed=1,
        packetization_mode=packetization_mode,
        profile_level_id="42e01f",
    )


_OPUS: Final = CodecCapability(
    mime_type="audio/opus",
    kind="audio",
    preferred_payload_type=100,
    clock_rate=48_000,
    channels=2,
    parameters={"minptime": 10, "useinbandfec": 1, "usedtx": 1},
    rtcp_feedback=(_NACK, _TRANSPORT_CC),
)


def _extension(
    kind: MediaKind, name: str, number: int, direction: Literal["sendrecv", "recvonly"] = "sendrecv"
) -> ExtensionCapability:
    uri = next(uri for uri, known in EXTENSION_OF_URI.items() if known == name)
    return ExtensionCapability(kind=kind, uri=uri, preferred_id=number, preferred_encrypt=False, direction=direction)


ROUTER_CAPABILITIES: Final = RtpCapabilities(
    codecs=(
        _OPUS,
        *_video("VP8", 101),  # the first one that both sides know is what browsers send
        *_h264(103, 1),
        *_h264(105, 0),
        *_video("VP9", 107, profile_id=0),
        *_video("AV1", 109, profile=0),
    ),
    header_extensions=(
        _extension("audio", "mid", 1),
        _extension("video", "mid", 1),
        _extension("video", "rid", 2, "recvonly"),
        _extension("video", "repaired-rid", 3, "recvonly"),
        _extension("audio", "abs-send-time", 4),
        _extension("video", "abs-send-time", 4),
        _extension("audio", "transport-cc", 5),
        _extension("video", "transport-cc", 5),
        _extension("video", "dependency-descriptor", 8),
        _extension("audio", "audio-level", 10),
        _extension("video", "video-orientation", 11),
        _extension("video", "toffset", 12),
    ),
)
"""``rtpCapabilities`` of every room; the payload types are a proposal that clients may follow or not."""


def needless(extensions: Collection[str], codecs: Iterable[Codec]) -> frozenset[str]:
    """Of the extensions that bandwidth is estimated by, those that are not to be used: one is enough, by preference
    transport-cc, if its feedback is spoken, too.
    """
    spoken = any((TRANSPORT_CC, "") in feedback_of(codec) for codec in codecs)
    chosen = TRANSPORT_CC if spoken and TRANSPORT_CC in extensions else ABS_SEND_TIME
    return frozenset(BANDWIDTH_FEEDBACK.values()) - {chosen}


def extension_names(kind: MediaKind, *, sending: bool) -> frozenset[str]:
    """The extensions that the server takes from publishers of a kind or, ``sending``, writes to subscribers."""
    return frozenset(
        EXTENSION_OF_URI[one.uri]
        for one in ROUTER_CAPABILITIES.header_extensions or ()
        if one.kind == kind and (one.direction == "sendrecv" or not sending)
    )
