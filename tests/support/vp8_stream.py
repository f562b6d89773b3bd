"""A VP8 stream as a plain client sends it: real pictures, RTP without extensions, the shortest payload descriptor."""

from __future__ import annotations

import fractions
import secrets
import struct
from collections.abc import Iterator

import av
from av.video.frame import PictureType

CLOCK_HZ = 90_000
FRAME_RATE = 15
MAX_FRAGMENT = 1100  # bytes of a frame in one packet
START_OF_PARTITION = 0x10
MARKER = 0x80


class Vp8Sender:
    """Encodes a moving picture and packs it as RFC 7741 says."""

    def __init__(self, width: int, height: int, payload_type: int) -> None:
        self.ssrc = secrets.randbits(32) | 1
        self._payload_type = payload_type
        self._sequence = secrets.randbits(15)
        self._timestamp = secrets.randbits(32)
        self._count = 0
        self.packets = 0
        self._width, self._height = width, height
        encoder = av.CodecContext.create("libvpx", "w")
        encoder.width, encoder.height = width, height
        encoder.pix_fmt = "yuv420p"
        encoder.time_base = fractions.Fraction(1, FRAME_RATE)
        encoder.bit_rate = 300_000
        encoder.options = {"deadline": "realtime", "cpu-used": "8", "lag-in-frames": "0", "g": "3000"}
        self._encoder = encoder

    def _picture(self) -> av.VideoFrame:
        """A grey ramp that moves with time."""
        frame = av.VideoFrame(self._width, self._height, "yuv420p")
        for index, plane in enumerate(frame.planes):
            row = bytes((x + 4 * self._count) % 256 if index == 0 else 128 for x in range(plane.line_size))
            plane.update(row * plane.height)
        frame.pts = self._count
        return frame

    def next_frame(self, *, key: bool) -> list[bytes]:
        """The packets of the next frame; ``key`` makes it one that needs nothing before it."""
        picture = self._picture()
        if key:
            picture.pict_type = PictureType.I
        encoded = b"".join(bytes(packet) for packet in self._encoder.encode(picture))
        self._count += 1
        self._timestamp = (self._timestamp + CLOCK_HZ // FRAME_RATE) & 0xFFFFFFFF
        return list(self._packets(encoded))

    def _packets(self, encoded: bytes) -> Iterator[bytes]:
        for offset in range(0, len(encoded), MAX_FRAGMENT):
            self._sequence = (self._sequence + 1) & 0xFFFF
            self.packets += 1
            last = offset + MAX_FRAGMENT >= len(encoded)
            second = self._payload_type | (MARKER if last else 0)
            header = struct.pack("!BBHII", 0x80, second, self._sequence, self._timestamp, self.ssrc)
            descriptor = bytes([START_OF_PARTITION if offset == 0 else 0])
            yield header + descriptor + encoded[offset : offset + MAX_FRAGMENT]


class Vp8Receiver:
    """Puts frames together from RTP in order and decodes them; any gap is an error."""

    def __init__(self, ssrc: int, payload_type: int) -> None:
        self.ssrc = ssrc
        self._payload_type = payload_type
        self._sequence: int | None = None
        self._frame = b""
        self._decoder = av.CodecContext.create("vp8", "r")
        self.sizes: list[tuple[int, int]] = []

    def receive(self, packet: bytes) -> bytes:
        """Take one RTP packet of the stream; its VP8 payload, without the descriptor."""
        first, second, sequence, _, ssrc = struct.unpack_from("!BBHII", packet)
        assert first == 0x80, "no padding, extension or contributing sources were negotiated"
        assert (ssrc, second & 0x7F) == (self.ssrc, self._payload_type)
        assert self._sequence is None or sequence == (self._sequence + 1) & 0xFFFF
        self._sequence = sequence
        payload = packet[13:]
        assert packet[12] in (0, START_OF_PARTITION)
        if packet[12] == START_OF_PARTITION:
            self._frame = b""
        self._frame += payload
        if second & MARKER:
            for picture in self._decoder.decode(av.Packet(self._frame)):
                self.sizes.append((picture.width, picture.height))
        return payload
