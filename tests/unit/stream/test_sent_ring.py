"""What a consumer remembers of the packets it sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.testing.probe_stream import SENT_MAX_RESENDS, SENT_MIN_GAP_US, SentRing


@given(st.sampled_from([0, 1, 2**15, 2**16 - 20, 2**32 - 20, 2**47]), st.lists(st.integers(1, 9), max_size=100))
def test_agrees_with_a_dict(first: int, jumps: list[int]) -> None:
    ring = SentRing(60)  # 64 slots
    model: dict[int, tuple[int, int, int, int]] = {}
    out = first
    for step, jump in enumerate(jumps):
        ring.put(out, step % 3, out + 1000, step)
        model = {index: entry for index, entry in model.items() if index % 64 != out % 64}
        model[out] = (out, step % 3, out + 1000, step)
        newest, out = out, out + jump
        for wanted in range(max(0, newest - 80), newest + 1):
            assert ring.find(wanted & 0xFFFF, newest + 1) == model.get(wanted)


def test_what_was_never_handed_out_is_not_found() -> None:
    ring = SentRing(8)
    assert ring.find(0, 0) is None
    ring.put(5, 0, 5, 0)
    assert ring.find(6, 6) is None
    assert ring.find(5, 6) is not None
    assert ring.find(4, 6) is None
    assert ring.find(65535, 6) is None, "would lie before the first index of all"


def test_a_sequence_means_its_newest_lap() -> None:
    ring = SentRing(65536 * 2)
    ring.put(7, 0, 1, 0)
    ring.put(65536 + 7, 0, 2, 0)
    assert ring.find(7, 65536 + 8) == (65536 + 7, 0, 2, 0)
    assert ring.find(7, 65536 + 7) == (7, 0, 1, 0)


@pytest.mark.parametrize("rtt", [0, 5_000, 80_000])
def test_resends_are_spaced_and_counted(rtt: int) -> None:
    ring = SentRing(8)
    ring.put(1, 0, 1, 0)
    gap = max(SENT_MIN_GAP_US, rtt * 7 // 8)
    allowed = [now for now in range(0, 3_000_000, 1000) if ring.may_resend(1, 2, now, rtt)]
    assert allowed == [gap * i for i in range(SENT_MAX_RESENDS)]


def test_a_new_packet_in_the_slot_starts_over() -> None:
    ring = SentRing(1)
    ring.put(1, 0, 1, 0)
    assert ring.may_resend(1, 2, 0)
    assert not ring.may_resend(1, 2, 0)
    ring.put(2, 0, 2, 0)
    assert ring.may_resend(2, 3, 0)


def test_the_ring_grows_while_it_would_forget_what_is_young() -> None:
    slow, fast = SentRing(512), SentRing(512)
    assert slow.memory() == fast.memory() == 0
    first = fast.put(0, 0, 0, 0, 0)
    assert first == fast.memory() > 0
    gained = sum(fast.put(number, 0, number, 0, number * 5_000) for number in range(1, 2000))
    assert fast.memory() == first + gained
    for number in range(2000):
        slow.put(number, 0, number, 0, number * 50_000)
    assert fast.memory() == 8 * slow.memory(), "200 a second fill it, 20 a second take 64 slots"
    assert all(fast.find(number & 0xFFFF, 2000) for number in range(2000 - 400, 2000))
    assert all(slow.find(number & 0xFFFF, 2000) for number in range(2000 - 40, 2000))


def test_growing_forgets_nothing() -> None:
    ring = SentRing(256)
    for number in range(256):
        ring.put(1000 + number, number % 3, number, number)
        assert ring.may_resend(1000 + number, 1001 + number, 0)
        for known in range(number + 1):
            assert ring.find(1000 + known, 1001 + number) == (1000 + known, known % 3, known, known)
    assert not ring.may_resend(1000, 1256, 10_000), "it was sent again just now"
