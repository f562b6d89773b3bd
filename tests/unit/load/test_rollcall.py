"""Whether everybody is told of everybody: who is missed is named once and in time, and nobody is missed for nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from simplestchat.load import rollcall as module
from simplestchat.load import scenario as s
from simplestchat.load.counts import Tally
from simplestchat.load.plan import Plan, name_of
from simplestchat.load.roll import Roll
from simplestchat.load.rollcall import LONG_PATIENCE_S, PATIENCE_S, RollCall
from simplestchat.load.rooms import Room

CALL = s.Scenario(
    name="call",
    shape=s.Shape(clients=4),
    publish=s.Publish(video="360p15"),
    ramp=s.Ramp(joins_per_s=100, hold_s=100),
)


def leaving(crash_share: float = 0.0, **churn: float) -> s.Scenario:
    return s.Scenario(
        name="leaving",
        shape=s.Shape(clients=2),
        publish=s.Publish(video="360p15"),
        ramp=s.Ramp(joins_per_s=100, hold_s=100),
        churn=s.Churn(**{"share": 1.0, "stay_s": 1, "away_s": 60, "crash_share": crash_share, **churn}),
    )


class Stage:
    """Users of one process, of as many as there are ``parts``, in one room, in a time that the test lets pass."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, scenario: s.Scenario = CALL, parts: int = 1) -> None:
        self.now_s = 1.0
        monkeypatch.setattr(module, "now_us", lambda: round(self.now_s * 1_000_000))
        self.plan, self.tally, self.room = Plan(scenario, 1), Tally(), Room(0, "r", None)
        self.world: Any = SimpleNamespace(
            plan=self.plan,
            scenario=scenario,
            tally=self.tally,
            now_s=lambda: self.now_s,
            is_ours=lambda index: index % parts == 0,
            parted=lambda index, visit: self.plan.visits(index)[visit].ending == "leave",
        )
        self.call = RollCall(self.world)
        self.stays: dict[int, Any] = {}
        for index in range(0, self.plan.clients, parts):
            self.enter(index)

    def enter(self, index: int, visit: int = 0) -> None:
        plan = self.plan.user(index)
        self.stays[index] = SimpleNamespace(
            plan=plan,
            visit=plan.visits[visit],
            joined=True,
            gone=False,
            leaving=False,
            client=SimpleNamespace(is_open=True),
            publishing=SimpleNamespace(tracks={False: object(), True: object()}),
            roll=Roll(self.plan, self.room, self.world.parted, lambda word, what: self.tally.fault(word, index, what)),
        )
        self.call.enter(self.stays[index])

    def tell(self, index: int, *others: int, visit: int = 0, video: bool = True) -> None:
        """A user hears of others with all their tracks."""
        for other in others:
            name = name_of(other, visit)
            self.room.meet(name, name)
            self.stays[index].roll.joined(name)
            for kind in (False, True) if video else (False,):
                self.stays[index].roll.opened(name, f"{name} {kind}", video=kind)

    def tell_all(self) -> None:
        for index in self.stays:
            self.tell(index, *(other for other in range(self.plan.clients) if other != index))

    def pass_by(self, span_s: float) -> dict[str, int]:
        """Look every second."""
        for _ in range(round(span_s)):
            self.now_s += 1
            there = self.call.there(0)
            for called in self.call._rooms[0].values():
                self.call.look(called, there)
        return dict(self.tally.faults)


def test_nobody_is_missed_where_all_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for parts in (1, 2):
        stage = Stage(monkeypatch, parts=parts)
        stage.tell_all()
        assert stage.pass_by(60) == {}


