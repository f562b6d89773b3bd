"""A pipe between two workers: what is published at one is received at the other, whatever the path between them does."""

from __future__ import annotations

import pytest
from support.calls import assert_clean, assert_no_gaps, connect
from support.netem import US_PER_S, Link
from support.simulation import Consumed
from support.two_workers import TwoWorkers

LINKS = {
    "clear": Link(delay_us=100),
    "lossy": Link(delay_us=10_000, loss=0.05),
    "disordered": Link(delay_us=10_000, jitter_us=5_000, reorder=0.05, duplicate=0.02),
    "worst": Link(delay_us=20_000, loss=0.05, reorder=0.05, duplicate=0.02, corrupt=0.01),
}


def call(link: Link, kind: str, *, rtx: bool = True, seconds: float = 10) -> tuple[TwoWorkers, Consumed]:
    """One publishes at the near worker, one at the far worker receives it; at the end the pipe is clear."""
    both = TwoWorkers(7, link)
    anna = both.near.add_peer("anna")
    connect(both.near, anna)
    source = both.near.publish(anna, kind, rtx=rtx)
    heard = both.subscribe("ben", both.pipe(source))
    both.run(seconds)
    both.set_link(Link())
    both.run(0.5)
    source.track.stop()
    both.run(1)
    return both, heard


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
@pytest.mark.parametrize(("kind", "rtx"), [("video", True), ("video", False), ("audio", False)])
def test_everything_arrives(link: Link, kind: str, rtx: bool) -> None:
    both, heard = call(link, kind, rtx=rtx)
    first = min(arrival.stamp.counter for arrival in heard.reception.arrivals.values())
    due = {(heard.source.track.settings.stream, counter) for counter in heard.source.track.sent if counter >= first}
    assert set(heard.reception.by_counter) == due
    assert len(due) > 400
    assert_no_gaps(heard)
    assert_clean(both.near)
    assert_clean(both.far)
    if link.loss:
        assert both.far.shard.stats()["piped_expected"] > 0
        assert both.there.down.counters.lost > 10
