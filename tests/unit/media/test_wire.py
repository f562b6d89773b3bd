from __future__ import annotations

import inspect

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.engine.shard import Shard
from simplestchat.media import wire
from simplestchat.model.media import MediaPort


@given(st.lists(st.lists(st.one_of(st.integers(0, 1 << 32), st.text()), max_size=5), max_size=10), st.data())
def test_messages_survive_any_cut(messages: list[list[int | str]], data: st.DataObject) -> None:
    stream = b"".join(wire.frame(msgspec.msgpack.encode(message)) for message in messages)
    reader, found, start = wire.FrameReader(), [], 0
    while start < len(stream):
        end = data.draw(st.integers(start + 1, len(stream)))
        found += reader.feed(stream[start:end])
        start = end
    assert found == messages


@pytest.mark.parametrize(
    "stream",
    [
        b"\xff\xff\xff\xff",
        (wire.MAX_MESSAGE_BYTES + 1).to_bytes(4, "big"),
        b"\0\0\0\x01\xc1",
        b"\0\0\0\x01\x80",
        b"\0\0\0\0",
    ],
)
def test_broken_streams_are_refused(stream: bytes) -> None:
    with pytest.raises(wire.ChannelError):
        wire.FrameReader().feed(stream)


def test_a_message_that_is_too_long_is_not_sent() -> None:
    with pytest.raises(wire.ChannelError):
        wire.frame(bytes(wire.MAX_MESSAGE_BYTES + 1))


def test_every_call_is_a_method_of_the_shard_with_its_parameters_in_order() -> None:
    for name, call in wire.CALLS.items():
        method = getattr(Shard, name)
        assert list(inspect.signature(method).parameters)[1:] == list(call.__struct_fields__), name


def test_every_method_of_the_port_has_its_call() -> None:
    port = {name for name in vars(MediaPort) if not name.startswith("_")} - {"open_room", "close_room", "hold_producer"}
    assert port == set(wire.CALLS) - {"stats", "create_pipe", "pipe_producer", "set_wanted"}
