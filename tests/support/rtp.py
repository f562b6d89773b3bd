"""RTP packets as a synthetic peer needs them, in plain Python: fixed headers and one-byte extensions."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_FIXED = struct.Struct("!BBHII")
_ONE_BYTE_PROFILE = 0xBEDE
RTCP_TYPES = range(192, 224)


@dataclass(frozen=True)
class RtpPacket:
    payload_type: int
    marker: bool
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes
    extensions: tuple[tuple[int, bytes], ...] = ()

    def __bytes__(self) -> bytes:
        head = _FIXED.pack(
            0x90 if self.extensions else 0x80,
            self.marker << 7 | self.payload_type,
            self.sequence,
            self.timestamp,
            self.ssrc,
        )
        return head + self._extension_block() + self.payload

    def _extension_block(self) -> bytes:
        if not self.extensions:
            return b""
        body = b"".join(bytes(((id << 4) | (len(value) - 1),)) + value for id, value in self.extensions)
        body += bytes(-len(body) % 4)
        return struct.pack("!HH", _ONE_BYTE_PROFILE, len(body) // 4) + body

    @classmethod
    def parse(cls, data: bytes) -> RtpPacket:
        """Raises ValueError for what is no whole RTP packet."""
        if len(data) < _FIXED.size or data[0] >> 6 != 2:
            raise ValueError("not RTP")
        first, second, sequence, timestamp, ssrc = _FIXED.unpack_from(data)
        pos = _FIXED.size + 4 * (first & 0x0F)
        extensions: tuple[tuple[int, bytes], ...] = ()
        if first & 0x10:
            profile, words = struct.unpack_from("!HH", data, pos)
            if profile != _ONE_BYTE_PROFILE:
                raise ValueError("an extension profile that was not negotiated")
            extensions = _parse_elements(data[pos + 4 : pos + 4 + 4 * words])
            pos += 4 + 4 * words
        end = len(data) - (data[-1] if first & 0x20 else 0)
        if pos > end:
            raise ValueError("header or padding longer than the packet")
        return cls(second & 0x7F, bool(second & 0x80), sequence, timestamp, ssrc, data[pos:end], extensions)


def _parse_elements(body: bytes) -> tuple[tuple[int, bytes], ...]:
    found = []
    pos = 0
    while pos < len(body):
        id, size = body[pos] >> 4, (body[pos] & 0x0F) + 1
        if id == 0:
            pos += 1
            continue
        found.append((id, body[pos + 1 : pos + 1 + size]))
        pos += 1 + size
    return tuple(found)


def extended_sequence(sequence: int, highest: int) -> int:
    """The index with this low half that is nearest to the highest one seen."""
    return highest + ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000
