"""Layered media of synthetic users: temporal and spatial layers, encodings, and rates that change."""

from __future__ import annotations

from typing import Any

import pytest
from support.netem import Link
from support.swarm_call import SwarmCall

from simplestchat._native.core.errors import MisuseError
from simplestchat._native.peer.swarm import EVENT_LAYER
from simplestchat._native.testing.probe_wire import rtp_extensions

MODES = [
    ("vp8", "L1T2"),
    ("vp8", "L1T3"),
    ("vp9", "L1T3"),
    ("vp9", "L2T1"),
    ("vp9", "L3T3"),
    ("vp9", "L3T3_KEY"),
    ("av1", "L1T2"),
    ("av1", "L3T3"),
    ("av1", "L3T3_KEY"),
]
FAULTS = ("corrupt", "misdelivered", "duplicate", "frames_broken", "lost", "freezes")
DESCRIPTOR = 12


def call_of_two(seed: int = 7, **links: Link) -> tuple[SwarmCall, int, int]:
    call = SwarmCall(seed, **links)
    anna, bert = call.join(), call.join()
    call.run(3)
    return call, anna, bert


def publish(call: SwarmCall, path: int, codec: str, mode: str, **changes: Any) -> int:
    ext = {"mid": 1, "dependency-descriptor": DESCRIPTOR} if codec == "av1" else {"mid": 1}
    if codec == "av1":
        changes.setdefault("hidden", ("dependency-descriptor",))
    return call.publish(path, codec, scalability=mode, ext=ext, **changes)


@pytest.mark.parametrize(("codec", "mode"), MODES)
def test_all_layers_arrive_and_are_shown(codec: str, mode: str) -> None:
    call, anna, bert = call_of_two()
    sender = publish(call, anna, codec, mode)
    receiver = call.subscribe(bert, sender)
    call.run(4)
    call.do("mute", sender, True)
    call.run(3)
    got, sent = call.receiver(receiver), call.sender(sender)
    assert not any(got[name] for name in FAULTS), got
    assert got["frames"] >= sent["frames"] - 3
    # Of K-SVC in VP9 the lower layers are needed for keyframes only.
    assert got["delivered"] >= sent["packets"] * (0.4 if (codec, mode) == ("vp9", "L3T3_KEY") else 0.95)
    spatial, temporal = int(mode[1]), int(mode[3])
    assert got["layers"] == (spatial - 1) << 8 | (temporal - 1)
    assert (got["width"], got["height"]) == (640, 360)
    told = [event[4] for event in call.of(EVENT_LAYER, receiver)]
    assert told[-1] == got["layers"]


@pytest.mark.parametrize(("codec", "mode"), [("vp8", "L1T3"), ("vp9", "L3T3"), ("av1", "L3T3_KEY")])
def test_losses_are_repaired_and_counted_on_the_wire(codec: str, mode: str) -> None:
    lossy = Link(delay_us=25_000, loss=0.05)
    call, anna, bert = call_of_two(11, up=lossy, down=lossy)
    sender = publish(call, anna, codec, mode)
    receiver = call.subscribe(bert, sender)
    call.run(10)
    for path in (anna, bert):
        call.sockets[path].up.link = call.sockets[path].down.link = Link(delay_us=25_000)
    call.do("mute", sender, True)
    call.run(3)
    got, sent = call.receiver(receiver), call.sender(sender)
    assert got["corrupt"] == got["misdelivered"] == 0
    assert got["repaired"] > 10
    assert got["missed"] == got["lost"] + got["repaired"]
    assert got["lost"] <= got["missed"] * 0.01
    assert got["frames"] > sent["frames"] * 0.9


@pytest.mark.parametrize("mode", ["L2T1", "L3T3"])
def test_spatial_layers_that_nobody_wants_are_not_sent(mode: str) -> None:
    call, anna, bert = call_of_two()
    sender = publish(call, anna, "vp9", mode)
    receiver = call.subscribe(bert, sender)
    call.run(2)
    call.do("set_layers", sender, 0b001)
    call.run(2)
    got = call.receiver(receiver)
    most = int(mode[1]) - 1
    assert got["layers"] >> 8 == 0
    assert (got["width"], got["height"]) == (640 >> most, 360 >> most)
    keyframes = call.sender(sender)["keyframes"]
    call.do("set_layers", sender, 0b111)
    call.run(1)
    got = call.receiver(receiver)
    assert got["layers"] >> 8 == most
    assert not any(got[name] for name in FAULTS)
    assert call.sender(sender)["keyframes"] > keyframes, "what begins anew begins with a keyframe"


