"""However a client's bytes come, and whoever reads their frames: the same is heard, and the same code closes."""

from __future__ import annotations

from itertools import pairwise

import trio
from hypothesis import example, given
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


@example([frame(1, b"a", fin=False), masked(b"b")], [])
@example([masked(b"a"), frame(1, b"b", fin=False), frame(9, b""), frame(0, b"c"), masked(b"d")], [3, 9, 20])
@example([masked(b"a"), frame(8, b""), masked(b"b")], [])
@example([masked(b"\xff"), masked(b"b")], [4])
@example([frame(1, b"a", mask=False), masked(b"b")], [])
@given(st.lists(FRAMES, max_size=8), st.lists(st.integers(0, 2000), max_size=12))
def test_cuts_change_nothing(frames: list[bytes], cuts: list[int]) -> None:
    data = b"".join(frames)
    marks = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    chunks = [data[begin:end] for begin, end in pairwise(marks)]
    expected = hear([data] if data else [], NothingPlain())
    assert hear(chunks, NothingPlain()) == expected
    assert hear(chunks, Cutter()) == expected
    assert hear([data] if data else [], Cutter()) == expected


def test_whole_plain_text_is_read_here_and_nothing_else() -> None:
    cutter = Cutter()
    data = masked(b"one") + frame(9, b"hi") + masked(b"two") + masked(b"three")
    cutter.feed(data[:-1])
    assert cutter.piece(plain=True) == (b"one", True)
    assert cutter.piece(plain=True) == (frame(9, b"hi"), False)
    assert cutter.piece(plain=False) == (masked(b"two"), False)
    assert cutter.piece(plain=True) == (masked(b"three")[:-1], False)
    assert cutter.piece(plain=True) is None
    cutter.feed(data[-1:] + masked(b"four") + b"\x81\xfe\x01")
    assert cutter.piece(plain=True) == (data[-1:], False)
    assert cutter.piece(plain=True) == (b"four", True)
    assert cutter.piece(plain=True) is None, "a header that is not whole says nothing"
