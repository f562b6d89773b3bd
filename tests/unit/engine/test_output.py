"""The output queue: packets are sealed together, leave in their order, and none leaves unsealed."""

from __future__ import annotations

import pytest

from simplestchat._native.testing.probe_crypto import SUITES, Srtp, srtp_sizes
from simplestchat._native.testing.probe_output import OUT_PACKETS, Output

SSRC = 9
EVERY_SUITE = pytest.mark.parametrize("suite", SUITES)


def queue_and_receiver(suite: int) -> tuple[Output, Srtp]:
    key_size, salt_size, _tag = srtp_sizes(suite)
    key, salt = bytes(range(key_size)), bytes(range(salt_size))
    return Output(suite, key, salt), Srtp(suite, key, salt)


def payload(index: int) -> bytes:
    return index.to_bytes(4, "big") * 50


def opened(queue: Output, receiver: Srtp) -> list[bytes]:
    return [receiver.unprotect(packet)[12:] for _, packet in queue.ready()]


@EVERY_SUITE
def test_a_noted_packet_is_not_there_until_it_is_sealed(suite: int) -> None:
    queue, receiver = queue_and_receiver(suite)
    for index in range(OUT_PACKETS):
        queue.note(SSRC, index, payload(index))
        assert queue.ready() == []
        assert queue.room == OUT_PACKETS - index - 1
    queue.seal()
    assert opened(queue, receiver) == [payload(index) for index in range(OUT_PACKETS)]
    queue.clear()
    assert (queue.room, queue.unsealed) == (OUT_PACKETS, 0)


@EVERY_SUITE
def test_it_has_the_size_that_was_told_and_lies_behind_the_one_before(suite: int) -> None:
    queue, _ = queue_and_receiver(suite)
    sizes = [queue.note(SSRC, index, bytes(index)) for index in range(100)]
    queue.seal()
    end = 0
    for (place, packet), size in zip(queue.ready(), sizes, strict=True):
        assert (place, len(packet)) == (end, size)
        end += size


def test_what_is_committed_behind_a_noted_packet_leaves_behind_it() -> None:
    queue, receiver = queue_and_receiver(SUITES[1])
    queue.commit(b"first")
    queue.note(SSRC, 1, payload(1))
    queue.commit(b"third")
    queue.note(SSRC, 2, payload(2))
    queue.seal()
    packets = [packet for _, packet in queue.ready()]
    assert packets[0::2] == [b"first", b"third"]
    assert [receiver.unprotect(packet)[12:] for packet in packets[1::2]] == [payload(1), payload(2)]


@EVERY_SUITE
def test_a_packet_that_cannot_be_sealed_never_leaves(suite: int) -> None:
    queue, receiver = queue_and_receiver(suite)
    queue.commit(b"answer")
    queue.break_fragile()
    for index in range(20):
        queue.note(SSRC, index, payload(index), fragile=index % 3 == 0)
    queue.seal()
    kept = [index for index in range(20) if index % 3]
    (_, answer), *packets = queue.ready()
    assert answer == b"answer"
    assert [receiver.unprotect(packet)[12:] for _, packet in packets] == [payload(index) for index in kept]
    assert queue.unsealed == 20 - len(kept)
    # The hole is seen, so that what lies in it becomes no part of a train.
    places = dict(zip(kept, (place for place, _ in packets), strict=True))
    size = len(packets[0][1])
    assert all(places[index] == len(answer) + index * size for index in kept)
