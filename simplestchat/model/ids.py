"""Ids that travel: random, 128 bits, url-safe, and the same on every node.

Randomness is an argument (``Entropy``), so that tests replay from a seed and the server uses the system's source.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from typing import TypeAlias

Entropy: TypeAlias = Callable[[int], bytes]
"""Gives that many random bytes; ``os.urandom`` in the server, a seeded generator in tests."""

ID_BYTES = 16
TOKEN_BYTES = 32  # tokens open doors, ids only name things


def new_id(entropy: Entropy) -> str:
    """A new id of 22 characters out of ``A-Z a-z 0-9 - _``."""
    return base64.urlsafe_b64encode(entropy(ID_BYTES)).rstrip(b"=").decode()


def new_token(entropy: Entropy) -> str:
    """A new secret of 43 characters out of ``A-Z a-z 0-9 - _``."""
    return base64.urlsafe_b64encode(entropy(TOKEN_BYTES)).rstrip(b"=").decode()


def same_secret(given: str, wanted: str) -> bool:
    """Whether two secrets are equal, in a time that does not tell where they differ."""
    return secrets.compare_digest(given.encode(), wanted.encode())
