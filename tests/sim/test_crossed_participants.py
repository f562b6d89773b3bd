"""A participant with valid keys who speaks of what is another's: its SSRC, its MID, its consumers."""

from __future__ import annotations

import pytest
from support.calls import Call, assert_clean, connect, two_party_call, undelivered
from support.rtp import RtpPacket
from support.simulation import Member, Simulation
from support.stamp import Stamp, Vp8Numbers, stamped, vp8_payload

from simplestchat._native.core.errors import MisuseError
from simplestchat._native.testing.probe_rtcp import rtcp_bye, rtcp_fir, rtcp_nack, rtcp_pli, rtcp_remb, rtcp_rr, rtcp_sr


def with_eve(seed: int) -> tuple[Call, Member]:
    """A call of two, and a third participant who publishes and consumes as well."""
    call = two_party_call(seed)
    eve = call.sim.add_peer("eve")
    connect(call.sim, eve)
    own = call.sim.publish(eve, "audio")
    call.sim.subscribe(call.members[0], own)
    call.sim.run(1)
    return call, eve


def end_unharmed(call: Call) -> None:
    call.end()
    for each in call.consumed:
        assert undelivered(each) == []
        streams = {stream for stream, _ in each.reception.by_counter}
        assert streams == {each.source.track.settings.stream}, "nothing of anybody else"
    assert_clean(call.sim)


def test_media_under_anothers_ssrc_reaches_nobody() -> None:
    call, eve = with_eve(81)
    for source in call.published:
        settings = source.track.settings
        for counter in range(100):
            stamp = Stamp(666, counter, call.sim.clock.now)
            payload = (
                vp8_payload(stamp, 500, Vp8Numbers(counter & 0x7FFF, counter & 0xFF, counter & 31, 0), True, True)
                if settings.kind == "video"
                else stamped(stamp, 100)
            )
            eve.peer.send_rtp(bytes(RtpPacket(settings.payload_type, True, counter, counter, settings.ssrc, payload)))
            call.sim.run(0.002)
    call.sim.run(0.1)
    assert call.sim.shard.stats()["dropped_unrouted"] == 400
    end_unharmed(call)


def test_anothers_mid_claims_nothing() -> None:
    """MID is looked up among the sender's own producers."""
    sim = Simulation(82)
    anna, ben, eve = (sim.add_peer(name) for name in ("anna", "ben", "eve"))
    connect(sim, anna, ben, eve)
    source = sim.publish(anna, "audio", mid="0", announced=False, extensions=((4, b"0"),), mapped={"mid": 4})
    heard = sim.subscribe(ben, source)
    for counter in range(100):
        payload = stamped(Stamp(666, counter, sim.clock.now), 100)
        eve.peer.send_rtp(bytes(RtpPacket(111, False, counter, counter, 77, payload, ((4, b"0"),))))
        sim.run(0.01)
    assert {stream for stream, _ in heard.reception.by_counter} == {source.id}
    assert undelivered(heard)[:-3] == []
    assert_clean(sim)


def test_a_second_claim_of_an_ssrc_on_one_transport_is_refused() -> None:
    call, eve = with_eve(83)
    source = call.published[0].track.settings
    with pytest.raises(MisuseError):
        call.sim.publish(call.members[0], "video", ssrc=source.ssrc, start=False)
    # On another transport the same number is another stream, and stays apart.
    twin = call.sim.publish(eve, "video", ssrc=source.ssrc)
    heard = call.sim.subscribe(call.members[1], twin)
    call.sim.run(1)
    twin.track.stop()
    call.sim.run(0.5)
    assert undelivered(heard) == []
    assert {stream for stream, _ in heard.reception.by_counter} == {twin.id}
    end_unharmed(call)


def test_feedback_about_anothers_stream_is_ignored() -> None:
    call, eve = with_eve(84)
    sim = call.sim
    requests = [len(source.track.keyframe_requests) for source in call.published]
    before = sim.shard.stats()
    for _ in range(50):
        for each in call.consumed:
            ssrc = each.reception.settings.ssrc
            sequence = each.reception.highest & 0xFFFF
            for packet in (
                rtcp_pli(1, ssrc),
                rtcp_fir(1, ssrc, 1),
                rtcp_nack(1, ssrc, [(sequence, 0xFFFF)]),
                rtcp_rr(
                    1,
                    [
                        {
                            "ssrc": ssrc,
                            "fraction_lost": 255,
                            "cumulative_lost": 9,
                            "highest_seq": 1,
                            "jitter": 1,
                            "lsr": 1,
                            "dlsr": 1,
                        }
                    ],
                ),
                rtcp_remb(1, 1, [ssrc]),
                rtcp_bye(ssrc),
            ):
                eve.peer.send_rtcp(packet)
        for source in call.published:
            ssrc = source.track.settings.ssrc
            info = {"ssrc": ssrc, "ntp": 1, "rtp_timestamp": 1, "packets": 1, "octets": 1}
            for packet in (rtcp_bye(ssrc), rtcp_sr(info), rtcp_pli(1, ssrc), rtcp_nack(1, ssrc, [(0, 0xFFFF)])):
                eve.peer.send_rtcp(packet)
        sim.run(0.02)
    after = sim.shard.stats()
    assert after["resent"] == before["resent"]
    assert after["keyframe_requests_out"] == before["keyframe_requests_out"]
    assert [len(source.track.keyframe_requests) for source in call.published] == requests
    for each in call.consumed:
        # Sender reports went on following the real publisher's clock.
        assert max(map(abs, each.reception.ntp_error_us()), default=0) <= 1000
    end_unharmed(call)


def test_a_goodbye_for_ones_own_stream_ends_nothing_else() -> None:
    call = two_party_call(85)
    sim = call.sim
    sim.run(1)
    gone = call.published[0]
    gone.track.stop()
    gone.member.peer.send_rtcp(rtcp_bye(gone.track.settings.ssrc))
    sim.run(1)
    call.published.remove(gone)
    end_unharmed(call)
