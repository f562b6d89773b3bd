"""Who is sent nothing asks for nothing: a hidden video with layers costs nobody a keyframe."""

from __future__ import annotations

from typing import Any

import pytest
from support.swarm_call import SwarmCall

DESCRIPTOR = 12


def call_of_two(
    seed: int, codec: str, mode: str, *, told: bool = True, **subscription: Any
) -> tuple[SwarmCall, int, int]:
    """A call, its video and the consumer. ``told``: the server knows of the dependency descriptor."""
    call = SwarmCall(seed)
    anna, bert = call.join(), call.join()
    call.run(2)
    ext = {"dependency-descriptor": DESCRIPTOR} if codec == "av1" else {}
    hidden = () if told else ("dependency-descriptor",)
    sender = call.publish(anna, codec, scalability=mode, ext={"mid": 1, **ext}, hidden=hidden)
    return call, sender, call.subscribe(bert, sender, ext=ext if told else {}, **subscription)


def keyframes(call: SwarmCall, sender: int, seconds: float) -> int:
    """How many are made in the next seconds."""
    before = call.sender(sender)["keyframes"]
    call.run(seconds)
    return int(call.sender(sender)["keyframes"] - before)


LAYERED = pytest.mark.parametrize(("codec", "mode"), [("vp9", "L3T3"), ("vp9", "L3T3_KEY"), ("av1", "L3T3_KEY")])


@LAYERED
def test_a_video_that_is_hidden_asks_for_no_keyframes(codec: str, mode: str) -> None:
    call, sender, receiver = call_of_two(81, codec, mode)
    call.run(3)
    assert call.receiver(receiver)["layers"] >> 8 == 2
    call.sim.control("set_view", receiver, 0, 0)
    assert keyframes(call, sender, 6) <= 1
    shown = call.receiver(receiver)["frames"]
    call.sim.control("set_view", receiver, 640, 360)
    call.run(2)
    assert call.receiver(receiver)["frames"] > shown + 30


@LAYERED
def test_nor_does_one_that_begins_paused(codec: str, mode: str) -> None:
    call, sender, receiver = call_of_two(82, codec, mode, paused=True)
    call.run(2)
    assert keyframes(call, sender, 6) <= 1
    call.sim.control("resume_consumer", receiver)
    call.run(2)
    assert call.receiver(receiver)["frames"] > 30


def test_layers_that_nobody_can_tell_apart_are_enough() -> None:
    call, sender, receiver = call_of_two(83, "av1", "L3T3", told=False)
    call.run(3)
    assert keyframes(call, sender, 6) <= 1
    assert call.receiver(receiver)["frames"] > 200
