"""Cuts a client's bytes into frames. Whole plain text frames, nearly all that comes, are read here at a fifth of the
price; the bytes of every other frame are for the protocol of `websockets`, which knows all the rules.
"""

from __future__ import annotations

from websockets.frames import apply_mask  # type: ignore[attr-defined]  # its fastest one

_WHOLE_TEXT = 0x81  # unfragmented, nothing reserved (RFC 6455 section 5.2)
_MASKED = 0x80
_LENGTH_16, _LENGTH_64 = 126, 127
_MASK_BYTES = 4
_PLAIN_HEAD = 4 + _MASK_BYTES  # longer ones announce more than a message may have


class Cutter:
    """Knows where frames begin. Feed it what arrives, then take the pieces one by one."""

    def __init__(self) -> None:
        self._data = b""
        self._at = 0
        self._foreign = 0
        """Bytes still to come of a frame that is the protocol's."""

    def feed(self, data: bytes) -> None:
        """Take bytes; what is left of the last ones is at most a part of a frame's header."""
        self._data = self._data[self._at :] + data
        self._at = 0

    def piece(self, plain: bool) -> tuple[bytes, bool] | None:
        """The next text and True, or bytes for the protocol and False; None when there is nothing more for now.

        Unless ``plain``, everything is for the protocol.
        """
        data, begin = self._data, self._at
        if begin == len(data):
            return None
        if not self._foreign:
            head, size = self._header()
            if not head:
                return None
            end = begin + head + size
            masked = data[begin + 1] & _MASKED and head <= _PLAIN_HEAD
            if plain and masked and data[begin] == _WHOLE_TEXT and end <= len(data):
                self._at = end
                at = begin + head
                return apply_mask(data[at:end], data[at - _MASK_BYTES : at]), True
            self._foreign = head + size
        end = min(len(data), begin + self._foreign)
        self._foreign -= end - begin
        self._at = end
        return data[begin:end], False

    def _header(self) -> tuple[int, int]:
        """The bytes of the next frame's header and of its payload; a header of 0 is not whole yet."""
        data, begin = self._data, self._at
        have = len(data) - begin
        if have < 2:
            return 0, 0
        size = data[begin + 1] & ~_MASKED
        head = 2
        if size >= _LENGTH_16:
            head = 4 if size == _LENGTH_16 else 10
            if have < head:
                return 0, 0
            size = int.from_bytes(data[begin + 2 : begin + head], "big")
        if data[begin + 1] & _MASKED:
            head += _MASK_BYTES
        return (head, size) if have >= head else (0, 0)
