"""The line between a coordinator and one generator: whole messages, in order, over a pipe or Redis."""

from __future__ import annotations

import struct
from collections.abc import AsyncIterator
from typing import Protocol

import msgspec
import trio

from simplestchat.load.messages import Assign, Clock, Epoch, Failed, Finished, Ready, Sample, Start, Stop

AnyMessage = Assign | Ready | Clock | Start | Epoch | Stop | Sample | Finished | Failed
MAX_MESSAGE_BYTES = 64 * 1024 * 1024  # a `Finished` of thousands of users; more is a bug
_LENGTH = struct.Struct(">I")
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(AnyMessage)


class LinkClosed(Exception):
    """The other end is gone, or said what is no message; the line is of no more use."""


class Link(Protocol):
    """One end of the line. ``send`` and ``receive`` may run at the same time, each in one task."""

    async def send(self, message: AnyMessage) -> None:
        """Pass a message on; returns when it is on its way. Raises ``LinkClosed``."""

    async def receive(self) -> AnyMessage:
        """Wait for the next message. Raises ``LinkClosed`` when no more will come."""


class StreamLink:
    """A link over two streams, such as a pipe each way: 4-byte big-endian length, then msgpack."""

    def __init__(self, outgoing: trio.abc.SendStream, incoming: trio.abc.ReceiveStream) -> None:
        self._outgoing = outgoing
        self._incoming = incoming
        self._buffer = bytearray()

    async def send(self, message: AnyMessage) -> None:
        """See ``Link.send``."""
        body = encode(message)
        try:
            await self._outgoing.send_all(_LENGTH.pack(len(body)) + body)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            raise LinkClosed("the other end of the link is gone") from None

    async def receive(self) -> AnyMessage:
        """See ``Link.receive``."""
        (length,) = _LENGTH.unpack(await self._take(_LENGTH.size))
        if length > MAX_MESSAGE_BYTES:
            raise LinkClosed(f"a message of {length} bytes is too long for a link")
        return decode(await self._take(length))

    async def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            try:
                data = await self._incoming.receive_some(65536)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                data = b""
            if not data:
                raise LinkClosed("the other end of the link is gone")
            self._buffer += data
        body = bytes(self._buffer[:size])
        del self._buffer[:size]
        return body

    async def aclose(self) -> None:
        """Close both streams."""
        await self._outgoing.aclose()
        await self._incoming.aclose()


def encode(message: AnyMessage) -> bytes:
    """One message as msgpack; raises ``LinkClosed`` when it is larger than any may be."""
    body = _ENCODER.encode(message)
    if len(body) > MAX_MESSAGE_BYTES:
        raise LinkClosed(f"a message of {len(body)} bytes is too long for a link")
    return body


def decode(body: bytes) -> AnyMessage:
    """The message in msgpack; raises ``LinkClosed`` when it is none of ours."""
    try:
        message: AnyMessage = _DECODER.decode(body)
    except msgspec.DecodeError as error:
        raise LinkClosed(f"what came over the link is no message: {error}") from None
    return message


async def messages(link: Link) -> AsyncIterator[AnyMessage]:
    """Everything that comes, until the other end is gone."""
    while True:
        try:
            message = await link.receive()
        except LinkClosed:
            return
        yield message
