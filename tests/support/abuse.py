"""Clients that do wrong: raw bytes on a server's socket, and what comes back."""

from __future__ import annotations

import json
import re
import socket
from typing import Any

import websockets.exceptions
from support.server import Server
from websockets.sync.client import ClientConnection


def request(*lines: str, body: bytes = b"", version: str = "1.1", method: str = "GET", path: str = "/healthz") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/{version}", *lines, "", ""]).encode("latin-1") + body


def exchange(server: Server, data: bytes, *, half_close: bool = False) -> bytes:
    """Send bytes; return everything that comes back until the server hangs up."""
    with server.socket() as client:
        client.sendall(data)
        if half_close:
            client.shutdown(socket.SHUT_WR)
        return read_all(client)


def read_all(client: socket.socket) -> bytes:
    received = b""
    try:
        while data := client.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


def status(response: bytes) -> int:
    match = re.match(rb"HTTP/1\.1 (\d{3})", response)
    assert match, response
    return int(match[1])


def frame(opcode: int, payload: bytes, *, fin: bool = True, mask: bool = True, rsv: int = 0) -> bytes:
    """Spell a client's WebSocket frame, right or wrong."""
    head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
    flag = 0x80 if mask else 0
    if len(payload) < 126:
        head += bytes([flag | len(payload)])
    elif len(payload) < 1 << 16:
        head += bytes([flag | 126]) + len(payload).to_bytes(2, "big")
    else:
        head += bytes([flag | 127]) + len(payload).to_bytes(8, "big")
    # A mask of zeros leaves the payload as it is.
    return head + (b"\0\0\0\0" if mask else b"") + payload


def until_closed(connection: ClientConnection) -> tuple[list[Any], int | None]:
    """Read to the end; return the messages and the close code."""
    messages: list[Any] = []
    try:
        while True:
            messages.append(json.loads(connection.recv(timeout=10)))
    except websockets.exceptions.ConnectionClosed as closed:
        return messages, closed.rcvd.code if closed.rcvd else None


UPGRADE = (
    b"GET /ws HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


def raw_websocket(server: Server, frames: bytes) -> int | None:
    """Upgrade and send frames in one go; return the close code that the server answers with."""
    with server.socket() as client:
        client.sendall(UPGRADE + b"\r\n" + frames)
        head, _, rest = read_all(client).partition(b"\r\n\r\n")
    assert status(head) == 101
    while rest:
        size, opcode = rest[1], rest[0] & 0x0F
        start = 2
        if size == 126:
            size, start = int.from_bytes(rest[2:4], "big"), 4
        if opcode == 8:
            return int.from_bytes(rest[start : start + 2], "big") if size else None
        rest = rest[start + size :]
    return None
