"""What every connection meets that a client must know of: sizes, silences and close codes."""

from __future__ import annotations

from typing import Final

BEARER_PREFIX: Final = "bearer."
"""Of a subprotocol that carries a token: a browser can send no header of its own choice with an upgrade."""

MAX_MESSAGE_BYTES: Final = 64 * 1024
MAX_FRAGMENTS: Final = 64  # of one message; a browser sends one
MAX_BODY_BYTES: Final = 64 * 1024  # of an HTTP request
PING_INTERVAL_S: Final = 15.0
SILENCE_S: Final = 30.0  # a client that answers pings is never that quiet

CLOSE_REPLACED: Final = 4001
CLOSE_FLOOD: Final = 4008
CLOSE_SLOW_READER: Final = 4009
CLOSE_NO_ROOM: Final = 4010

CLOSE_CODES: Final[dict[int, str]] = {
    1001: "the server is shutting down; connect again in a moment and come back with `resume`",
    1003: "a binary frame; only text is understood",
    1007: "a text frame that is not UTF-8",
    1009: "a message or its fragments over the size",
    CLOSE_REPLACED: "the peer came back over another connection; do not connect again",
    CLOSE_FLOOD: "requests went on after `rate_limited`",
    CLOSE_SLOW_READER: "the client does not read what the server has to say",
    CLOSE_NO_ROOM: "the connection was in no room for too long",
}
"""Every code with which the server closes a connection, beside those that RFC 6455 itself asks for, and why."""

REFUSED_UPGRADES: Final[dict[int, str]] = {
    400: "a request that is malformed or ambiguous",
    403: "an `Origin` that may not connect",
    426: "no WebSocket, or not version 13",
    429: "too many requests from this address (`rate_limited`; `Retry-After` says when)",
    431: "a request head that is too large",
    503: "a server that is shutting down (`draining`) or has no place for another connection (no body)",
}
"""Statuses with which the server answers instead of a WebSocket, and to what."""
