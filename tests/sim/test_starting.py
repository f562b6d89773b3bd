"""What a receiver gets in its first seconds, when nothing is known of its path yet."""

from __future__ import annotations

from typing import Any

import pytest
from support.netem import BLACK_OUT, Link
from support.swarm_call import SwarmCall

NUMBERED = {"transport-cc": 5}
PLACES = 2048
ANY_PATH = Link(delay_us=10_000)


def call_of_two(seed: int, down: Link = ANY_PATH) -> tuple[SwarmCall, int, int]:
    call = SwarmCall(seed, ANY_PATH, ANY_PATH)
    anna, bert = call.join(), call.join(down=down)
    call.run(2)
    return call, anna, bert


def video(call: SwarmCall, path: int, bitrate_bps: int, announced_bps: int, **more: Any) -> int:
    rng = call.sim.rng
    layer = {
        "ssrc": rng.randrange(1, 1 << 32),
        "rtx_ssrc": rng.randrange(1, 1 << 32),
        "bitrate_bps": bitrate_bps,
        "width": 640,
        "height": 360,
        "rid": "",
    }
    return call.publish(path, "vp8", layers=[layer], engine=([(1, 1, announced_bps)],), **more)


def told(call: SwarmCall, path: int) -> dict[str, Any]:
    stats: Any = call.sim.control("transport_stats", path)
    return dict(stats)


@pytest.mark.parametrize("announced_bps", [0, 1_000_000])
def test_a_video_larger_than_the_first_estimate_soon_flows_without_a_queue(announced_bps: int) -> None:
    """What is shown although nobody knows yet that it fits is paced at its own rate, and the probes aim at it."""
    call, anna, bert = call_of_two(41)
    receiver = call.subscribe(bert, video(call, anna, 1_000_000, announced_bps), ext=NUMBERED)
    call.run(1.5)
    assert told(call, bert)["available_bitrate_bps"] > 1_000_000
    call.run(0.5)
    assert told(call, bert)["waiting_packets"] < 10
    before = call.receiver(receiver)
    call.run(4)
    after = call.receiver(receiver)
    mean_us = (after["latency_us"] - before["latency_us"]) / (after["delivered"] - before["delivered"])
    assert mean_us < 60_000
    assert (after["lost"], after["freezes"]) == (0, 0)


@pytest.mark.parametrize("sound", [False, True])
def test_a_video_that_seems_too_large_at_first_is_shown_where_there_is_room(sound: bool) -> None:
    """Although nothing else leaves from which the estimate could learn that."""
    call, anna, bert = call_of_two(46)
    source = video(call, anna, 2_500_000, 2_500_000)
    call.run(3)  # its rate is known
    if sound:
        call.subscribe(bert, call.publish(anna), ext=NUMBERED)
    receiver = call.subscribe(bert, source, ext=NUMBERED)
    call.run(6)
    assert call.receiver(receiver)["frames"] > 60


def test_after_an_outage_a_lonely_video_comes_back() -> None:
    call, anna, bert = call_of_two(47)
    receiver = call.subscribe(bert, video(call, anna, 160_000, 160_000), ext=NUMBERED)
    call.run(5)
    link = call.sockets[bert].down.link
    call.sockets[bert].down.link = BLACK_OUT
    call.run(8)
    call.sockets[bert].down.link = link
    call.run(5)
    before = call.receiver(receiver)["frames"]
    call.run(3)
    assert call.receiver(receiver)["frames"] > before + 60


def test_what_is_held_back_from_the_beginning_is_told_so() -> None:
    call, anna, bert = call_of_two(42, Link(delay_us=10_000, rate_bps=600_000, queue_bytes=30_000))
    videos = [video(call, anna, 400_000, 400_000) for _ in range(2)]
    call.subscribe(bert, videos[0], ext=NUMBERED)
    call.run(4)
    late = call.subscribe(bert, videos[1], ext=NUMBERED)
    call.run(2)
    told_first = next(event[2:] for _, event in call.sim.events.named("consumer.layers") if event[1] == late)
    assert told_first == (-1, -1, "bandwidth")
    assert call.receiver(late)["packets"] == 0


def test_what_only_waits_for_its_keyframe_is_not_told_as_held_back() -> None:
    call, anna, bert = call_of_two(43)
    receiver = call.subscribe(bert, video(call, anna, 300_000, 300_000), ext=NUMBERED)
    call.run(2)
    steps = [event[2] for _, event in call.sim.events.named("consumer.layers") if event[1] == receiver]
    assert steps == [0]


def test_of_what_waits_for_its_turn_nothing_is_lost() -> None:
    """No more than the ring of what was sent and the cache remember: beyond that the first ones leave at once."""
    call, anna, bert = call_of_two(44)
    source = video(call, anna, 4_000_000, 400_000, max_payload=300)
    receiver = call.subscribe(bert, source, ext=NUMBERED)
    most = 0
    for _ in range(30):
        call.run(0.05)
        most = max(most, told(call, bert)["waiting_packets"])
    assert most > 200
    call.do("mute", source, True, False)  # before it is known what it takes, and held back
    call.run(6)
    totals = call.receiver(receiver)
    assert totals["delivered"] > 2000
    assert (totals["lost"], totals["missed"], totals["withheld"]) == (0, 0, 0)


def test_no_more_packets_wait_than_there_are_places() -> None:
    """The first ones leave instead."""
    call, anna, bert = call_of_two(45)
    publishers = [anna, call.join(), call.join()]
    call.run(1)
    sources = [video(call, one, 4_000_000, 40_000, max_payload=300) for one in publishers for _ in range(8)]
    receivers = [call.subscribe(bert, source, ext=NUMBERED) for source in sources]
    most = 0
    for _ in range(60):
        call.run(0.02)
        most = max(most, told(call, bert)["waiting_packets"])
    assert most == PLACES
    assert sum(call.receiver(one)["lost"] for one in receivers) == 0
