"""A room over two workers: its people get each other's media by pipes, and notice nothing of it."""

from __future__ import annotations

import os
import signal
from collections import Counter
from itertools import pairwise

import pytest
from support.load_run import SETTLE_S, Outcome, run_disturbed, run_here
from support.process import spare_pids
from support.server import running
from support.waiting import eventually

from simplestchat.load import scenario as s

pytestmark = [pytest.mark.e2e, pytest.mark.alone]
WORKERS = {"WORKERS": "2", "SPREAD_AT": "0"}
CALL = s.Publish(video="360p30", bitrate_bps=300_000)


def found_right(outcome: Outcome) -> Counter[str]:
    """Everything that was sent came where it was due, and nowhere else.

    What full sockets of the users dropped, as on a machine that stood still for a while, the server did not lose.
    """
    assert outcome.finished is not None
    assert outcome.finished.faults == {}
    totals = Counter(outcome.totals)
    wrong = ("corrupt", "misdelivered", "silent_streams", "request_errors")
    assert {name: totals[name] for name in wrong if totals[name]} == {}
    assert totals["lost"] <= outcome.receive_drops
    assert totals["joins"] == totals["joins_tried"] > 0
    assert totals["transports"] == totals["transports_connected"] > 0
    return totals


def test_everybody_receives_everybody_and_mutes_are_heeded() -> None:
    scenario = s.Scenario(
        name="two-workers",
        shape=s.Shape(clients=6),
        publish=CALL,
        ramp=s.Ramp(joins_per_s=20, hold_s=8, settle_s=SETTLE_S),
        behaviour=s.Behaviour(mutes_per_minute=15),
    )
    with running(**WORKERS) as server:
        totals = found_right(run_here(scenario, server.url, seed=51))
        # What the workers tell once the pipes are gone is what they counted to the end.
        piping = ("piped_producers", "pipe_consumers")
        eventually(lambda: [server.worker_metric(name) for name in piping], [[0, 0], [0, 0]].__eq__)
        assert totals["sent_forbidden"] > 0
        assert totals["delivered"] > 6 * 5 * 5 * 50
        forwarded = server.worker_metric("packets_forwarded_total")
        assert len(forwarded) == 2
        assert min(forwarded) > 0.2 * sum(forwarded)
        piped = server.worker_metric("pipe_packets_sent_total")
        assert min(piped) > 0
        assert sum(piped) < 0.5 * sum(forwarded)
        assert server.worker_metric("pipe_packets_received_total") == server.worker_metric(
            "pipe_packets_expected_total"
        )
        assert sum(server.worker_metric("pipe_packets_received_total")) == sum(piped)
        # A piped track is not published twice: what came from publishers is what they have sent.
        assert sum(server.worker_metric("media_received_total")) == sum(server.worker_metric("media_expected_total"))


def test_people_who_come_and_go_and_turn_pages() -> None:
    scenario = s.Scenario(
        name="pages",
        shape=s.Shape(clients=6),
        publish=CALL,
        subscribe=s.Subscribe(mode="page", limit=2),
        ramp=s.Ramp(joins_per_s=20, hold_s=6, settle_s=SETTLE_S),
        churn=s.Churn(share=0.5, stay_s=2, away_s=0.3, crash_share=0.5),
        behaviour=s.Behaviour(pages_per_minute=40),
    )
    with running(**WORKERS) as server:
        totals = found_right(run_here(scenario, server.url))
        assert totals["pages_turned"] > 5
        assert min(server.worker_metric("pipe_packets_sent_total")) > 0


def test_what_a_lost_worker_had_is_piped_anew() -> None:
    ramp = s.Ramp(joins_per_s=20, hold_s=8, settle_s=SETTLE_S)
    scenario = s.Scenario(name="worker", shape=s.Shape(clients=4), publish=CALL, ramp=ramp)
    with running(**WORKERS) as server:
        eventually(lambda: spare_pids(server.pid), bool)
        outcome = run_disturbed(lambda: os.kill(server.worker_pids()[0], signal.SIGKILL), scenario, server)
    assert outcome.finished is not None
    # Half of the people lost their two transports and made others.
    assert outcome.finished.faults == {"transport-failed": 4}
    assert outcome.totals["transports_connected"] == 12
    assert outcome.samples[-3].gauges["receiving"] == 4 * 3 * 2
    assert (outcome.totals["misdelivered"], outcome.totals["corrupt"]) == (0, 0)
    seconds = [one.totals["delivered"] for one in outcome.samples if one.phase == "hold"]
    assert max(after - before for before, after in pairwise(seconds[-4:])) > 4 * 3 * 50 * 0.8
