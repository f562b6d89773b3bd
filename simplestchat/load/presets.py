"""Video presets: sizes, frame rates and bit rates of what synthetic cameras send, alone or in simulcast layers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

_PRESET: Final = re.compile(r"(?P<height>360|480|720|1080)p(?P<fps>15|30|60)\Z")
_BITRATE_AT_30: Final = {360: 600_000, 480: 1_000_000, 720: 1_700_000, 1080: 3_000_000}  # what browsers go up to
_OF_FRAME_RATE: Final = {15: 0.65, 30: 1.0, 60: 1.5}  # frames nearer in time differ less
AUDIO_BITRATE_BPS: Final = 32_000

TRACK_MICROPHONE: Final = 0  # as stamps name them: `_native/peer/settings.pxd`
TRACK_CAMERA: Final = 1

_SIMULCAST: Final = (("q", 4, 0.08), ("h", 2, 0.24), ("f", 1, 0.68))  # rid, of the size, of the bit rate


class Layer(NamedTuple):
    """One encoding; ``rid`` is empty when it is the only one."""

    rid: str
    width: int
    height: int
    bitrate_bps: int


class Preset(NamedTuple):
    """What a camera sends, as one encoding."""

    width: int
    height: int
    fps: int
    bitrate_bps: int


def preset(name: str, bitrate_bps: int = 0) -> Preset:
    """Read ``720p30``; a bit rate other than 0 replaces the preset's own. Raises ValueError for unknown names."""
    found = _PRESET.match(name)
    if not found:
        raise ValueError(f"there is no video preset {name!r}")
    height, fps = int(found["height"]), int(found["fps"])
    own = round(_BITRATE_AT_30[height] * _OF_FRAME_RATE[fps])
    return Preset(height * 16 // 9 // 2 * 2, height, fps, bitrate_bps or own)


def layers(video: Preset, *, simulcast: bool, rates: Sequence[int] = ()) -> tuple[Layer, ...]:
    """The encodings of a camera, the lowest first; their bit rates are as given or add up to the preset's."""
    if rates:
        kinds = _SIMULCAST[-len(rates) :]
        return tuple(
            Layer(rid, video.width // part // 2 * 2, video.height // part // 2 * 2, rate)
            for (rid, part, _), rate in zip(kinds, rates, strict=True)
        )
    if not simulcast:
        return (Layer("", video.width, video.height, video.bitrate_bps),)
    return tuple(
        Layer(rid, video.width // part // 2 * 2, video.height // part // 2 * 2, round(video.bitrate_bps * share))
        for rid, part, share in _SIMULCAST
    )
