"""Media payloads that say where they come from, so that a receiver can check every byte of what a server forwarded."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

_STAMP = struct.Struct("!4sIQQ")
_MAGIC = b"stmp"
_CRC = struct.Struct("!I")
STAMP_SIZE = _STAMP.size + _CRC.size
# X and S set, partition 0; then I, L, T, K: a picture id of 15 bits, TL0PICIDX, TID with Y, KEYIDX (RFC 7741
# section 4.2).
_VP8_EXTENDED, _VP8_START, _VP8_ALL_NUMBERS, _VP8_WIDE = 0x80, 0x10, 0xF0, 0x8000
_VP8_KEYFRAME = bytes((0x10, 0x02, 0x00, 0x9D, 0x01, 0x2A)) + struct.pack("<HH", 640, 360)
_VP8_INTERFRAME = bytes((0x11, 0x02, 0x00))
_DESCRIPTOR = struct.Struct("!BBHBB")


@dataclass(frozen=True)
class Stamp:
    """What a payload says of itself: whose it is, which in a row, and when it left."""

    stream: int
    counter: int
    sent_us: int


@dataclass(frozen=True)
class Vp8Numbers:
    """What a VP8 descriptor counts, and the picture's temporal layer."""

    picture_id: int
    tl0picidx: int
    keyidx: int
    temporal: int
    sync: bool = False


def stamped(stamp: Stamp, size: int) -> bytes:
    """`size` bytes (at least STAMP_SIZE) that carry the stamp and a checksum over all of it."""
    body = _STAMP.pack(_MAGIC, stamp.stream, stamp.counter, stamp.sent_us)
    filler = (stamp.counter & 0xFF).to_bytes(1, "big") * (size - STAMP_SIZE)
    return body + filler + _CRC.pack(zlib.crc32(body + filler))


def read_stamp(payload: bytes) -> Stamp | None:
    """The stamp of a payload that arrived whole, None for anything else."""
    if len(payload) < STAMP_SIZE or zlib.crc32(payload[: -_CRC.size]) != _CRC.unpack_from(payload, len(payload) - 4)[0]:
        return None
    magic, stream, counter, sent_us = _STAMP.unpack_from(payload)
    return Stamp(stream, counter, sent_us) if magic == _MAGIC else None


def vp8_payload(stamp: Stamp, size: int, numbers: Vp8Numbers, first: bool, keyframe: bool) -> bytes:
    """A VP8 packet: descriptor, the frame's header when it is the first of one, and a stamp for contents."""
    descriptor = _DESCRIPTOR.pack(
        _VP8_EXTENDED | (_VP8_START if first else 0),
        _VP8_ALL_NUMBERS,
        _VP8_WIDE | numbers.picture_id,
        numbers.tl0picidx,
        numbers.temporal << 6 | numbers.sync << 5 | numbers.keyidx,
    )
    head = (_VP8_KEYFRAME if keyframe else _VP8_INTERFRAME) if first else b""
    return descriptor + head + stamped(stamp, max(STAMP_SIZE, size - len(descriptor) - len(head)))


def read_vp8_stamp(payload: bytes) -> tuple[Stamp | None, bool]:
    """The stamp, and whether the packet begins a keyframe."""
    if len(payload) <= _DESCRIPTOR.size:
        return None, False
    start = bool(payload[0] & _VP8_START)
    keyframe = start and not payload[_DESCRIPTOR.size] & 1
    head = (len(_VP8_KEYFRAME) if keyframe else len(_VP8_INTERFRAME)) if start else 0
    return read_stamp(payload[_DESCRIPTOR.size + head :]), keyframe


def read_vp8_numbers(payload: bytes) -> Vp8Numbers:
    """What the descriptor of a packet of vp8_payload counts."""
    _, _, picture_id, tl0picidx, last = _DESCRIPTOR.unpack_from(payload)
    return Vp8Numbers(picture_id & 0x7FFF, tl0picidx, last & 31, last >> 6, bool(last & 0x20))
