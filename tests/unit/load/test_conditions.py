"""Scenario conditions as links understand them, and video presets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat.load.conditions import gilbert_elliott, link_conditions
from simplestchat.load.presets import layers, preset
from simplestchat.load.scenario import Conditions


def test_a_clear_path_needs_no_link() -> None:
    assert link_conditions(None) is None
    assert link_conditions(Conditions()) is None


def test_spans_are_microseconds() -> None:
    link = link_conditions(Conditions(delay_s=0.05, jitter_s=0.01, rate_bps=500_000, queue_bytes=9_000))
    assert link is not None
    assert (link["delay_us"], link["jitter_us"]) == (50_000, 10_000)
    assert (link["rate_bps"], link["queue_bytes"]) == (500_000, 9_000)


@given(st.floats(0.001, 0.4), st.floats(1, 20))
def test_bursts_lose_the_share_that_was_asked(loss: float, length: float) -> None:
    enter, leave = gilbert_elliott(loss, length)
    assert 1 / leave == pytest.approx(length)
    assert enter / (enter + leave) == pytest.approx(loss)


@pytest.mark.parametrize("name", ["360p15", "480p30", "720p30", "1080p60"])
def test_presets_are_what_their_names_say(name: str) -> None:
    video = preset(name)
    height, fps = name.split("p")
    assert (video.height, video.fps) == (int(height), int(fps))
    assert video.width % 2 == 0
    assert preset(name, 123_456).bitrate_bps == 123_456


def test_simulcast_shares_the_bit_rate_out() -> None:
    video = preset("720p30", 1_000_000)
    found = layers(video, simulcast=True)
    assert [one.rid for one in found] == ["q", "h", "f"]
    assert (found[-1].width, found[-1].height) == (1280, 720)
    assert sum(one.bitrate_bps for one in found) == 1_000_000
    assert layers(video, simulcast=False) == (("", 1280, 720, 1_000_000),)


@pytest.mark.parametrize("name", ["", "720", "720p25", "4320p30", "720p30\n"])
def test_other_presets_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no video preset"):
        preset(name)
