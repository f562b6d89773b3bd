"""What a worker counts as lost, on both of its sides, is what was lost."""

from __future__ import annotations

from support.calls import assert_clean, two_party_call, undelivered
from support.netem import BLACK_OUT, Link

OUTAGE_S = 3.0  # longer than anything is asked for again


def test_without_loss_everything_expected_came() -> None:
    call = two_party_call(141, up=Link(jitter_us=5_000, reorder=0.05, duplicate=0.05))
    call.sim.run(2)
    call.end()
    stats = call.sim.shard.stats()
    assert stats["media_in"] == stats["media_expected"] == sum(len(each.track.sent) for each in call.published)
    assert stats["reported_lost"] == 0


def test_what_a_publisher_lost_for_good_is_missing_from_what_was_expected() -> None:
    call = two_party_call(142)
    call.sim.run(1)
    for member in call.members:
        member.socket.up.link = BLACK_OUT
    call.sim.run(OUTAGE_S)
    call.end()
    missing = sum(len(undelivered(each)) for each in call.consumed)
    stats = call.sim.shard.stats()
    assert missing > OUTAGE_S * 100
    assert stats["media_expected"] - stats["media_in"] == missing
    assert_clean(call.sim)


def test_what_subscribers_report_as_lost_is_counted_and_not_twice() -> None:
    call = two_party_call(143)
    call.sim.run(1)
    ben = call.members[1].socket
    dropped = ben.down.counters.lost
    ben.down.link = BLACK_OUT
    call.sim.run(OUTAGE_S)
    assert call.sim.shard.stats()["reported_lost"] == 0, "nobody knows yet"
    ben.down.link = Link()
    call.sim.run(3)
    reported = call.sim.shard.stats()["reported_lost"]
    assert 0 < reported <= ben.down.counters.lost - dropped
    call.sim.run(3)
    assert call.sim.shard.stats()["reported_lost"] == reported
    call.end()
    assert_clean(call.sim)
