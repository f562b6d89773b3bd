"""A link that becomes thin all at once: what still fits goes on, although what was too much has to be cleared away."""

from __future__ import annotations

import pytest
from support.netem import Link
from support.swarm_call import SwarmCall

NUMBERED = {"transport-cc": 5}
LADDER = ((110_000, 320, 180), (500_000, 640, 360), (1_500_000, 1280, 720))
QUEUE_S, WIDE_BPS, THIN_BPS = 0.3, 3_000_000, 200_000


def path(rate_bps: int) -> Link:
    return Link(delay_us=12_500, rate_bps=rate_bps, queue_bytes=round(rate_bps * QUEUE_S / 8))


@pytest.mark.parametrize("seed", range(3))
def test_the_lowest_layer_stays(seed: int) -> None:
    """Repairs of what is not sent any more do not take its place, nor does a pause tell the path's rate."""
    call = SwarmCall(90 + seed)
    anna, bert = call.join(), call.join(down=path(WIDE_BPS))
    call.run(1)
    layers = [
        {"ssrc": 100 + at, "rtx_ssrc": 200 + at, "bitrate_bps": bps, "width": width, "height": height, "rid": f"r{at}"}
        for at, (bps, width, height) in enumerate(LADDER)
    ]
    video, voice = call.publish(anna, "vp8", layers=layers), call.publish(anna)
    watched = call.subscribe(bert, video, ext=NUMBERED)
    call.subscribe(bert, voice, ext=NUMBERED)
    call.run(15)
    thin_us = call.sim.clock.now
    call.sockets[bert].down.link = path(THIN_BPS)
    call.run(20)
    told = [(when, event[2]) for when, event in call.sim.events.named("consumer.layers") if event[1] == watched]
    after = [layer for when, layer in told if when > thin_us]
    assert after[-1] == 0
    assert -1 not in after
    before = call.receiver(watched)["frames"]
    call.run(4)
    assert call.receiver(watched)["frames"] > before + 4 * 5
