"""Synthetic users against the real server: whatever they do, a right server is found to be right."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest
from support.load_run import SETTLE_S, Outcome, run_disturbed, run_here, run_in_processes
from support.process import spare_pids
from support.server import Server, running
from support.waiting import eventually

from simplestchat.load import scenario as s
from simplestchat.load.plan import Plan

pytestmark = [pytest.mark.e2e, pytest.mark.alone]
FAST = s.Ramp(joins_per_s=20, hold_s=4, settle_s=SETTLE_S)
CALL = s.Publish(video="360p30", bitrate_bps=300_000)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


def found_right(*outcomes: Outcome, loses: bool = False) -> Counter[str]:
    """Nothing is wrong with a run, but for losses when it ``loses`` some; its totals.

    What full sockets of the users dropped, as on a machine that stood still for a while, the server did not lose.
    """
    totals: Counter[str] = Counter()
    dropped = 0.0
    for outcome in outcomes:
        assert outcome.finished is not None
        assert outcome.finished.faults == {}
        totals.update(outcome.totals)
        dropped += outcome.receive_drops
    wrong = ("corrupt", "misdelivered", "chat_lost", "chat_disorder", "silent_streams", "request_errors")
    assert {name: totals[name] for name in wrong if totals[name]} == {}
    assert loses or totals["lost"] <= dropped, (totals["lost"], dropped)
    assert totals["joins"] == totals["joins_tried"] > 0
    assert totals["transports"] == totals["transports_connected"] > 0
    assert totals["chat_acked"] == totals["chat_sent"]
    return totals


def test_a_call_with_chat_and_mutes(server: Server) -> None:
    scenario = s.Scenario(
        name="call",
        shape=s.Shape(clients=5),
        publish=CALL,
        ramp=s.Ramp(joins_per_s=20, hold_s=6.5, settle_s=SETTLE_S),
        behaviour=s.Behaviour(chat_per_minute=40, mutes_per_minute=12),
    )
    outcome = run_here(scenario, server.url, seed=3)
    totals = found_right(outcome)
    assert (totals["joins"], totals["transports"]) == (5, 10)
    plans = [Plan(scenario, 3).user(index) for index in range(5)]
    assert totals["chat_sent"] == sum(len(plan.chats) for plan in plans) > 10
    assert totals["chat_received"] == 5 * totals["chat_acked"]
    assert sum(len(plan.mutes) for plan in plans) > 0
    assert totals["sent_forbidden"] > 0
    assert totals["delivered"] > 5 * 4 * 5 * 50
    assert outcome.finished is not None
    assert len(outcome.finished.users) == 5
    assert len(outcome.finished.streams) == 5 * 4 * 2
    assert all(user.received_bytes > 0 and user.receiving_s > 5 for user in outcome.finished.users)
    assert outcome.count("ready") == 5
    assert outcome.count("chat") == totals["chat_received"]
    assert outcome.count("first_frame") >= 5 * 4


def test_people_who_come_and_go_and_crash(server: Server) -> None:
    scenario = s.Scenario(
        name="churn",
        shape=s.Shape(clients=8, room_size=4),
        publish=CALL,
        ramp=FAST,
        churn=s.Churn(share=0.75, stay_s=1.5, away_s=0.3, crash_share=0.5),
        behaviour=s.Behaviour(chat_per_minute=30),
    )
    totals = found_right(run_here(scenario, server.url))
    visits = [visit for index in range(8) for visit in Plan(scenario, 1).user(index).visits]
    assert totals["joins"] == len(visits) > 10
    assert {visit.ending for visit in visits} == {"stay", "leave", "crash"}


def test_connections_and_addresses_that_change(server: Server) -> None:
    scenario = s.Scenario(
        name="unstable",
        shape=s.Shape(clients=5),
        publish=s.Publish(video="360p30", bitrate_bps=300_000, talk="turns", talk_s=1.0),
        ramp=FAST,
        behaviour=s.Behaviour(chat_per_minute=60, reconnect_at_s=2, audio_only_share=0.4),
        network=s.Network(share=1.0, steps=(s.Step(at_s=3, event="address-change", share=0.4, restart_share=0.5),)),
    )
    outcome = run_here(scenario, server.url)
    totals = found_right(outcome, loses=True)
    # An address that has not proven itself by SRTCP gets a few kilobytes at most (docs/security.md, row 37).
    assert totals["lost"] < 0.05 * totals["delivered"]
    assert totals["reconnects"] == outcome.count("reconnect") == 5
    assert totals["ice_restarts"] == 2, "one of the two who changed their address restarts both of its paths"
    assert totals["connections_lost"] == 0
    assert totals["chat_received"] == 5 * totals["chat_acked"] > 0


def test_cameras_of_every_codec_in_one_room(server: Server) -> None:
    scenario = s.Scenario(
        name="codecs",
        shape=s.Shape(clients=5, presenters=4),
        publish=s.Publish(audio=False, video="360p30", bitrate_bps=300_000, codec="mixed"),
        ramp=s.Ramp(joins_per_s=5, hold_s=4, settle_s=SETTLE_S),
    )
    outcome = run_here(scenario, server.url)
    found_right(outcome)
    assert {Plan(scenario, 1).user(index).codec for index in range(4)} == {"vp8", "h264", "vp9", "av1"}
    assert outcome.finished is not None
    streams = outcome.finished.streams
    assert Counter(one.publisher for one in streams) == dict.fromkeys(range(4), 4)
    for one in streams:
        assert one.totals["keyframes"] > 0
        assert one.totals["frames"] > 50
        assert one.totals["corrupt"] == one.totals["misdelivered"] == 0


def test_pages_that_are_turned(server: Server) -> None:
    scenario = s.Scenario(
        name="pages",
        shape=s.Shape(clients=6),
        publish=CALL,
        subscribe=s.Subscribe(mode="page", limit=2),
        ramp=s.Ramp(joins_per_s=20, hold_s=10, settle_s=SETTLE_S),
        behaviour=s.Behaviour(pages_per_minute=20),
    )
    outcome = run_here(scenario, server.url)
    totals = found_right(outcome)
    plan = Plan(scenario, 1)
    turns = [plan.user(index).page_turns for index in range(6)]
    assert totals["pages_turned"] == sum(map(len, turns)) > 10
    assert outcome.finished is not None
    looked = Counter((one.subscriber, one.publisher) for one in outcome.finished.streams if one.track)
    planned = Counter(
        (user, place)
        for user in range(6)
        for turned in range(len(turns[user]) + 1)
        for place in plan.page(user, turned)
        if place != user
    )
    # A page that is turned again at once is never asked for.
    assert looked <= planned
    assert looked.total() > 0.8 * planned.total()
    # A new page waits for a keyframe, and for the probe that shows that its second video fits. The last page is looked
    # at while everything settles, too, when nothing is sent any more.
    seen = [one for one in outcome.finished.streams if one.track and one.seconds > SETTLE_S + 1]
    assert sum(one.totals["frames"] > 0 for one in seen) > 0.9 * len(seen) > 0
    assert all(one.totals["frames"] for one in seen if one.seconds > SETTLE_S + 3)
    assert outcome.count("first_frame") > 0.5 * looked.total()
    assert sum(one.track == 0 for one in outcome.finished.streams) == 6 * 5


def test_some_of_the_others_are_received_and_whoever_goes_is_replaced(server: Server) -> None:
    scenario = s.Scenario(
        name="some",
        shape=s.Shape(clients=6),
        publish=CALL,
        subscribe=s.Subscribe(mode="some", limit=2),
        ramp=FAST,
        churn=s.Churn(share=0.5, stay_s=1.5, away_s=0.3, crash_share=0.0),
    )
    outcome = run_here(scenario, server.url, seed=3)
    found_right(outcome)
    assert outcome.finished is not None
    received = Counter(one.subscriber for one in outcome.finished.streams)
    # With this seed the first two come and go, whom everybody else receives at first.
    visits = [Plan(scenario, 3).user(index).visits for index in range(6)]
    departures = sum(len(one) - 1 for one in visits)
    staying = [index for index in range(6) if len(visits[index]) == 1]
    assert 0 not in staying
    assert 1 not in staying
    assert all(2 * 2 <= received[index] <= 2 * (2 + departures) for index in staying)
    assert max(received[index] for index in staying) > 2 * 2
    # All of the others, and everybody who came again, would be more.
    assert max(received[index] for index in staying) < 2 * (5 + departures)


def test_strangers_stay_outside(server: Server) -> None:
    scenario = s.Scenario(
        name="locked",
        shape=s.Shape(clients=3),
        publish=s.Publish(video=""),
        ramp=FAST,
        behaviour=s.Behaviour(chat_per_minute=30, refused=3),
    )
    totals = found_right(run_here(scenario, server.url))
    assert totals["refusals"] == 6


def test_users_in_two_processes_are_one_room(server: Server) -> None:
    scenario = s.Scenario(
        name="shared",
        shape=s.Shape(clients=6, presenters=3),
        publish=CALL,
        ramp=s.Ramp(joins_per_s=20, hold_s=2, settle_s=SETTLE_S),
        behaviour=s.Behaviour(chat_per_minute=30),
    )
    outcomes = run_in_processes(scenario, server.url, 2)
    totals = found_right(*outcomes)
    assert [one.ready.users for one in outcomes if one.ready] == [3, 3]
    assert totals["joins"] == 6
    assert sum(len(one.finished.streams) for one in outcomes if one.finished) == (3 * 2 + 3 * 3) * 2
    acked = [pair for one in outcomes if one.finished for pairs in one.finished.acked.values() for pair in pairs]
    assert len(acked) == totals["chat_acked"]
    assert len({seq for seq, _ in acked}) == len(acked)


def test_a_server_that_is_not_there_is_counted() -> None:
    scenario = s.Scenario(
        name="nobody", shape=s.Shape(clients=2), ramp=s.Ramp(joins_per_s=20, hold_s=0.5, settle_s=0.1)
    )
    outcome = run_here(scenario, "http://127.0.0.1:9")
    assert outcome.finished is not None
    assert outcome.finished.faults == {"join-failed": 2}
    assert outcome.totals["join_failures"] == 2


def test_users_rebuild_what_a_lost_worker_took() -> None:
    ramp = s.Ramp(joins_per_s=20, hold_s=8, settle_s=SETTLE_S)
    scenario = s.Scenario(name="worker", shape=s.Shape(clients=4), publish=CALL, ramp=ramp)
    with running() as server:
        eventually(lambda: spare_pids(server.pid), bool)
        outcome = run_disturbed(lambda: os.kill(server.worker_pids()[0], signal.SIGKILL), scenario, server)
    assert outcome.finished is not None
    assert outcome.finished.faults == {"transport-failed": 8}
    assert outcome.totals["transports_connected"] == 16
    assert outcome.samples[-3].gauges["receiving"] == 4 * 3 * 2
    assert (outcome.totals["misdelivered"], outcome.totals["corrupt"]) == (0, 0)
    seconds = [one.totals["delivered"] for one in outcome.samples if one.phase == "hold"]
    assert max(after - before for before, after in pairwise(seconds[-4:])) > 4 * 3 * 50 * 0.8


def test_users_of_a_server_that_ends_are_counted_and_nothing_else() -> None:
    scenario = s.Scenario(
        name="ended", shape=s.Shape(clients=3), publish=CALL, ramp=s.Ramp(joins_per_s=20, hold_s=4, settle_s=0.2)
    )
    with Server() as server:
        outcome = run_disturbed(server.kill, scenario, server)
    assert outcome.finished is not None
    assert outcome.totals["connections_lost"] == 3
    assert outcome.finished.faults["connection-lost"] == 3
    assert set(outcome.finished.faults) <= {"connection-lost", "transport-failed", "silent-stream"}
