"""Packets lost on either leg come again in time: over RTX, and without it as the very same bytes."""

from __future__ import annotations

import pytest
from support.calls import Call, assert_clean, expected_counters, two_party_call, undelivered
from support.netem import Bursts, Link

pytestmark = pytest.mark.usefixtures("srtp_backend")

RTT_LINK = Link(delay_us=25_000)
DEADLINE_US = 500_000
# What a packet needs that is not lost: two links, and nothing else.
UNDISTURBED_US = 60_000


def repaired_share(call: Call) -> tuple[float, int]:
    """Of the packets lost on the way: how many came within the deadline after all, and how many were lost."""
    repaired = missed = 0
    for each in call.videos():
        missed += len(undelivered(each, DEADLINE_US))
        repaired += sum(UNDISTURBED_US < latency <= DEADLINE_US for latency in each.reception.latencies())
    return repaired / (repaired + missed), repaired + missed


@pytest.mark.parametrize(("loss", "bar"), [(0.05, 0.9995), (0.10, 0.999), (0.20, 0.995)])
@pytest.mark.parametrize("rtx", [True, False], ids=["rtx", "resealed"])
def test_random_loss_each_way(loss: float, bar: float, rtx: bool) -> None:
    call = two_party_call(11, up=RTT_LINK, down=RTT_LINK, rtx=rtx, audio=False)
    call.sim.run(1)
    call.set_links(RTT_LINK.but(loss=loss))
    call.sim.run(12)
    call.end(RTT_LINK)
    share, lost = repaired_share(call)
    assert lost > 2 * 12 * 120 * loss, "both legs lost packets"
    assert share >= bar
    assert_clean(call.sim)
    if rtx:
        assert call.sim.seals.resealed == 0
    else:
        assert call.sim.seals.resealed > 100
    # Repairs stay in proportion to what they repair.
    resent = sum(int(value) for value in [call.sim.shard.stats()["resent"]])
    assert resent <= 1.5 * lost


@pytest.mark.parametrize(("loss", "bar"), [(0.01, 1.0), (0.05, 0.999), (0.10, 0.995)])
def test_bursts_of_loss(loss: float, bar: float) -> None:
    call = two_party_call(13, up=RTT_LINK, down=RTT_LINK, audio=False)
    call.sim.run(1)
    call.set_links(RTT_LINK.but(bursts=Bursts.of(loss, 8)))
    call.sim.run(12)
    call.end(RTT_LINK)
    share, lost = repaired_share(call)
    assert lost > 20
    assert share >= bar
    assert_clean(call.sim)


def test_audio_lost_on_the_way_in_is_asked_for() -> None:
    call = two_party_call(13, up=RTT_LINK, down=RTT_LINK)
    call.sim.run(1)
    for member in call.members:
        member.socket.up.link = RTT_LINK.but(loss=0.1)
    call.sim.run(5)
    call.end(RTT_LINK)
    for each in call.consumed:
        assert len(expected_counters(each)) > 200
        assert undelivered(each, DEADLINE_US) == []
    assert_clean(call.sim)


def test_a_short_black_out_ends_with_a_keyframe() -> None:
    """What is lost for longer than any packet is kept cannot be repaired; a new keyframe can."""
    call = two_party_call(14, up=RTT_LINK, down=RTT_LINK, audio=False)
    call.sim.run(1)
    sender = call.members[0]
    keyframes = call.published[0].track.keyframes
    sender.socket.up.link = RTT_LINK.but(loss=1.0)
    call.sim.run(3)
    sender.socket.up.link = RTT_LINK
    restored = call.sim.clock.now
    call.sim.run(2)
    assert call.published[0].track.keyframes > keyframes
    receiving = next(each for each in call.consumed if each.source is call.published[0])
    fresh = [
        arrival.arrived_us
        for arrival in receiving.reception.arrivals.values()
        if arrival.keyframe and arrival.arrived_us > restored
    ]
    assert min(fresh) - restored <= 700_000
    assert_clean(call.sim)
