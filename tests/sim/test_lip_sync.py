"""Sender reports to subscribers carry the publisher's own clock, so that its audio and video stay in step."""

from __future__ import annotations

from support.calls import assert_clean, connect, two_party_call
from support.netem import Link
from support.publisher import ntp_at
from support.simulation import Simulation


def test_audio_and_video_refer_to_one_clock() -> None:
    call = two_party_call(111, up=Link(delay_us=20_000), down=Link(delay_us=30_000))
    call.sim.run(10)
    for each in call.consumed:
        assert len(each.reception.sender_reports) >= 6
        assert max(map(abs, each.reception.ntp_error_us())) <= 1000
    assert_clean(call.sim)


def test_reports_stay_right_over_pauses() -> None:
    call = two_party_call(112)
    sim = call.sim
    for _ in range(5):
        sim.run(1.3)
        for each in call.consumed:
            sim.control("pause_consumer", each.id)
        sim.run(0.7)
        for each in call.consumed:
            sim.control("resume_consumer", each.id)
    sim.run(2)
    for each in call.consumed:
        # Each pause may round by a tick or, for the arrival of the first packet, by its wait; never by the pause.
        recent = each.reception.ntp_error_us()[-1]
        assert abs(recent) <= 2000, each.reception.settings.kind
    assert_clean(sim)


def test_no_report_is_made_up_without_one_from_the_publisher() -> None:
    sim = Simulation(113)
    anna, ben = sim.add_peer("anna"), sim.add_peer("ben")
    connect(sim, anna, ben)
    source = sim.publish(anna, "audio", start=False)
    anna.peer.send_rtcp = lambda packet: None  # type: ignore[method-assign]
    source.track._send_rtcp = lambda packet: None
    source.track.start()
    heard = sim.subscribe(ben, source)
    sim.run(3)
    assert heard.reception.arrivals
    assert heard.reception.sender_reports == []


def test_counts_in_reports_are_what_was_sent() -> None:
    call = two_party_call(114)
    call.sim.run(5)
    for each in call.consumed:
        when, last = each.reception.sender_reports[-1]
        before = sum(1 for arrival in each.reception.arrivals.values() if arrival.arrived_us <= when)
        assert abs(last["packets"] - before) <= 5
        assert last["octets"] > 0
        assert (last["ntp"] - ntp_at(when)) / 2**32 < 0.001
    assert_clean(call.sim)
