"""When consent comes back, everything goes on at once: pictures, reports, and streams that can still be opened."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.calls import assert_clean, assert_no_gaps, connect, stop_media, two_party_call
from support.netem import BLACK_OUT, Link
from support.simulation import Consumed, Member, Published, Simulation

CONSENT_S = 30
ROLLOVER = 0x10000
PACKET_US = 1000
TOO_MANY_S = 40  # at a packet each millisecond, more than half of all sequence numbers


def silence(sim: Simulation, member: Member, seconds: float) -> int:
    """No check of this member comes for that long, though its media does. When consent was restored."""
    member.peer.ice.stop()
    sim.run(seconds)
    assert sim.events.states(member.transport)[-1] == "disconnected"
    member.peer.ice.start()
    sim.run(0.1)
    assert sim.events.states(member.transport)[-1] == "connected"
    return sim.clock.now


def fresh_video(heard: Consumed, since: int) -> list[int]:
    """When keyframes' first packets arrived after that moment."""
    return sorted(a.arrived_us for a in heard.reception.arrivals.values() if a.arrived_us > since and a.keyframe)


def assert_reported_to(member: Member, heard: list[Consumed], since: int) -> None:
    """Reports of both kinds and the estimate came after that moment."""
    assert any(when > since for when, _ in member.peer.remb)
    assert any(when > since for when, _ in member.peer.reports)
    for each in heard:
        assert any(when > since for when, _ in each.reception.sender_reports)


@pytest.mark.parametrize("whole", [False, True], ids=["no checks", "no packets"])
def test_pictures_and_reports_go_on_at_once(whole: bool) -> None:
    call = two_party_call(35)
    sim, (_, ben) = call.sim, call.members
    sim.run(2)
    if whole:
        ben.socket.up.link = BLACK_OUT
        sim.run(CONSENT_S + 5)
        ben.socket.up.link = Link()
        restored = sim.clock.now
    else:
        # Ben's media comes on, and Anna asks for a keyframe while he cannot be asked.
        ben.peer.ice.stop()
        sim.run(CONSENT_S + 3)
        for each in call.videos():
            each.reception.ask_for_keyframe()
        sim.run(2)
        restored = sim.clock.now
        ben.peer.ice.start()
    sim.run(4)
    assert sim.events.states(ben.transport) == ["connected", "disconnected", "connected"]
    for each in call.videos():
        assert fresh_video(each, restored)[0] - restored < 3_500_000
    assert_reported_to(ben, [each for each in call.consumed if each.member is ben], restored)
    for source in call.published:
        if source.member is ben and source.track.settings.kind == "video":
            assert any(when > restored for when in source.track.keyframe_requests)
    stop_media(sim, call.published)
    for each in call.consumed:
        if each.member is ben:
            assert_no_gaps(each)
    assert_clean(sim)


def one_way(seed: int, kind: str) -> tuple[Simulation, Published, Consumed]:
    """A thousand packets a second from Anna to Ben."""
    sim = Simulation(seed)
    anna, ben = sim.add_peer("anna"), sim.add_peer("ben")
    connect(sim, anna, ben)
    video = kind == "video"
    source = sim.publish(
        anna,
        kind,
        interval_us=PACKET_US * (4 if video else 1),
        packet_size=160 if video else 40,
    )
    return sim, source, sim.subscribe(ben, source)


def assert_goes_on(sim: Simulation, source: Published, heard: Consumed, since: int) -> None:
    """The stream goes on right behind what came before, and its publisher's clock is still told."""
    before = sum(arrival.arrived_us <= since for arrival in heard.reception.arrivals.values())
    sim.run(1.5)
    stop_media(sim, [source])
    fresh = sorted(a.index for a in heard.reception.arrivals.values() if a.arrived_us > since)
    assert len(fresh) > 1000
    assert len(heard.reception.arrivals) - before == len(fresh)
    if heard.reception.settings.kind == "video":
        assert heard.reception.arrivals[fresh[0]].keyframe
    assert any(when > since for when, _ in heard.reception.sender_reports)
    assert_no_gaps(heard)
    assert_clean(sim)


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_more_may_be_missed_than_a_receiver_can_count(kind: str) -> None:
    sim, source, heard = one_way(36, kind)
    sim.run(1)
    assert_goes_on(sim, source, heard, silence(sim, heard.member, CONSENT_S + TOO_MANY_S) - 100_000)


@pytest.mark.parametrize("kind", ["audio", "video"])
def test_a_consumer_paused_meanwhile_stays_so_until_it_is_resumed(kind: str) -> None:
    sim, source, heard = one_way(37, kind)
    sim.run(1)
    sim.control("pause_consumer", heard.id)
    restored = silence(sim, heard.member, CONSENT_S + TOO_MANY_S)
    sim.run(2)
    assert all(arrival.arrived_us < restored for arrival in heard.reception.arrivals.values())
    resumed = sim.clock.now
    sim.control("resume_consumer", heard.id)
    assert_goes_on(sim, source, heard, resumed)


@pytest.mark.parametrize("what", ["consumer", "producer"])
def test_a_pause_may_be_as_long(what: str) -> None:
    sim, source, heard = one_way(38, "video")
    sim.run(1)
    paused = heard.id if what == "consumer" else source.id
    sim.control(f"pause_{what}", paused)
    sim.run(TOO_MANY_S)
    resumed = sim.clock.now
    sim.control(f"resume_{what}", paused)
    assert_goes_on(sim, source, heard, resumed)


def test_what_was_lost_after_restoration_is_repaired() -> None:
    """The retransmission stream goes on where it was, too."""
    call = two_party_call(39, audio=False)
    sim, (_, ben) = call.sim, call.members
    ben.socket.down.link = Link(loss=0.05)
    sim.run(2)
    ben.socket.down.link = Link()
    sim.run(0.5)
    since = silence(sim, ben, CONSENT_S + 5)
    ben.socket.down.link = Link(loss=0.05)
    sim.run(3)
    call.end()
    heard = next(each for each in call.consumed if each.member is ben)
    assert any(a.repaired and a.arrived_us > since for a in heard.reception.arrivals.values())
    assert_no_gaps(heard)
    assert_clean(sim)


OTHER_CODEC = (99, -1, 48000, "other", False, False, False)


def test_a_codec_that_is_not_consumed_leaves_no_gap() -> None:
    """A publisher may use a payload type that its subscriber cannot take, for longer than sequence numbers reach."""
    sim = Simulation(40)
    anna, ben = sim.add_peer("anna"), sim.add_peer("ben")
    connect(sim, anna, ben)
    source = sim.publish(anna, "audio", start=False, interval_us=PACKET_US, packet_size=40)
    settings = source.track.settings
    id = sim.new_id()
    ssrc = settings.ssrc
    sim.control("close_producer", source.id)
    codecs = [(settings.payload_type, -1, 48000, "opus", True, False, False), OTHER_CODEC]
    sim.control("create_producer", id, anna.transport, "audio", "", [(ssrc, 0, "")], codecs, {})
    source.id = id
    heard = sim.subscribe(ben, source)
    source.track.start()
    sim.run(1)
    source.track.settings = replace(settings, payload_type=OTHER_CODEC[0])
    sim.run(TOO_MANY_S)
    source.track.settings = settings
    assert_goes_on(sim, source, heard, sim.clock.now + 10_000)
