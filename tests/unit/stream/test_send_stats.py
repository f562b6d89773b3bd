"""Sender reports on the source's clock, round trips, and the index allocator."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.testing.probe_stream import SendStats, ntp_add


@given(st.integers(0, 2**64 - 1), st.integers(-(10**13), 10**13))
def test_ntp_add(ntp: int, elapsed: int) -> None:
    exact = (ntp + elapsed * 2**32 // 10**6) % 2**64
    assert (ntp_add(ntp, elapsed) - exact) % 2**64 in (0, 1, 2**64 - 1)


@given(st.integers(0, 2**64 - 1))
def test_the_first_index_is_below_two_to_the_fifteenth(first: int) -> None:
    assert SendStats(1, 90000, first).allocate() == first % 2**15


def test_indices_only_grow() -> None:
    send = SendStats(1, 90000, 32767)
    assert [send.allocate() for _ in range(70000)] == list(range(32767, 32767 + 70000))


@given(
    st.sampled_from([48000, 90000]),
    st.integers(0, 2**64 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 2**32 - 1),
    st.integers(0, 10**10),
)
def test_a_sender_report_goes_on_from_the_sources(rate: int, ntp: int, rtp: int, offset: int, elapsed: int) -> None:
    send = SendStats(9, rate, 1)
    for size in (100, 200):
        send.packet(size)
    report = send.sender_report(ntp, rtp, 5_000, offset, 5_000 + elapsed)
    assert report[0] == 9
    assert report[1] == ntp_add(ntp, elapsed)
    assert report[2] == (rtp - offset + elapsed * rate // 10**6) % 2**32
    assert report[3:] == (2, 300)


@given(st.integers(0, 2**64 - 1), st.integers(10**6, 10**9), st.integers(0, 5_000_000), st.integers(0, 5_000_000))
def test_round_trip_time(ntp: int, sent: int, hold: int, rtt: int) -> None:
    send = SendStats(1, 90000, 1)
    lsr = (ntp_add(ntp, sent) >> 16) & 0xFFFFFFFF
    send.receiver_report(lsr, hold * 65536 // 10**6, ntp_add(ntp, sent + hold + rtt), sent + hold + rtt)
    measured = send.reported()[3]
    if lsr == 0:
        assert measured == 0
    else:
        assert measured > 0
        assert abs(measured - rtt) <= 50, "three roundings to 1/65536 s"


@pytest.mark.parametrize("lsr", [0, 0x12345678, 0xFFFFFFFF])
def test_an_absurd_report_gives_no_round_trip(lsr: int) -> None:
    send = SendStats(1, 90000, 1)
    now = ntp_add(0x9ABC_0000 << 16, 0)
    send.receiver_report(lsr, 0, now, 10, fraction=3, lost=-5, jitter=77)
    assert send.reported() == (3, -5, 77, 0)


@given(st.integers(0, 50), st.lists(st.integers(-0x800000, 0x7FFFFF)))
def test_losses_are_counted_once_and_never_more_than_were_sent(packets: int, reports: list[int]) -> None:
    send = SendStats(1, 90000, 1)
    for _ in range(packets):
        send.packet(100)
    counted = [send.receiver_report(0, 0, 0, 10, lost=lost) for lost in reports]
    for at in range(len(reports)):
        assert sum(counted[: at + 1]) == min(packets, max(0, *reports[: at + 1]))
