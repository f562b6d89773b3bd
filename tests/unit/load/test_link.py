"""Messages between a coordinator and a generator: whole, in order, and refused when they are none."""

from __future__ import annotations

import pytest
import trio
import trio.testing
from support.intrio import in_trio

from simplestchat.load.link import AnyMessage, LinkClosed, StreamLink, decode, messages
from simplestchat.load.messages import Assign, Clock, Failed, Start
from simplestchat.load.scenario import Scenario

ASSIGN = Assign(run="abc", scenario=Scenario(name="x"), seed=3, url="http://127.0.0.1:1", part=0, parts=2)


def pair() -> tuple[StreamLink, StreamLink]:
    ours, theirs = trio.testing.memory_stream_pair()
    return StreamLink(ours, ours), StreamLink(theirs, theirs)


@in_trio
async def test_messages_arrive_whole_and_in_order() -> None:
    ours, theirs = pair()
    sent: list[AnyMessage] = [ASSIGN, Clock(asked_us=5), Start(at_us=7), Failed(part=1, reason="no sockets")]
    for one in sent:
        await ours.send(one)
    await ours.aclose()
    assert [one async for one in messages(theirs)] == sent


@in_trio
async def test_an_end_in_the_middle_of_a_message_closes_the_link() -> None:
    stream, other = trio.testing.memory_stream_pair()
    await stream.send_all(b"\0\0\0\7abc")
    await stream.aclose()
    with pytest.raises(LinkClosed):
        await StreamLink(other, other).receive()


@in_trio
async def test_a_length_over_the_cap_is_not_waited_for() -> None:
    stream, other = trio.testing.memory_stream_pair()
    await stream.send_all(b"\xff\xff\xff\xff")
    with pytest.raises(LinkClosed, match="too long"):
        await StreamLink(other, other).receive()


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x80", b"\x81\xa4type\xa4Nope"])
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(LinkClosed):
        decode(body)


@in_trio
async def test_sending_to_a_gone_end_says_so() -> None:
    ours, theirs = pair()
    await theirs.aclose()
    with pytest.raises(LinkClosed):
        await ours.send(Clock(asked_us=1))