@pytest.mark.parametrize("what", ["camera", "peer"])
def test_what_is_not_announced_is_told_once_and_in_time(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    stage = Stage(monkeypatch)
    for index in (0, 1, 2):
        stage.tell(index, *{0, 1, 2, 3} - {index})
    stage.tell(3, 0, 1)
    if what == "camera":
        stage.tell(3, 2, video=False)
    assert stage.pass_by(PATIENCE_S) == {}
    found = stage.pass_by(30)
    assert found == {"not-announced": 1 if what == "camera" else 3}
    told = "that user 2 " + ("has a camera" if what == "camera" else "is there")
    assert f"not-announced (user 3): {told}" in stage.tally.details["not-announced"]


def test_what_is_announced_late_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    assert stage.pass_by(PATIENCE_S) == {}
    stage.tell_all()
    assert stage.pass_by(60) == {}
    stage.room.kinds["u2 True"] = True
    stage.stays[1].roll.closed("u2", "u2 True")
    assert stage.pass_by(PATIENCE_S) == {}
    assert stage.pass_by(2) == {"not-announced": 1}, "a track that is called closed and is not"


@pytest.mark.parametrize("why", ["leaving", "gone", "cut", "no tracks"])
def test_who_is_not_quite_there_misses_nothing_and_is_not_missed(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    stage = Stage(monkeypatch)
    stage.tell_all()
    for other in (0, 1, 2):
        stage.stays[other].roll.left("u3")
    stage.stays[3].roll.snapshot([])
    if why == "cut":
        stage.stays[3].client.is_open = False
    elif why == "no tracks":
        stage.stays[3].publishing.tracks.clear()
        stage.tell(3, 0, 1, 2)
        for other in (0, 1, 2):
            stage.stays[other].roll.joined("u3")
    else:
        setattr(stage.stays[3], why, True)
    assert stage.pass_by(60) == {}


def test_users_of_other_processes_are_missed_by_the_plan_after_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch, parts=2)
    stage.tell(0, 1, 2, 3)
    stage.tell(2, 0, 1)
    assert stage.pass_by(LONG_PATIENCE_S) == {}
    assert stage.pass_by(2) == {"not-announced": 3}
    assert {told.partition(" has")[0].partition(" is")[0] for told in stage.tally.details["not-announced"]} == {
        "not-announced (user 2): that user 3"
    }


def test_a_machine_that_stood_still_accuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    stage.pass_by(1)
    stage.now_s += 60
    assert stage.pass_by(1) == {}
    stage.tell_all()
    assert stage.pass_by(20) == {}


def test_a_visit_whose_earlier_one_is_all_that_is_told_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch, leaving(crash_share=1.0, away_s=1))
    stage.tell_all()
    assert stage.pass_by(20) == {}
    stage.enter(1, visit=1)
    stage.tell(1, 0)
    assert stage.pass_by(PATIENCE_S) == {}
    assert stage.pass_by(2) == {"not-announced": 3}
    stage.tell(0, 1, visit=1)
    assert stage.pass_by(30) == {"not-announced": 3}


@pytest.mark.parametrize("crash_share", [0.0, 1.0])
def test_who_left_with_a_goodbye_long_ago_is_a_ghost(monkeypatch: pytest.MonkeyPatch, crash_share: float) -> None:
    scenario = leaving(crash_share)
    stage = Stage(monkeypatch, scenario)
    stage.tell_all()
    stage.stays[1].gone = True
    end_s = stage.plan.visits(1)[0].end_s
    assert stage.pass_by(end_s + LONG_PATIENCE_S - 1) == {}
    found = stage.pass_by(PATIENCE_S + 3)
    assert found == ({} if crash_share else {"ghost": 1})
    stage.stays[0].roll.left("u1")
    assert stage.pass_by(10) == found


def test_looking_costs_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all is well, a user is looked at without a look at each of the others."""
    many = s.Scenario(name="many", shape=s.Shape(clients=300), publish=s.Publish(video="360p15"))
    stage = Stage(monkeypatch, many)
    stage.tell_all()
    asked = []
    monkeypatch.setattr(module, "_places", lambda bits: asked.append(bits) or iter(()))
    assert stage.pass_by(3) == {}
    assert asked == []
