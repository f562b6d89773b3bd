"""Outgoing timestamps over switches, pauses and wrap-around."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.testing.probe_stream import TsMap

STAMP = st.integers(0, 2**32 - 1)


@given(STAMP, st.lists(st.integers(0, 100_000), max_size=30))
def test_the_first_source_passes_unchanged(first: int, steps: list[int]) -> None:
    tsmap = TsMap(90000)
    tsmap.switch(first, 1_000)
    stamp = first
    for step in steps:
        stamp = (stamp + step) % 2**32
        assert tsmap.forward(stamp, 1_000 + step) == stamp


@given(STAMP, STAMP, st.integers(0, 10**12), st.sampled_from([8000, 48000, 90000]))
def test_a_switch_goes_on_by_the_time_that_passed(first: int, second: int, pause: int, rate: int) -> None:
    tsmap = TsMap(rate)
    assert tsmap.forward(first, 0) == first
    tsmap.switch(second, pause)
    ticks = max(1, pause * rate // 10**6)
    assert tsmap.forward(second, pause) == (first + ticks) % 2**32
    assert tsmap.forward((second + 3000) % 2**32, pause + 1) == (first + ticks + 3000) % 2**32
    assert tsmap.offset == (second - first - ticks) % 2**32


def test_two_switches_at_once_still_move_on() -> None:
    tsmap = TsMap(90000)
    outs = []
    for source in (100, 7, 2**32 - 1, 50):
        tsmap.switch(source, 500)
        outs.append(tsmap.forward(source, 500))
    assert outs == [100, 101, 102, 103]


def test_late_packets_do_not_move_the_anchor() -> None:
    tsmap = TsMap(90000)
    tsmap.forward(10_000, 0)
    tsmap.forward(13_000, 33_333)
    assert tsmap.forward(10_000, 40_000) == 10_000
    tsmap.switch(0, 33_333 + 33_334)
    assert tsmap.forward(0, 66_667) == 16_000


@pytest.mark.parametrize("switches", [1000])
def test_many_switches_stay_monotone_and_in_step_with_time(switches: int) -> None:
    tsmap = TsMap(90000)
    now = last = total = 0
    for step in range(switches):
        source = (step * 0x9E3779B9) % 2**32
        tsmap.switch(source, now)
        for frame in range(4):
            out = tsmap.forward((source + 3000 * frame) % 2**32, now)
            advance = (out - last) % 2**32
            if total or step or frame:
                assert 0 < advance < 90_000
            last = out
            total += advance
            now += 33_333
    assert abs(total - now * 90 // 1000) < 90_000
