"""Transport-wide feedback to publishers: what came is told with its time, and what did not, within bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.testing.probe_arrival import NEVER_US, RING, ArrivalLog
from simplestchat._native.testing.probe_rtcp import rtcp_parse

TICK_US = 250
MS = 1000


def told(feedbacks: list[bytes]) -> dict[int, int | None]:
    """Number to arrival, as the publisher learns it; a later word counts."""
    known: dict[int, int | None] = {}
    for data in feedbacks:
        (view,) = rtcp_parse(data)
        for place, arrival in enumerate(view["arrivals"]):
            known[(view["base_seq"] + place) & 0xFFFF] = arrival
    return known


def test_a_feedback_is_due_a_tenth_of_a_second_after_the_last() -> None:
    log = ArrivalLog()
    assert log.due_us() == NEVER_US
    log.note(5, 1000 * MS)
    assert log.due_us() == 1000 * MS
    log.write(1000 * MS)
    assert log.due_us() == NEVER_US
    log.note(6, 1010 * MS)
    assert log.due_us() == 1100 * MS


def test_many_packets_make_it_due_sooner() -> None:
    log = ArrivalLog()
    log.note(0, 1000 * MS)
    log.write(1000 * MS)
    for number in range(1, 40):
        log.note(number, 1001 * MS)
    assert log.due_us() == 1050 * MS


@given(
    st.integers(0, 0xFFFF),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 20_000), st.booleans()), min_size=1, max_size=400),
)
def test_everything_is_told_once_the_last_feedback_left(first: int, steps: list[tuple[int, int, bool]]) -> None:
    """Steps: how many numbers on, how long after the one before, and whether a feedback leaves behind it."""
    log = ArrivalLog()
    number, now = first, 1_000_000
    came: dict[int, int] = {}
    feedbacks: list[bytes] = []
    for step, pause, flush in steps:
        number, now = number + step, now + pause
        log.note(number & 0xFFFF, now)
        came.setdefault(number & 0xFFFF, now)
        if flush:
            feedbacks += log.write(now)
    feedbacks += log.write(now)
    known = told(feedbacks)
    wrap = 2**24 * 64_000
    for each, at in came.items():
        arrival = known[each]
        assert arrival is not None
        assert abs((arrival - at + wrap // 2) % wrap - wrap // 2) <= TICK_US
    lost = {n & 0xFFFF for n in range(first + steps[0][0], number + 1)} - set(came)
    assert all(known.get(each) is None for each in lost)
    assert all(each in known for each in lost)
    assert log.write(now) == []


def test_what_comes_late_is_told_again() -> None:
    log = ArrivalLog()
    for number in (10, 11, 13):
        log.note(number, 1000 * MS)
    assert told(log.write(1100 * MS))[12] is None
    log.note(12, 1110 * MS)
    again = told(log.write(1200 * MS))
    assert again[12] == 1110 * MS
    assert again[13] == 1000 * MS


def test_repeats_and_what_is_older_than_the_ring_change_nothing() -> None:
    log = ArrivalLog()
    log.note(0, 1000 * MS)
    log.note(RING, 1001 * MS)
    log.write(1100 * MS)
    log.note(0, 1200 * MS)
    assert log.due_us() == NEVER_US
    log.note(RING, 1300 * MS)
    assert log.write(1400 * MS) == []


def test_a_jump_begins_anew() -> None:
    log = ArrivalLog()
    log.note(0, 1000 * MS)
    log.note(20_000, 1001 * MS)
    assert told(log.write(1100 * MS)) == {20_000: 1001 * MS}


def test_arrivals_far_apart_are_told_in_several_feedbacks() -> None:
    log = ArrivalLog()
    log.note(1, 1_000 * MS)
    log.note(2, 20_000 * MS)
    assert told(log.write(20_100 * MS)) == {1: 1_000 * MS, 2: 20_000 * MS}


@given(st.lists(st.integers(0, 0xFFFF), max_size=300), st.integers(60, 1100))
def test_any_numbers_are_told_in_datagrams_that_fit(numbers: list[int], cap: int) -> None:
    log = ArrivalLog()
    for number in numbers:
        log.note(number, 1_000_000)
    feedbacks = log.write(1_000_000, cap)
    assert all(len(data) <= cap for data in feedbacks)
    if numbers:
        assert any(arrival is not None for arrival in told(feedbacks).values())
