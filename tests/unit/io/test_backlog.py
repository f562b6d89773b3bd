"""What waits for a full socket: order, bounds, and who gives way to whom."""

from __future__ import annotations

import struct

from hypothesis import given, settings
from hypothesis import strategies as st

from simplestchat._native.testing.probe_udp import BACKLOG_BYTES, BACKLOG_PACKETS, Waiting

ADDRESSES = [("10.0.0.1", 5000 + i, "10.0.0.9", 4000) for i in range(3)]
CONTROL, AUDIO, VIDEO = 0, 1, 2


def packet(
    kind: int, viewer: int, frame: int, number: int, size: int = 1100
) -> tuple[bytes, tuple[str, int, str, int], bool]:
    """The number stands behind the RTP header, or what looks like one."""
    data = struct.pack("!BBHIII", 0x80, 96, number & 0xFFFF, frame, kind, number)
    return data + bytes(max(0, size - len(data))), ADDRESSES[viewer], kind == VIDEO


def numbers(waiting: Waiting) -> list[int]:
    return [struct.unpack_from("!I", data, 12)[0] for data in waiting.waiting()]


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("sent"), st.integers(1, 400)),
        st.tuples(st.sampled_from([CONTROL, AUDIO, VIDEO]), st.integers(1, 600)),
    ),
    min_size=5,
    max_size=60,
)


@given(steps=STEPS, size=st.integers(20, 1500))
@settings(max_examples=60, deadline=None)
def test_it_is_bounded_in_order_and_counts_all(steps: list[tuple[int | str, int]], size: int) -> None:
    waiting = Waiting()
    pushed = sent = 0
    for kind, count in steps:
        before = numbers(waiting)
        if kind == "sent":
            taken = min(count, len(before))
            waiting.sent(taken)
            sent += taken
            assert numbers(waiting) == before[taken:]
            continue
        for _ in range(count):
            waiting.push(packet(int(kind), pushed % 3, pushed // 10, pushed, size))
            pushed += 1
        held = numbers(waiting)
        assert held == sorted(set(held))
        assert len(held) <= BACKLOG_PACKETS
        assert sum(map(len, waiting.waiting())) <= BACKLOG_BYTES
        assert len(held) + sent + waiting.counters["dropped_send"] == pushed
        assert waiting.waits == bool(held)


def test_whole_frames_go_oldest_first_and_their_rest_is_not_taken() -> None:
    waiting = Waiting()
    number = 0
    while not waiting.counters["frames_dropped"]:
        waiting.push(packet(VIDEO, 0, number // 10, number))
        number += 1
    left = {n // 10 for n in numbers(waiting)}
    gone = waiting.counters["frames_dropped"]
    assert left == set(range(gone, (number - 1) // 10 + 1))
    held = numbers(waiting)
    waiting.push(packet(VIDEO, 0, 0, 900_000))  # what still comes of the first frame
    assert numbers(waiting) == held
    waiting.push(packet(VIDEO, 1, 0, 900_001))  # the same frame on its way to somebody else
    assert numbers(waiting)[-1] == 900_001


def test_video_gives_way_to_sound() -> None:
    waiting = Waiting()
    number = 0
    for _ in range(BACKLOG_PACKETS):
        waiting.push(packet(AUDIO if number % 4 == 0 else VIDEO, 0, number // 10, number))
        number += 1
    for _ in range(BACKLOG_PACKETS // 4):
        waiting.push(packet(AUDIO, 0, number, number))
        number += 1
    held = numbers(waiting)
    sounds = [n for n in range(number) if n >= BACKLOG_PACKETS or n % 4 == 0]
    assert [n for n in held if n in set(sounds)] == sounds


def test_video_is_refused_where_only_sound_waits() -> None:
    waiting = Waiting()
    number = 0
    while number < BACKLOG_PACKETS:
        waiting.push(packet(AUDIO, 0, number, number, 200))
        number += 1
    before = numbers(waiting)
    waiting.push(packet(VIDEO, 0, 7, number, 200))
    assert numbers(waiting) == before
    assert waiting.counters["frames_dropped"] == 1
    waiting.push(packet(AUDIO, 0, 7, number + 1, 200))  # sound displaces sound
    assert numbers(waiting)[-1] == number + 1
    assert numbers(waiting)[0] > 0
