"""Frames out of bytes, however they are cut; what is no plain text frame is the protocol's."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from simplestchat.load.lines import MAX_MESSAGE_BYTES, Line, Lines


class Wire:
    """A line, and the server's end of its socket."""

    def __init__(self) -> None:
        here, self.there = socket.socketpair()
        here.setblocking(False)
        self.there.setblocking(False)
        self.messages: list[bytes] = []
        self.lost: list[str] = []
        self.lines = Lines(lambda error: None)
        protocol = ClientProtocol(parse_uri("ws://127.0.0.1/ws"), state=OPEN, max_size=MAX_MESSAGE_BYTES)
        self.line = Line(self.lines, here, protocol, self.messages.append, self.lost.append)

    def sent(self) -> bytes:
        try:
            return self.there.recv(65536)
        except BlockingIOError:
            return b""

    def close(self) -> None:
        self.line.drop()
        self.there.close()
        self.lines.close()


def frame(opcode: Opcode, data: bytes, *, fin: bool = True) -> bytes:
    return Frame(opcode, data, fin).serialize(mask=False)


def feed(pieces: Sequence[bytes]) -> Wire:
    wire = Wire()
    for piece in pieces:
        wire.line.received(piece)
    return wire


SIZES = st.sampled_from([0, 1, 125, 126, 127, 65535, 65536, 70000])


@given(st.lists(SIZES, min_size=1, max_size=4), st.lists(st.integers(0, 200_000), max_size=6))
def test_messages_come_whole_however_they_are_cut(sizes: list[int], cuts: list[int]) -> None:
    sent = [bytes([65 + number % 26]) * size for number, size in enumerate(sizes)]
    data = b"".join(frame(Opcode.TEXT, one) for one in sent)
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    wire = feed([data[a:b] for a, b in itertools.pairwise(places)])
    assert wire.messages == sent
    wire.close()


@given(st.lists(st.sampled_from(["text", "ping", "fragments"]), max_size=6), st.integers(1, 7))
def test_pings_are_answered_and_fragments_joined_between_messages(kinds: list[str], step: int) -> None:
    data, wanted = b"", []
    for number, kind in enumerate(kinds):
        text = f"message {number}".encode()
        if kind == "ping":
            data += frame(Opcode.PING, b"")
            continue
        wanted.append(text)
        if kind == "text":
            data += frame(Opcode.TEXT, text)
        else:
            data += frame(Opcode.TEXT, text[:3], fin=False) + frame(Opcode.PING, b"x") + frame(Opcode.CONT, text[3:])
    wire = feed([data[at : at + step] for at in range(0, len(data), step)])
    assert wire.messages == wanted
    assert wire.sent().count(b"\x8a") >= min(1, sum(kind != "text" for kind in kinds))
    wire.close()


@pytest.mark.parametrize(
    "data",
    [
        b"\x81\x7f" + (MAX_MESSAGE_BYTES + 1).to_bytes(8, "big") + b"x",  # too large
        b"\x81\x81\0\0\0\0x",  # masked
        b"\xf1\x01x",  # reserved bits
        b"\x8f\x00",  # no such opcode
        frame(Opcode.CLOSE, (1001).to_bytes(2, "big")),
    ],
)
def test_what_cannot_be_ends_the_line(data: bytes) -> None:
    wire = feed([data])
    assert not wire.messages
    assert not wire.line.is_open
    wire.line.received(b"")
    wire.close()


def test_what_the_socket_does_not_take_is_sent_later() -> None:
    wire = Wire()
    wire.lines._epoll.register(wire.line._sock.fileno(), 1)  # type: ignore[union-attr]
    text = b"y" * 3_000_000
    wire.line.send(text)
    got = b""
    while len(got) < len(text):
        got += wire.sent()
        wire.line.ready(4)
    assert len(got) > len(text)
    wire.lines._epoll.unregister(wire.line._sock.fileno())  # type: ignore[union-attr]
    wire.close()
