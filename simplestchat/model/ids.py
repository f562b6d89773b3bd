"""Ids that travel: random, 128 bits, url-safe, and the same on every node.

Randomness is an argument (``Entropy``), so that tests replay from a seed and the server uses the system's source.
"""

from __future__ import annotations

import os
import secrets
from binascii import b2a_base64
from collections.abc import Callable
from typing import TypeAlias

Entropy: TypeAlias = Callable[[int], bytes]
"""Gives that many random bytes; ``os.urandom`` in the server, a seeded generator in tests."""

ID_BYTES = 16
TOKEN_BYTES = 32  # tokens open doors, ids only name things
_POOL_BYTES = 4096
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class EntropyPool:
    """The system's randomness, fetched for many ids at once, for the call costs more than the rest of an id. No byte is
    given out twice, nor kept once it is.
    """

    def __init__(self, source: Entropy = os.urandom) -> None:
        self._source = source
        self._bytes = bytearray()

    def __call__(self, count: int) -> bytes:
        """So many random bytes."""
        if len(self._bytes) < count:
            self._bytes = bytearray(self._source(max(count, _POOL_BYTES)))
        taken = bytes(self._bytes[-count:]) if count else b""
        del self._bytes[len(self._bytes) - count :]
        return taken


def new_id(entropy: Entropy) -> str:
    """A new id of 22 characters out of ``A-Z a-z 0-9 - _``."""
    return _text(entropy(ID_BYTES))


def new_token(entropy: Entropy) -> str:
    """A new secret of 43 characters out of ``A-Z a-z 0-9 - _``."""
    return _text(entropy(TOKEN_BYTES))


def _text(random: bytes) -> str:
    """In URL-safe base 64, without padding."""
    return b2a_base64(random, newline=False).translate(_URL_SAFE, b"=").decode()


def same_secret(given: str, wanted: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return secrets.compare_digest(given.encode(), wanted.encode())
