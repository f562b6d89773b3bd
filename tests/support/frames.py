"""What WebSocket clients may send, masked well and badly, and what is heard of it by a connection that is read by a
task of its own; it may leave every frame to the protocol of `websockets`.
"""

from __future__ import annotations

import trio
from hypothesis import strategies as st
from support.abuse import UPGRADE, frame

from simplestchat._native.io.cutter import Cutter
from simplestchat.server.outbox import Outbox
from simplestchat.server.websocket import WebSocket

HEADERS = [tuple(line.lower().split(b": ", 1)) for line in UPGRADE.strip().split(b"\r\n")[1:]]


def masked(payload: bytes, mask: bytes = b"\x01\xf2\x03\x80") -> bytes:
    """A text frame under a real mask."""
    hidden = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    whole = frame(1, hidden)
    return whole[: len(whole) - len(hidden) - 4] + mask + hidden


TEXTS = st.one_of(st.binary(max_size=300), st.sampled_from([b"", b"x" * 125, b"x" * 126, b"x" * 65535, b"x" * 65536]))
FRAMES = st.one_of(
    TEXTS.map(masked),
    st.text(max_size=20).map(lambda text: masked(text.encode())),
    st.text(max_size=20).map(lambda text: masked(text.encode())),
    st.builds(lambda op, fin: frame(op, b"part", fin=fin), st.sampled_from([0, 1, 2]), st.booleans()),
    st.sampled_from([frame(9, b"hi"), frame(10, b""), frame(8, (1000).to_bytes(2, "big")), frame(8, b"")]),
    st.sampled_from([frame(1, b"rsv", rsv=4), frame(1, b"bare", mask=False), frame(3, b""), frame(9, b"x" * 126)]),
    st.sampled_from([b"\x81\xfe\x00\x03\0\0\0\0odd", b"\x81\xff" + b"\xff" * 8 + b"\0\0\0\0huge"]),
    st.binary(max_size=12),
)


class Arrivals:
    """A stream on which these bytes come, one chunk after the other."""

    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await trio.lowlevel.checkpoint()
        return self.chunks.pop(0) if self.chunks else b""

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()


class Listening:
    """A session that says nothing."""

    peer = None

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def handle(self, text: str) -> None:
        self.heard.append(text)


class NothingPlain(Cutter):
    """Leaves every frame to the protocol."""

    def piece(self, plain: bool) -> tuple[bytes, bool] | None:
        return super().piece(False)


def hear(chunks: list[bytes], cutter: Cutter) -> tuple[list[str], tuple[int, str] | None]:
    """What is heard of these bytes, and how the connection is closed."""
    outbox, session = Outbox(10_000, 10_000_000), Listening()

    async def main() -> None:
        websocket = WebSocket(Arrivals(list(chunks)), outbox, 100)
        websocket._cutter = cutter
        assert await websocket.accept(b"/ws", HEADERS, b"")
        await websocket.run(session)

    trio.run(main)
    return session.heard, outbox.closing
