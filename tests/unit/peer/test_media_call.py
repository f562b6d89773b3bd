"""A publisher and a subscriber over a bad path in virtual time: what is lost is repaired, and the sums are right."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.synthetic import AV1, CAMERA, H264, LAYER, MICROPHONE, MS, OPUS, VP8, VP9, Call, S


def path(loss: float = 0, twice: float = 0, late: float = 0) -> Callable[[random.Random], list[int]]:
    def fate(rng: random.Random) -> list[int]:
        if rng.random() < loss:
            return []
        delay = 20 * MS + (rng.randrange(30 * MS) if rng.random() < late else 0)
        return [delay, delay + 500] if rng.random() < twice else [delay]

    return fate


def finish(call: Call) -> dict[str, int]:
    """The totals at the end, and what must hold of any."""
    call.drain()
    sent = call.sender.totals()
    call.listener.receiver.end(call.now, sent["counters"][0])
    totals = call.listener.settled()
    assert totals["missed"] == totals["lost"] + totals["repaired"]
    assert totals["packets"] == sum(totals[name] for name in ("delivered", "duplicate", "repeated", "corrupt"))
    assert sent["resent"] <= sent["nacks"] == totals["nacks"]
    # All but what was lost before the first that came.
    assert 0 <= sent["counters"][0] - totals["delivered"] - totals["lost"] <= 40
    return totals


@pytest.mark.parametrize("codec", [OPUS, VP8, H264, VP9, AV1])
def test_a_clear_path_delivers_everything_once(codec: int) -> None:
    info: dict[str, Any] = MICROPHONE if codec == OPUS else CAMERA | {"codec": codec}
    call = Call(info)
    call.run(10 * S)
    totals = finish(call)
    sent = call.sender.totals()
    assert totals["delivered"] == sent["packets"] == sent["counters"][0]
    assert totals["frames"] == sent["frames"]
    for name in ("missed", "duplicate", "reordered", "corrupt", "misdelivered", "frames_broken", "freezes", "nacks"):
        assert totals[name] == 0
    assert totals["keyframe_requests"] == 0


@pytest.mark.parametrize("codec", [VP8, H264, VP9, AV1])
def test_loss_is_repaired(codec: int) -> None:
    call = Call(CAMERA | {"codec": codec}, path(loss=0.03), seed=2)
    call.run(15 * S)
    totals = finish(call)
    assert totals["missed"] > 20
    assert totals["repaired"] == totals["missed"]
    assert totals["lost"] == 0
    assert totals["frames"] == call.sender.totals()["frames"]


def test_a_path_that_loses_a_third_is_borne() -> None:
    call = Call(CAMERA, path(loss=0.33), seed=3)
    call.run(15 * S)
    totals = finish(call)
    assert totals["lost"] < 0.01 * totals["delivered"]
    assert totals["frames"] > 0.9 * call.sender.totals()["frames"]
    assert call.sender.totals()["keyframes"] <= 1 + call.sender.totals()["keyframe_requests"] <= 16


def test_an_outage_ends_with_a_keyframe() -> None:
    call = Call(CAMERA)
    call.run(3 * S)
    call.fate = lambda _: []
    call.run(4 * S)
    call.fate = path()
    call.run(3 * S)
    totals = finish(call)
    assert totals["lost"] > 100
    assert totals["keyframes"] == 2
    assert totals["freezes"] == 1
    assert totals["freeze_us"] > 4 * S
    assert totals["frames"] > 5 * 30


def test_audio_is_not_repaired() -> None:
    call = Call(MICROPHONE, path(loss=0.1))
    call.run(20 * S)
    totals = finish(call)
    assert totals["lost"] == totals["missed"] > 50
    assert totals["nacks"] == 0


@settings(max_examples=15)
@given(
    seed=st.integers(0, 1000),
    loss=st.sampled_from([0, 0.02, 0.1]),
    twice=st.sampled_from([0, 0.05]),
    late=st.sampled_from([0, 0.1]),
    rtx=st.booleans(),
)
def test_the_sums_are_right_on_any_path(seed: int, loss: float, twice: float, late: float, rtx: bool) -> None:
    info = CAMERA | {"seed": seed}
    if not rtx:
        info |= {"rtx_payload_type": -1, "layers": [LAYER | {"rtx_ssrc": 0}]}
    call = Call(info, path(loss, twice, late), seed)
    call.run(3 * S)
    totals = finish(call)
    assert loss or totals["lost"] == 0
    assert twice or loss or late or totals["duplicate"] == 0
    assert late or totals["reordered"] == 0
