from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest
import trio
import trio.testing

from simplestchat.errors import MediaFull, MediaMisuse, MediaRejected, MediaUnavailable
from simplestchat.media import wire
from simplestchat.media.channel import REQUEST_TIMEOUT_S, ControlChannel
from simplestchat.media.wire import FAILURE, REPLY, ChannelError, FrameReader, Stats, TransportStats

Answer = Callable[[list[Any]], list[object] | None]


def play(answer: Answer, scene: Callable[[ControlChannel], Awaitable[None]], events: list[Any] | None = None) -> None:
    """Run a scene against a worker that answers each request as told; None: not at all."""

    async def main() -> None:
        ours, theirs = trio.testing.memory_stream_pair()

        async def worker() -> None:
            reader = FrameReader()
            while data := await theirs.receive_some():
                for request in reader.feed(bytes(data)):
                    if (message := answer(request)) is not None:
                        await theirs.send_all(wire.frame(msgspec.msgpack.encode(message)))
            await theirs.aclose()

        collected = events if events is not None else []
        channel = ControlChannel(ours, FrameReader(), collected.append)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(worker)
            nursery.start_soon(channel.run)
            await scene(channel)
            nursery.cancel_scope.cancel()

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0.1))


def test_answers_find_their_requests_whatever_their_order() -> None:
    held: list[list[Any]] = []

    def answer(request: list[Any]) -> list[object] | None:
        held.append(request)
        return [REPLY, request[0], request[2]["id"]] if len(held) % 2 == 0 else None

    async def scene(channel: ControlChannel) -> None:
        with trio.move_on_after(1) as waiting:
            await channel.request(TransportStats(1))
        assert waiting.cancelled_caught
        assert await channel.request(TransportStats(2)) == 2

    play(answer, scene)
    assert [request[1:] for request in held] == [["transport_stats", {"id": 1}], ["transport_stats", {"id": 2}]]


@pytest.mark.parametrize(
    ("code", "error"),
    [("peer", MediaRejected), ("misuse", MediaMisuse), ("internal", MediaUnavailable), ("new", MediaUnavailable)],
)
def test_failures_become_errors_by_whose_fault_it_is(code: str, error: type[Exception]) -> None:
    async def scene(channel: ControlChannel) -> None:
        with pytest.raises(error) as raised:
            await channel.request(Stats())
        assert ("details" in str(raised.value)) is (code in ("peer", "misuse"))

    play(lambda request: [FAILURE, request[0], {"code": code, "message": "details"}], scene)


def test_a_worker_that_does_not_answer_is_unavailable_in_time() -> None:
    async def scene(channel: ControlChannel) -> None:
        began = trio.current_time()
        with pytest.raises(MediaUnavailable):
            await channel.request(Stats())
        assert trio.current_time() - began == pytest.approx(REQUEST_TIMEOUT_S, abs=0.2)

    play(lambda request: None, scene)


@pytest.mark.parametrize("message", [[], [9], [REPLY], [REPLY, "x", 1], [FAILURE, 1, "oops"], ["x", 1, 2]])
def test_a_worker_that_breaks_the_rules_ends_its_channel(message: list[object]) -> None:
    async def main() -> None:
        ours, theirs = trio.testing.memory_stream_pair()
        channel = ControlChannel(ours, FrameReader(), lambda event: None)
        await theirs.send_all(wire.frame(msgspec.msgpack.encode(message)))
        with pytest.RaisesGroup(ChannelError):
            await channel.run()
        with pytest.raises(MediaUnavailable):
            await channel.request(Stats())

    trio.run(main)


def test_events_are_handed_on_in_order() -> None:
    events: list[Any] = []

    async def main() -> None:
        ours, theirs = trio.testing.memory_stream_pair()
        channel = ControlChannel(ours, FrameReader(), events.append)
        for number in range(5):
            await theirs.send_all(wire.frame(msgspec.msgpack.encode([2, "levels", [[number, 1]]])))
        await theirs.aclose()
        await channel.run()

    trio.run(main)
    assert events == [["levels", [[number, 1]]] for number in range(5)]


def test_what_is_full_is_a_quota_and_not_a_fault_of_ours() -> None:
    def answer(request: list[Any]) -> list[object] | None:
        return [FAILURE, request[0], {"code": "limit", "message": "transport 7 takes no more consumers"}]

    async def scene(channel: ControlChannel) -> None:
        with pytest.raises(MediaFull) as caught:
            await channel.request(TransportStats(1))
        assert caught.value.reason == "quota"

    play(answer, scene)


def test_what_is_told_comes_behind_and_its_answer_is_ignored() -> None:
    heard: list[list[Any]] = []

    def answer(request: list[Any]) -> list[object]:
        heard.append(request[1:])
        return [REPLY, request[0], "fine"]

    async def scene(channel: ControlChannel) -> None:
        channel.tell(TransportStats(1))
        assert await channel.request(TransportStats(2)) == "fine"
        assert [parameters["id"] if isinstance(parameters, dict) else parameters for _, parameters in heard] == [1, 2]

    play(answer, scene)
