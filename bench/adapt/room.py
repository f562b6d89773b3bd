"""A conference of twenty: the speaker in the top layer, all others shown, the loudest three heard."""

from __future__ import annotations

from collections.abc import Iterable

from support.netem import US_PER_S

from adapt.call import Call
from adapt.network import thin
from adapt.verdict import Row, least, most

PEOPLE = 20
LADDER = ((100_000, 320, 180), (400_000, 640, 360), (1_800_000, 1280, 720))
CAPACITY_BPS = 4e6
GROUP, LOUDEST = 1, 3
SPEAKER_VIEW, OTHER_VIEW = (1280, 720), (240, 135)


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
    call.run(30)
    since_us = call.now_us
    before = [[call.receiver(one)["packets"] for one in mine] for mine in heard]
    call.run(10)
    speaker_top = sum(call.layers(mine[0])[-1][1] == len(LADDER) - 1 for mine in shown[1:] if call.layers(mine[0]))
    all_shown = sum(all(call.layers(one) and call.layers(one)[-1][1] >= 0 for one in mine) for mine in shown)
    rates = [viewer.queue.rate_bps(since_us, call.now_us) / 8000 for viewer in viewers]
    voices_heard = [
        sum(call.receiver(one)["packets"] - was > 5 for one, was in zip(mine, then, strict=True))
        for mine, then in zip(heard, before, strict=True)
    ]
    yield least(case, "viewers with the speaker in the top layer", speaker_top, PEOPLE - 1)
    yield least(case, "viewers who see all others", all_shown, PEOPLE)
    yield most(case, "received by a viewer", max(rates), 500, "kB/s")
    yield most(case, "voices heard", max(voices_heard), LOUDEST)
    yield least(case, "voices heard", min(voices_heard), LOUDEST - 1)
    assert since_us > US_PER_S
