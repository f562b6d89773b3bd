"""However many ask, a publisher is asked for a keyframe seldom; and asked again when none comes."""

from __future__ import annotations

from itertools import pairwise

from support.calls import assert_clean, connect, two_party_call, undelivered
from support.netem import BLACK_OUT, US_PER_S, Link
from support.simulation import Simulation

from simplestchat._native.testing.probe_rtcp import rtcp_fir, rtcp_pli

GAP_US = 500_000
SUBSCRIBERS = 12


def test_a_storm_of_requests_becomes_two_a_second() -> None:
    sim = Simulation(91)
    anna = sim.add_peer("anna")
    crowd = [sim.add_peer(f"guest {number}") for number in range(SUBSCRIBERS)]
    connect(sim, anna, *crowd)
    source = sim.publish(anna, "video")
    heard = [sim.subscribe(member, source) for member in crowd]
    sim.run(1)
    start = sim.clock.now
    for step in range(50):
        for each in heard:
            settings = each.reception.settings
            each.member.peer.send_rtcp(
                rtcp_fir(1, settings.ssrc, step & 0xFF) if step % 2 else rtcp_pli(1, settings.ssrc)
            )
        if step % 5 == 0:
            for each in heard:
                sim.control("request_keyframe", each.id)
        sim.run(0.1)
    times = [when for when in source.track.keyframe_requests if when >= start]
    assert 9 <= len(times) <= 11, "5 s of storm"
    assert all(after - before >= GAP_US - 1000 for before, after in pairwise(times))
    source.track.stop()
    sim.run(0.5)
    for each in heard:
        assert undelivered(each) == []
    assert_clean(sim)


def test_one_request_is_passed_on_at_once() -> None:
    call = two_party_call(92)
    call.sim.run(2)
    source = call.published[0]
    heard = next(each for each in call.consumed if each.source is source)
    before = len(source.track.keyframe_requests)
    asked = call.sim.clock.now
    heard.reception.ask_for_keyframe()
    call.sim.run(0.1)
    assert len(source.track.keyframe_requests) == before + 1
    assert source.track.keyframe_requests[-1] - asked <= 11_000


def test_it_is_asked_again_until_a_keyframe_comes() -> None:
    call = two_party_call(93, audio=False)
    sim = call.sim
    sim.run(1)
    source = call.published[0]
    source.member.socket.down.link = BLACK_OUT
    heard = next(each for each in call.consumed if each.source is source)
    heard.reception.ask_for_keyframe()
    sim.run(2.5)
    keyframes = source.track.keyframes
    source.member.socket.down.link = Link()
    sim.run(1.5)
    assert source.track.keyframes == keyframes + 1


def test_who_joins_while_requests_are_lost_has_a_picture_soon_after() -> None:
    """The requests of those before were given up meanwhile. A browser does not ask itself where no packet ever came."""
    call = two_party_call(95, audio=False)
    sim = call.sim
    cleo = sim.add_peer("cleo")
    connect(sim, cleo)
    sim.run(1)
    source = call.published[0]
    source.member.socket.down.link = BLACK_OUT
    heard = next(each for each in call.consumed if each.source is source)
    heard.reception.ask_for_keyframe()
    sim.run(9.6)
    late = sim.subscribe(cleo, source, pli=False)
    sim.run(1.4)
    source.member.socket.down.link = Link()
    sim.run(2)
    assert late.reception.arrivals


def test_a_publisher_that_never_sends_one_is_not_asked_for_ever() -> None:
    call = two_party_call(94, audio=False)
    sim = call.sim
    sim.run(1)
    source = call.published[0]
    start = sim.clock.now
    source.track.stop()
    heard = next(each for each in call.consumed if each.source is source)
    heard.reception.ask_for_keyframe()
    sim.run(40)
    times = [when for when in source.track.keyframe_requests if when >= start]
    assert len(times) == 10
    assert times[-1] - start <= 12 * US_PER_S
