"""What real endpoints say they can do, shortened to what matters, as mediasoup-client extracts it from their SDP."""

from __future__ import annotations

from typing import Any

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
ORIENTATION = "urn:3gpp:video-orientation"
TOFFSET = "urn:ietf:params:rtp-hdrext:toffset"
DEPENDENCY = "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"

_FEEDBACK = [
    {"type": "goog-remb", "parameter": ""},
    {"type": "transport-cc", "parameter": ""},
    {"type": "ccm", "parameter": "fir"},
    {"type": "nack", "parameter": ""},
    {"type": "nack", "parameter": "pli"},
]


def _video(name: str, payload_type: int, **parameters: Any) -> dict[str, Any]:
    return {
        "kind": "video",
        "mimeType": f"video/{name}",
        "preferredPayloadType": payload_type,
        "clockRate": 90000,
        "parameters": {key.replace("_", "-"): value for key, value in parameters.items()},
        "rtcpFeedback": [] if name == "rtx" else _FEEDBACK,
    }


def _audio(name: str, payload_type: int, rate: int, channels: int = 1, **parameters: Any) -> dict[str, Any]:
    return {
        "kind": "audio",
        "mimeType": f"audio/{name}",
        "preferredPayloadType": payload_type,
        "clockRate": rate,
        "channels": channels,
        "parameters": parameters,
        "rtcpFeedback": [{"type": "transport-cc", "parameter": ""}] if name == "opus" else [],
    }


def _extensions(kind: str, **ids: int) -> list[dict[str, Any]]:
    uris = {
        "mid": MID,
        "rid": RID,
        "repaired": REPAIRED_RID,
        "level": AUDIO_LEVEL,
        "time": ABS_SEND_TIME,
        "cc": TRANSPORT_CC,
        "orientation": ORIENTATION,
        "toffset": TOFFSET,
        "delay": PLAYOUT_DELAY,
        "dependency": DEPENDENCY,
    }
    return [{"kind": kind, "uri": uris[name], "preferredId": number} for name, number in ids.items()]


CHROME: dict[str, Any] = {
    "codecs": [
        _audio("opus", 111, 48000, 2, minptime=10, useinbandfec=1),
        _audio("red", 63, 48000, 2),
        _audio("G722", 9, 8000),
        _audio("PCMU", 0, 8000),
        _audio("CN", 13, 8000),
        _audio("telephone-event", 126, 8000),
        _video("VP8", 96),
        _video("rtx", 97, apt=96),
        _video("VP9", 98, profile_id=0),
        _video("rtx", 99, apt=98),
        _video("H264", 103, level_asymmetry_allowed=1, packetization_mode=1, profile_level_id="42001f"),
        _video("rtx", 104, apt=103),
        _video("H264", 109, level_asymmetry_allowed=1, packetization_mode=1, profile_level_id="42e01f"),
        _video("rtx", 114, apt=109),
        _video("H264", 117, level_asymmetry_allowed=1, packetization_mode=0, profile_level_id="42e01f"),
        _video("rtx", 118, apt=117),
        _video("AV1", 45, level_idx=5, profile=0, tier=0),
        _video("rtx", 46, apt=45),
        _video("red", 123),
        _video("ulpfec", 122),
    ],
    "headerExtensions": [
        *_extensions("audio", level=1, time=2, cc=3, mid=4),
        *_extensions(
            "video", toffset=14, time=2, orientation=13, cc=3, delay=5, mid=4, rid=10, repaired=11, dependency=12
        ),
    ],
}

FIREFOX: dict[str, Any] = {
    "codecs": [
        _audio("opus", 109, 48000, 2, maxplaybackrate=48000, stereo=1, useinbandfec=1),
        _audio("G722", 9, 8000),
        _audio("PCMU", 0, 8000),
        _audio("telephone-event", 101, 8000),
        _video("VP8", 120, max_fs=12288, max_fr=60),
        _video("rtx", 124, apt=120),
        _video("VP9", 121, max_fs=12288, max_fr=60),
        _video("rtx", 125, apt=121),
        _video("H264", 126, profile_level_id="42e01f", level_asymmetry_allowed=1, packetization_mode=1),
        _video("rtx", 127, apt=126),
        _video("H264", 97, profile_level_id="42e01f", level_asymmetry_allowed=1),
        _video("rtx", 98, apt=97),
    ],
    "headerExtensions": [
        *_extensions("audio", level=1, mid=3),
        *_extensions("video", mid=3, time=4, toffset=5, delay=6, cc=7, rid=8, repaired=9),
    ],
}

AIORTC: dict[str, Any] = {
    "codecs": [
        _audio("opus", 96, 48000, 2),
        _audio("PCMU", 0, 8000),
        _audio("PCMA", 8, 8000),
        {**_video("VP8", 97), "channels": None},
        _video("rtx", 98, apt=97),
        _video("H264", 99, level_asymmetry_allowed=1, packetization_mode=1, profile_level_id="42001f"),
        _video("rtx", 100, apt=99),
        _video("H264", 101, level_asymmetry_allowed=1, packetization_mode=1, profile_level_id="42e01f"),
        _video("rtx", 102, apt=101),
    ],
    "headerExtensions": [
        *_extensions("audio", mid=1, level=2),
        *_extensions("video", mid=1, time=3),
    ],
}

ENDPOINTS = {"chrome": CHROME, "firefox": FIREFOX, "aiortc": AIORTC}
