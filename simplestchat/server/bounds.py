"""Deadlines and sizes at the edge of the server; what clients must know of comes from `signaling.edge`."""

from __future__ import annotations

from simplestchat.signaling.edge import (
    CLOSE_NO_ROOM,
    CLOSE_SLOW_READER,
    MAX_BODY_BYTES,
    MAX_FRAGMENTS,
    MAX_MESSAGE_BYTES,
    PING_INTERVAL_S,
    SILENCE_S,
)

__all__ = [
    "BODY_S",
    "CLOSE_NO_ROOM",
    "CLOSE_S",
    "CLOSE_SLOW_READER",
    "CLOSE_TOGETHER_S",
    "DRAIN_S",
    "HEAD_S",
    "KEEP_ALIVE_S",
    "LAST_CLOSE_S",
    "LINGER_S",
    "LISTEN_BACKLOG",
    "MAX_BODY_BYTES",
    "MAX_FRAGMENTS",
    "MAX_HEADERS",
    "MAX_HEAD_BYTES",
    "MAX_LINGER_BYTES",
    "MAX_MESSAGE_BYTES",
    "MAX_REQUESTS",
    "MESSAGES_PER_TURN",
    "PAUSE_MAX_S",
    "PING_INTERVAL_S",
    "READ_BYTES",
    "SILENCE_S",
    "SLICE_MAX_S",
    "SLICE_MIN_S",
    "SLICE_WAKES",
    "TLS_HANDSHAKE_S",
    "TURNS_MAX_S",
    "WRITE_BATCH_BYTES",
    "WRITE_S",
]

# Deadlines. Anyone can open a connection, so every wait for a stranger ends.
TLS_HANDSHAKE_S = 10.0
HEAD_S = 10.0  # a whole request head, however slowly it trickles in
BODY_S = 10.0
KEEP_ALIVE_S = 15.0  # between two requests
WRITE_S = 30.0  # a whole response
LINGER_S = 1.0  # reading on after the last answer, so that a reset does not destroy it

# Sizes.
MAX_HEAD_BYTES = 16 * 1024
MAX_HEADERS = 64
MAX_REQUESTS = 1000  # of one connection; then it is closed, so that clients spread again over nodes
MAX_LINGER_BYTES = 1024 * 1024
LISTING_COST = 10  # requests that a search of all public rooms, or a look at the traffic of one, counts as
READ_BYTES = 64 * 1024
LISTEN_BACKLOG = 4096  # a full room reconnects within a second

# WebSocket.
WRITE_BATCH_BYTES = 256 * 1024  # joined for one call of send, by a writer
CLOSE_S = 2.0  # for the closing handshake
MESSAGES_PER_TURN = 16  # handled before other connections get their turn
TURNS_MAX_S = 0.004  # of reading and delivering before the node's other tasks get theirs
PAUSE_MAX_S = 0.001  # between two turns, for more to come together
CLOSE_TOGETHER_S = 0.001  # of two messages that are so, there is no pause after one that comes alone

# Delivery: for how long, and to how many slower writers, before requests get their turn again.
SLICE_MIN_S = 0.001
SLICE_MAX_S = 0.01
SLICE_WAKES = 16

# Shutdown, five seconds altogether: clients are told, then closed, then the workers end (media.supervisor).
DRAIN_S = 2.0
LAST_CLOSE_S = 1.5
