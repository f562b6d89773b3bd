"""A conference of twenty: the speaker in the top layer, all others shown, the loudest three heard."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from adapt.call import Call
from adapt.network import thin
from adapt.verdict import Row, least, most

PEOPLE = 20
FRAMES_PER_S, PACKET_BYTES, HEADERS_BYTES = 30, 1100, 36


def _payload_bps(rate_bps: int) -> int:
    """What an encoding of this rate carries: headers and tags of its packets are part of it."""
    packets_per_s = max(FRAMES_PER_S, rate_bps / 8 / PACKET_BYTES + FRAMES_PER_S / 2)
    return round(rate_bps - packets_per_s * HEADERS_BYTES * 8)


LADDER = tuple(
    (_payload_bps(rate), width, height)
    for rate, width, height in ((100_000, 320, 180), (400_000, 640, 360), (1_800_000, 1280, 720))
)
CAPACITY_BPS = 4e6
GROUP, LOUDEST = 1, 3
VOICE_PACKETS_PER_S = 50
LOOKED_AT_US, MOSTLY = 30_000_000, 0.8
SPEAKER_VIEW, OTHER_VIEW = (1280, 720), (240, 135)


def _top_share(call: Call, consumer: int, since_us: int) -> float:
    """How much of the time until now a video came in its best encoding."""
    steps = [*call.layers(consumer), (call.now_us, -1)]
    top = sum(
        max(0, until - max(when, since_us)) for (when, layer), (until, _) in pairwise(steps) if layer == len(LADDER) - 1
    )
    return top / (call.now_us - since_us)


def _voices_at_once(call: Call, heard: list[int]) -> float:
    """How many voices somebody hears, on the average over the next ten seconds."""
    before = sum(call.receiver(one)["packets"] for one in heard)
    call.run(10)
    return (sum(call.receiver(one)["packets"] for one in heard) - before) / (10 * VOICE_PACKETS_PER_S)


def conference(seed: int = 31) -> Iterable[Row]:
    """One speaks, the others are shown small; everybody is behind 4 Mbit/s."""
    case = "conference of 20"
    call = Call(seed)
    people = [call.publisher() for _ in range(PEOPLE)]
    viewers = [call.viewer(thin(CAPACITY_BPS)) for _ in range(PEOPLE)]
    call.run(3)
    call.sim.control("set_loudest", GROUP, LOUDEST)
    call.follow_wishes()
    videos = [call.camera(person, LADDER) for person in people]
    voices = [call.publish(person, engine=([], GROUP), talk=2 if at < 4 else 0) for at, person in enumerate(people)]
    shown: list[list[int]] = []
    heard: list[list[int]] = []
    for at, viewer in enumerate(viewers):
        shown.append([call.watch(viewer, video) for of, video in enumerate(videos) if of != at])
        heard.append([call.watch(viewer, voice) for of, voice in enumerate(voices) if of != at])
        for consumer in shown[-1]:
            speaker = consumer == shown[-1][0] and at != 0
            call.sim.control("set_view", consumer, *(SPEAKER_VIEW if speaker else OTHER_VIEW))
    call.run(60)
    since_us = call.now_us
    at_once = _voices_at_once(call, heard[-1])
    speaker_top = sum(_top_share(call, mine[0], call.now_us - LOOKED_AT_US) >= MOSTLY for mine in shown[1:])
    all_shown = sum(all(call.layers(one) and call.layers(one)[-1][1] >= 0 for one in mine) for mine in shown)
    rates = [viewer.queue.rate_bps(since_us, call.now_us) / 8000 for viewer in viewers]
    yield least(case, "viewers who mostly see the speaker in full", speaker_top, PEOPLE - 1)
    yield least(case, "viewers who see all others", all_shown, PEOPLE)
    yield most(case, "received by a viewer", max(rates), 500, "kB/s")
    yield most(case, "voices heard at once, at most", at_once, LOUDEST + 0.05)
    yield least(case, "voices heard at once, at least", at_once, LOUDEST - 0.05)
