"""Layers of video, as ``scalabilityMode`` names them (W3C Scalable Video Coding section 6): ``L3T3_KEY``, ``S3T3``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from simplestchat.errors import InvalidParams
from simplestchat.ortc.parameters import MAX_LAYERS

#: L: a layer rests on the one below; S: simulcast inside one stream; K: an old name of L with ``_KEY``.
_MODE: Final = re.compile(r"([LSK])([1-9])T([1-9])(h?)(_KEY|_KEY_SHIFT)?", re.ASCII)


class Layers(NamedTuple):
    """What is inside one encoding."""

    spatial: int
    temporal: int
    mode: str
    """As it was said; "" when nothing was."""


NO_LAYERS: Final = Layers(1, 1, "")


def parse_mode(mode: str | None) -> Layers:
    """The layers of a mode; raises ``InvalidParams`` for what is none, or has more layers than are told apart."""
    if not mode:
        return NO_LAYERS
    found = _MODE.fullmatch(mode)
    if found is None:
        raise InvalidParams(
            f"scalabilityMode {mode!r} is not known. Say one like L1T3, L3T3_KEY or S3T3, or leave it out."
        )
    spatial, temporal = int(found[2]), int(found[3])
    if max(spatial, temporal) > MAX_LAYERS:
        raise InvalidParams(f"scalabilityMode {mode} has too many layers. Use {MAX_LAYERS} of a kind at most.")
    return Layers(spatial, temporal, mode)


def check_simulcast(layers: Sequence[Layers], max_bitrates: Sequence[int]) -> None:
    """Raise unless several encodings are simulcast: one spatial layer each, from the lowest quality to the highest."""
    if len(layers) < 2:
        return
    for number, one in enumerate(layers):
        if one.spatial > 1:
            raise InvalidParams(
                f"Encoding {number} has {one.spatial} spatial layers of its own beside other encodings. Use several "
                "encodings with one spatial layer each (L1T3), or a single one with all layers (L3T3)."
            )
    known = [bitrate for bitrate in max_bitrates if bitrate]
    if known != sorted(known):
        raise InvalidParams("The encodings' maxBitrate goes down. Put the lowest quality first, the highest last.")


def scalability_mode(layers: Sequence[Layers]) -> str:
    """What a subscriber is told: encodings of simulcast are spatial layers to it."""
    if len(layers) > 1:
        return f"S{len(layers)}T{max(one.temporal for one in layers)}"
    return layers[0].mode