def test_descriptors_stand_on_repairs_too() -> None:
    call, anna, bert = call_of_two(13, up=Link(delay_us=10_000, loss=0.1))
    call.subscribe(bert, publish(call, anna, "av1", "L3T3"))
    call.run(3)
    packets = [data for data in call.sent[anna] if data[0] >> 6 == 2 and not 192 <= data[1] < 224]
    repairs = [data for data in packets if data[1] & 0x7F == 46]
    assert repairs
    assert all(any(id == DESCRIPTOR for id, _ in rtp_extensions(data)) for data in packets)


def test_a_bitrate_changes_at_once_and_fills_what_it_is_given() -> None:
    call, anna, bert = call_of_two()
    sender = call.publish(anna, "vp8")
    call.subscribe(bert, sender)
    call.run(1)
    rates = []
    for bps in (600_000, 3_000_000, 300_000):
        call.do("set_bitrate", sender, 0, bps)
        before = call.sender(sender)["bytes"]
        call.run(4)
        rates.append((call.sender(sender)["bytes"] - before) * 8 / 4)
    assert rates == pytest.approx([600_000, 3_000_000, 300_000], rel=0.15)


def test_a_switch_of_encodings_is_told_with_its_moment_and_size() -> None:
    call, anna, bert = call_of_two()
    layers = [
        {"ssrc": 100 + i, "rtx_ssrc": 200 + i, "bitrate_bps": rate, "width": 320 << i, "height": 180 << i, "rid": rid}
        for i, (rid, rate) in enumerate((("q", 100_000), ("h", 300_000)))
    ]
    sender = call.publish(anna, "vp8", layers=layers, ext={"mid": 1, "rid": 2, "repaired-rid": 3})
    receiver = call.subscribe(bert, sender)
    call.run(2)
    assert call.receiver(receiver)["layers"] >> 8 == 1
    at = call.sim.clock.now
    call.sim.control("set_preferred_layers", receiver, 0, 0)
    call.run(2)
    got = call.receiver(receiver)
    assert (got["layers"] >> 8, got["width"], got["height"]) == (0, 320, 180)
    assert got["frames_broken"] == got["lost"] == 0
    *_, last = call.of(EVENT_LAYER, receiver)
    assert at < last[3] < at + 1_000_000


@pytest.mark.parametrize(
    ("codec", "mode", "words"),
    [
        ("vp8", "L2T1", "cannot be"),
        ("h264", "L1T2", "cannot be"),
        ("av1", "L1T3", "cannot be"),
        ("vp9", "L4T1", "L1T1"),
        ("vp9", "L1T3_KEY", "L1T1"),
    ],
)
def test_impossible_layers_are_refused(codec: str, mode: str, words: str) -> None:
    call, anna, _ = call_of_two()
    with pytest.raises(MisuseError, match=words):
        call.publish(anna, codec, scalability=mode, ext={"mid": 1})


def test_a_repeat_without_rtx_has_the_bytes_that_left_or_does_not_leave() -> None:
    """A descriptor's mask is written with the structure that explains it, and another one may have come since."""
    call, anna, bert = call_of_two(70, down=Link(delay_us=40_000, loss=0.15))
    sender = publish(call, anna, "av1", "L3T3", hidden=())
    receiver = call.subscribe(bert, sender, rtx=False, ext={"dependency-descriptor": DESCRIPTOR})
    call.do("set_layers", sender, 0b011)
    call.run(1)
    call.sim.control("set_preferred_layers", receiver, 0, 1)
    for _ in range(60):
        call.sim.control("request_keyframe", receiver)
        call.run(0.25)
    assert call.receiver(receiver)["keyframes"] > 20
    assert call.sim.seals.resealed > 20
    assert call.sim.seals.repeats == []
