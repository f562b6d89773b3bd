"""H264 profiles out of ``profile-level-id`` (RFC 6184 section 8.1): which of them are the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

# (profile_idc, mask over profile_iop, wanted bits, profile), RFC 6184 table 5.
_PATTERNS: Final = (
    (0x42, 0b0100_1111, 0b0100_0000, "constrained-baseline"),
    (0x4D, 0b1000_1111, 0b1000_0000, "constrained-baseline"),
    (0x58, 0b1100_1111, 0b1100_0000, "constrained-baseline"),
    (0x42, 0b0100_1111, 0b0000_0000, "baseline"),
    (0x58, 0b1100_1111, 0b1000_0000, "baseline"),
    (0x4D, 0b1010_1111, 0b0000_0000, "main"),
    (0x64, 0b1111_1111, 0b0000_0000, "high"),
    (0x64, 0b1111_1111, 0b0000_1100, "constrained-high"),
    (0xF4, 0b1111_1111, 0b0000_0000, "predictive-high-444"),
)
# What browsers mean when they say nothing: constrained baseline 3.1.
_DEFAULT: Final = "42e01f"


def profile(parameters: Mapping[str, object]) -> str | None:
    """The profile that codec parameters name, or None when it is malformed or unknown."""
    text = str(parameters.get("profile-level-id", _DEFAULT))
    if len(text) != 6:
        return None
    try:
        idc, iop = bytes.fromhex(text)[:2]
    except ValueError:
        return None
    for wanted_idc, mask, bits, name in _PATTERNS:
        if idc == wanted_idc and iop & mask == bits:
            return name
    return None


def packetization_mode(parameters: Mapping[str, object]) -> str:
    """The packetization mode as text (SDP parsers give numbers or strings); absent means 0."""
    return str(parameters.get("packetization-mode", 0))


def same(a: Mapping[str, object], b: Mapping[str, object]) -> bool:
    """Whether a decoder for one can take the other: equal profile and packetization mode."""
    named = profile(a)
    return named is not None and named == profile(b) and packetization_mode(a) == packetization_mode(b)
