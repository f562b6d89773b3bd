"""Plans are a function of scenario and seed, whoever computes them, and keep to the rates that were asked for."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simplestchat.load import scenario as s
from simplestchat.load.plan import LEAST_STAY_S, Plan, name_of, who_is


def spans(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


SCENARIOS = st.builds(
    s.Scenario,
    name=st.just("x"),
    shape=st.builds(s.Shape, clients=st.integers(1, 60), room_size=st.integers(0, 20), presenters=st.integers(0, 5)),
    publish=st.builds(
        s.Publish,
        audio=st.booleans(),
        video=st.sampled_from(["", "360p30", "1080p60"]),
        talk=st.sampled_from(["always", "turns", "spurts", "never"]),
        talk_s=spans(0.5, 5),
    ),
    subscribe=st.builds(s.Subscribe, mode=st.just("page"), limit=st.integers(1, 9)),
    ramp=st.builds(s.Ramp, joins_per_s=spans(1, 100), hold_s=spans(1, 60)),
    churn=st.builds(s.Churn, share=spans(0, 1), stay_s=spans(1, 20), away_s=spans(0.2, 5), crash_share=spans(0, 1)),
    behaviour=st.builds(
        s.Behaviour,
        chat_per_minute=spans(0, 60),
        mutes_per_minute=spans(0, 20),
        pages_per_minute=spans(0, 20),
        audio_only_share=spans(0, 1),
        reconnect_at_s=spans(0, 30),
        refused=st.integers(0, 20),
    ),
    network=st.builds(
        s.Network,
        share=spans(0, 1),
        up=st.just(s.Conditions(loss=0.1)),
        steps=st.lists(
            st.builds(
                s.Step,
                at_s=spans(0, 20),
                share=spans(0, 1),
                event=st.sampled_from(["conditions", "outage", "address-change"]),
                restart_share=spans(0, 1),
                duration_s=spans(0, 5),
                down=st.just(s.Conditions(rate_bps=1000)),
            ),
            max_size=3,
        ).map(tuple),
    ),
)
SEEDS = st.integers(0, 2**32)


def make(**parts: Any) -> s.Scenario:
    return s.Scenario(name="x", **parts)


@given(SCENARIOS, SEEDS)
@settings(max_examples=60)
def test_the_same_seed_gives_the_same_plan_in_any_process_and_order(scenario: s.Scenario, seed: int) -> None:
    there = msgspec.msgpack.decode(msgspec.msgpack.encode(scenario), type=s.Scenario)
    one, other = Plan(scenario, seed), Plan(there, seed)
    indices = range(scenario.shape.clients)
    backwards = {index: other.user(index) for index in reversed(indices)}
    assert [one.user(index) for index in indices] == [backwards[index] for index in indices]


def test_another_seed_gives_another_plan() -> None:
    scenario = make(shape=s.Shape(clients=20), behaviour=s.Behaviour(chat_per_minute=30))
    assert Plan(scenario, 1).user(3).chats != Plan(scenario, 2).user(3).chats
    assert Plan(scenario, 1).user(3).seed != Plan(scenario, 1).user(4).seed


def test_changing_one_setting_moves_nothing_else() -> None:
    behaviour = s.Behaviour(chat_per_minute=30)
    calm = Plan(make(behaviour=behaviour), 1).user(3)
    busy = Plan(make(behaviour=msgspec.structs.replace(behaviour, mutes_per_minute=20)), 1).user(3)
    assert busy.mutes
    assert calm == msgspec.structs.replace(busy, mutes=())


def test_pages_are_turned_only_where_pages_are_looked_at() -> None:
    behaviour = s.Behaviour(chat_per_minute=30, pages_per_minute=20)
    all_at_once = Plan(make(behaviour=behaviour), 1).user(3)
    by_pages = Plan(make(behaviour=behaviour, subscribe=s.Subscribe(mode="page", limit=4)), 1).user(3)
    assert by_pages.page_turns
    assert all_at_once == msgspec.structs.replace(by_pages, page_turns=())


@given(SCENARIOS, st.integers(1, 8))
@settings(max_examples=60)
def test_parts_share_the_users_and_strangers_out(scenario: s.Scenario, parts: int) -> None:
    plan = Plan(scenario, 1)
    users = [index for part in range(parts) for index in plan.indices(part, parts)]
    strangers = [index for part in range(parts) for index in plan.strangers(part, parts)]
    assert sorted(users) == list(range(scenario.shape.clients))
    assert sorted(strangers) == list(range(scenario.behaviour.refused))


@given(SCENARIOS, SEEDS)
@settings(max_examples=60)
def test_rooms_hold_everyone_and_their_first_ones_publish(scenario: s.Scenario, seed: int) -> None:
    plan = Plan(scenario, seed)
    users = [plan.user(index) for index in range(plan.clients)]
    for room in range(plan.rooms):
        inside = [user for user in users if user.room == room]
        assert [user.place for user in inside] == list(range(plan.members(room)))
        publishing = [user.place for user in inside if user.audio or user.video]
        sends = scenario.publish.audio or scenario.publish.video
        assert publishing == list(range(plan.publishers(room) if sends else 0))
    assert sum(plan.members(room) for room in range(plan.rooms)) == plan.clients


@given(SCENARIOS, SEEDS)
@settings(max_examples=100)
def test_everything_a_user_does_lies_within_its_visits(scenario: s.Scenario, seed: int) -> None:
    plan = Plan(scenario, seed)
    for index in range(plan.clients):
        user = plan.user(index)
        assert user.visits[0].begin_s == plan.join_at_s(index) <= plan.ramp_s
        for before, after in zip(user.visits, user.visits[1:], strict=False):
            assert before.ending in ("leave", "crash")
            assert after.begin_s >= before.end_s + scenario.churn.away_s - 1e-9
        for visit in user.visits:
            assert visit.end_s <= plan.media_end_s
            assert visit.end_s - visit.begin_s >= LEAST_STAY_S - 1e-9
            assert (visit.ending == "stay") == (visit.end_s == plan.media_end_s)
        for at in user.chats:
            assert user.visit_at(at)
        for at in user.page_turns:
            assert user.visit_at(at)
        for mute in user.mutes:
            assert user.visit_at(mute.begin_s) == user.visit_at(mute.end_s) is not None
            assert user.video if mute.video else user.audio
        for first, second in zip(user.mutes, user.mutes[1:], strict=False):
            assert first.end_s <= second.begin_s
        assert list(user.changes) == sorted(user.changes, key=lambda change: change.at_s)


def test_rates_are_as_asked() -> None:
    scenario = make(
        shape=s.Shape(clients=400, room_size=10),
        ramp=s.Ramp(joins_per_s=1000, hold_s=120),
        behaviour=s.Behaviour(chat_per_minute=6, mutes_per_minute=0, pages_per_minute=4),
        subscribe=s.Subscribe(mode="page", limit=4),
        churn=s.Churn(share=0.25, stay_s=8, away_s=2, crash_share=0.4),
    )
    plan = Plan(scenario, 7)
    users = [plan.user(index) for index in range(400)]
    churning = [user for user in users if len(user.visits) > 1]
    assert 95 <= len(churning) <= 100
    chats = sum(len(user.chats) for user in users if len(user.visits) == 1)
    assert chats == pytest.approx(300 * 2 * 6, rel=0.05)
    turns = sum(len(user.page_turns) for user in users if len(user.visits) == 1)
    assert turns == pytest.approx(300 * 2 * 4, rel=0.05)
    ended = [visit for user in churning for visit in user.visits if visit.ending != "stay"]
    assert sum(visit.end_s - visit.begin_s for visit in ended) / len(ended) == pytest.approx(8, rel=0.1)
    assert sum(visit.ending == "crash" for visit in ended) / len(ended) == pytest.approx(0.4, abs=0.05)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_is_an_exact_number_of_users(share: float) -> None:
    scenario = make(
        shape=s.Shape(clients=50),
        behaviour=s.Behaviour(audio_only_share=share, reconnect_at_s=5, reconnect_share=share),
        network=s.Network(
            share=share, up=s.Conditions(loss=0.1), steps=(s.Step(at_s=1, share=share, event="outage", duration_s=2),)
        ),
    )
    users = [Plan(scenario, 3).user(index) for index in range(50)]
    wanted = round(share * 50)
    assert sum(user.audio_only_at_s is not None for user in users) == wanted
    assert sum(user.reconnect_at_s is not None for user in users) == wanted
    assert sum(user.up is not None for user in users) == wanted
    assert sum(len(user.changes) == 2 for user in users) == round(share * wanted)
    assert all(user.up is not None for user in users if user.changes), "steps are of users behind emulated paths"


def test_a_share_of_those_whose_address_changes_restart_ice() -> None:
    step = s.Step(at_s=1, share=0.5, event="address-change", restart_share=0.5)
    scenario = make(shape=s.Shape(clients=40), network=s.Network(share=0.5, steps=(step,)))
    changes = [change for index in range(40) for change in Plan(scenario, 3).user(index).changes]
    assert (len(changes), sum(change.restart for change in changes)) == (10, 5)


def test_after_a_step_the_users_own_conditions_return() -> None:
    own, step = s.Conditions(loss=0.02), s.Conditions(rate_bps=300_000)
    scenario = make(
        shape=s.Shape(clients=2),
        network=s.Network(share=1.0, down=own, steps=(s.Step(at_s=4, down=step, duration_s=3),)),
    )
    plan = Plan(scenario, 1)
    for user in (plan.user(0), plan.user(1)):
        first, last = user.changes
        assert (first.at_s, first.down) == (plan.ramp_s + 4, step)
        assert (last.at_s, last.down) == (plan.ramp_s + 7, user.down)


@given(SCENARIOS, SEEDS, spans(0, 100))
@settings(max_examples=60)
def test_one_of_a_room_talks_at_a_time(scenario: s.Scenario, seed: int, at_s: float) -> None:
    plan = Plan(scenario, seed)
    for room in range(plan.rooms):
        turns = [plan.turn(room, place, at_s) for place in range(plan.publishers(room))]
        assert sum(begin <= at_s < end for begin, end in turns) == 1
        assert len(set(turns)) == len(turns)
        assert all(end > at_s for _, end in turns)


@given(SCENARIOS, SEEDS)
@settings(max_examples=40)
def test_a_page_is_a_piece_of_the_publishers(scenario: s.Scenario, seed: int) -> None:
    plan = Plan(scenario, seed)
    for index in range(plan.clients):
        page = plan.page(index)
        assert 0 < len(page) <= scenario.subscribe.limit
        assert set(page) <= set(range(plan.publishers(index // plan.room_size)))


@given(SCENARIOS, SEEDS)
@settings(max_examples=40)
def test_who_turns_all_pages_has_seen_everybody_once_and_begins_anew(scenario: s.Scenario, seed: int) -> None:
    plan = Plan(scenario, seed)
    for index in range(plan.clients):
        publishers = plan.publishers(index // plan.room_size)
        pages = -(-publishers // scenario.subscribe.limit)
        seen = [place for turned in range(pages) for place in plan.page(index, turned)]
        assert sorted(seen) == list(range(publishers))
        assert plan.page(index, pages) == plan.page(index)


@given(st.integers(0, 10**8), st.integers(0, 10**5))
def test_a_name_says_who_it_is(index: int, visit: int) -> None:
    assert who_is(name_of(index, visit)) == (index, visit)


@pytest.mark.parametrize("name", ["", "u", "ux", "u1.0", "u01", "u1.", "u-1", "Ada", "u1\n", "browser-1"])
def test_other_names_are_other_people(name: str) -> None:
    assert who_is(name) is None
