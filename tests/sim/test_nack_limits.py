"""A subscriber that asks for everything again and again gets little more than its media."""

from __future__ import annotations

import pytest
from support.calls import assert_clean, two_party_call, undelivered
from support.netem import Link
from support.rtp import RTCP_TYPES

from simplestchat._native.testing.probe_rtcp import rtcp_nack


@pytest.mark.parametrize("rtx", [True, False], ids=["rtx", "resealed"])
def test_ten_thousand_nacks_a_second_are_not_amplified(rtx: bool) -> None:
    call = two_party_call(101, rtx=rtx, audio=False)
    sim = call.sim
    sim.run(2)
    greedy = call.consumed[0]
    ssrc = greedy.reception.settings.ssrc
    before = sim.shard.stats()
    media = greedy.member.socket.down.counters.bytes
    for _ in range(200):
        for step in range(100):
            sequence = (greedy.reception.highest - 17 * step) & 0xFFFF
            greedy.member.peer.send_rtcp(rtcp_nack(1, ssrc, [(sequence, 0xFFFF)] * 4))
        sim.run(0.01)
    after = sim.shard.stats()
    assert after["nacks_in"] - before["nacks_in"] >= 19_000
    sent = greedy.member.socket.down.counters.bytes - media
    plain = 2 * 30 * 4 * 1000
    # Half again of the media, and the credit that it began with.
    assert sent <= 1.5 * plain + 300_000
    call.end()
    for each in call.consumed:
        assert undelivered(each) == []
    assert_clean(sim)


def test_one_packet_is_sent_again_at_most_ten_times() -> None:
    call = two_party_call(102, audio=False)
    sim = call.sim
    sim.run(1)
    greedy = call.consumed[0]
    sequence = greedy.reception.highest & 0xFFFF
    before = sim.shard.stats()["resent"]
    for _ in range(100):
        greedy.member.peer.send_rtcp(rtcp_nack(1, greedy.reception.settings.ssrc, [(sequence, 0)]))
        sim.run(0.02)
    # Two seconds of media have nearly pushed it out; ten is the limit before that.
    assert 1 <= sim.shard.stats()["resent"] - before <= 10
    assert_clean(sim)


def test_nacks_for_what_was_never_sent_are_ignored() -> None:
    call = two_party_call(103)
    sim = call.sim
    sim.run(1)
    before = sim.shard.stats()["resent"]
    for each in call.consumed:
        ahead = (each.reception.highest + 5000) & 0xFFFF
        behind = (each.reception.first_index - 20) & 0xFFFF
        each.member.peer.send_rtcp(rtcp_nack(1, each.reception.settings.ssrc, [(ahead, 0xFFFF), (behind, 0x0007)]))
        each.member.peer.send_rtcp(rtcp_nack(1, each.reception.settings.rtx_ssrc or 5, [(1, 0xFFFF)]))
    sim.run(0.5)
    assert sim.shard.stats()["resent"] == before
    assert_clean(sim)


def test_a_publisher_that_loses_everything_is_asked_within_bounds() -> None:
    """Half of what is published never comes, whatever is asked: requests stay in proportion."""
    call = two_party_call(104, rtx=False, audio=False)
    sim = call.sim
    sim.run(1)
    sender = call.members[0]
    sender.socket.up.link = Link(loss=0.5)
    before = sim.shard.stats()
    down = sender.socket.down
    kinds = {"rtcp": 0}
    deliver = down.deliver

    def count(data: bytes) -> None:
        kinds["rtcp"] += len(data) if data[0] >> 6 == 2 and data[1] in RTCP_TYPES else 0
        deliver(data)

    down.deliver = count
    sim.run(5)
    nacks = sim.shard.stats()["nacks_out"] - before["nacks_out"]
    lost = sender.socket.up.counters.lost
    assert nacks <= 10 * lost
    assert kinds["rtcp"] <= 5 * 20_000, "20 kB/s of feedback at most"
    assert_clean(sim)
