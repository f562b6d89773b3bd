"""Reordered, doubled and damaged packets: nothing is delivered twice or damaged, and little is asked for in vain."""

from __future__ import annotations

import pytest
from support.calls import assert_clean, expected_counters, two_party_call, undelivered
from support.netem import Link

PLAIN = Link(delay_us=10_000)
DISORDER = PLAIN.but(reorder=0.1, reorder_us=30_000, duplicate=0.05, corrupt=0.01)


@pytest.mark.parametrize("rtx", [True, False], ids=["rtx", "resealed"])
def test_disorder_both_ways(rtx: bool) -> None:
    call = two_party_call(21, up=PLAIN, down=PLAIN, rtx=rtx)
    call.sim.run(1)
    call.set_links(DISORDER)
    call.sim.run(6)
    call.end(PLAIN)
    for member in call.members:
        assert member.socket.up.counters.duplicated > 50
        assert member.socket.down.counters.corrupted > 3
    for each in call.videos():
        assert undelivered(each, 500_000) == []
    for each in call.consumed:
        assert len(undelivered(each)) <= 0.03 * len(expected_counters(each))
    stats = call.sim.shard.stats()
    assert stats["dropped_replay"] > 50, "copies are told from originals"
    assert stats["dropped_auth"] > 5, "damage is told from forgery by nobody: both are dropped"
    assert_clean(call.sim)


def test_reordering_alone_loses_nothing() -> None:
    link = PLAIN.but(reorder=0.1, reorder_us=10_000)
    call = two_party_call(22, up=link, down=link)
    call.sim.run(5)
    call.end(PLAIN)
    for each in call.consumed:
        assert undelivered(each) == []
    assert_clean(call.sim)
