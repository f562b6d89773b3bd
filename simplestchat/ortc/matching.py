"""Which codecs and header extensions of two endpoints are the same thing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final, TypeAlias, TypeVar

from simplestchat.ortc import h264
from simplestchat.ortc.parameters import CodecCapability, CodecParameters, RtcpFeedback

Codec: TypeAlias = CodecCapability | CodecParameters
_AnyCodec = TypeVar("_AnyCodec", CodecCapability, CodecParameters)


def name_of(codec: Codec) -> str:
    """The lower-case name without its kind: ``opus``, ``vp8``, ``rtx``."""
    return codec.mime_type.partition("/")[2].lower()


def kind_of(codec: Codec) -> str:
    """``audio`` or ``video``."""
    return codec.mime_type.partition("/")[0].lower()


def settings_of(codec: Codec) -> Mapping[str, object]:
    """The codec's own parameters, never None."""
    return codec.parameters or {}


def feedback_of(codec: Codec) -> frozenset[tuple[str, str]]:
    """The codec's feedback as (type, parameter)."""
    return frozenset((one.type, one.parameter or "") for one in codec.rtcp_feedback or ())


def is_rtx(codec: Codec) -> bool:
    """Whether this is the retransmission format of another codec."""
    return name_of(codec) == "rtx"


def apt_of(codec: Codec) -> int | None:
    """The payload type that a retransmission format belongs to."""
    value = settings_of(codec).get("apt")
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return int(value)
    return value if isinstance(value, int) else None


def same_codec(a: Codec, b: Codec) -> bool:
    """Whether two media codecs can be one stream: name, clock, channels, and the profile where it matters."""
    if (name_of(a), kind_of(a), a.clock_rate) != (name_of(b), kind_of(b), b.clock_rate):
        return False
    if kind_of(a) == "audio" and (a.channels or 1) != (b.channels or 1):
        return False
    if name_of(a) == "h264":
        return h264.same(settings_of(a), settings_of(b))
    return _profile(a) == _profile(b)


#: Which setting names the profile, a number or its text; absent means 0 (RFC 9628 section 6; AV1 over RTP 7.2.1).
_PROFILES: Final = {"vp9": "profile-id", "av1": "profile"}


def _profile(codec: Codec) -> str:
    setting = _PROFILES.get(name_of(codec), "")
    return str(settings_of(codec).get(setting, 0))


def find_codec(codecs: Iterable[_AnyCodec], wanted: Codec) -> _AnyCodec | None:
    """The first media codec that matches, as mediasoup looks for it."""
    return next((one for one in codecs if not is_rtx(one) and same_codec(one, wanted)), None)


def common_feedback(ours: Codec, theirs: Codec, without: Collection[str]) -> tuple[RtcpFeedback, ...]:
    """What both sides understand, in our order, but for these types."""
    known = feedback_of(theirs)
    return tuple(
        one for one in ours.rtcp_feedback or () if (one.type, one.parameter or "") in known and one.type not in without
    )
