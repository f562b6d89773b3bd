"""Repair under random loss each way: nearly everything comes within half a second, and little is sent in vain."""

from __future__ import annotations

import pytest
from support.netem import Link
from support.swarm_call import SwarmCall

from simplestchat.load.histogram import bounds_of

ONE_WAY_US = 25_000
IN_TIME_US = 2 * ONE_WAY_US + 500_000
SECONDS = 60


def late(call: SwarmCall) -> int:
    """Packets of video that came later than in time, since the last sample."""
    buckets = call.do("sample")["histograms"]["latency_video"][4]
    return sum(count for bucket, count in buckets.items() if bounds_of(bucket)[0] >= IN_TIME_US)


@pytest.mark.parametrize(("loss", "repaired"), [(0.02, 0.999), (0.05, 0.999), (0.1, 0.995), (0.2, 0.995)])
def test_repair(loss: float, repaired: float) -> None:
    clear, lossy = Link(delay_us=ONE_WAY_US), Link(delay_us=ONE_WAY_US, loss=loss)
    call = SwarmCall(5, up=clear, down=clear)
    paths = [call.join(), call.join()]
    call.run(3)
    sender = call.publish(paths[0], "vp8")
    receiver = call.subscribe(paths[1], sender)
    call.run(2)
    call.do("sample")
    before, resent_before = call.sender(sender), call.sim.shard.stats()["resent"]
    for path in paths:
        call.sockets[path].up.link = call.sockets[path].down.link = lossy
    call.run(SECONDS)
    for path in paths:
        call.sockets[path].up.link = call.sockets[path].down.link = clear
    call.do("mute", sender, True)
    call.run(3)
    got, sent = call.receiver(receiver), call.sender(sender)
    packets = sent["packets"] - before["packets"]
    lost = loss * packets  # of first transmissions, each way, on the average
    assert got["missed"] > 0.8 * lost
    assert late(call) + got["lost"] <= (1 - repaired) * 2 * lost + 1
    assert sent["resent"] - before["resent"] <= 1.5 * lost
    assert call.sim.shard.stats()["resent"] - resent_before <= 1.5 * lost
