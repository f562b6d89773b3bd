"""However a client's bytes come, and whoever reads their frames: the same is heard, and the same code closes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st
from support.abuse import frame
from support.frames import FRAMES, NothingPlain, hear, masked
from websockets.frames import Frame, Opcode

from simplestchat._native.io.cutter import Cutter


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


@given(st.binary(max_size=70_000))
def test_a_client_of_the_websockets_library_is_understood(payload: bytes) -> None:
    cutter = Cutter()
    data = Frame(Opcode.TEXT, payload).serialize(mask=True, extensions=[])
    cutter.feed(data)
    read_here = len(payload) < 1 << 16
    assert cutter.piece(True) == ((payload, True) if read_here else (data, False))
    assert cutter.piece(True) is None


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
