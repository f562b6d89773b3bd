"""What is due to a subscription: accused when it fails to come, never when the publisher or the plan explains it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from simplestchat.load import scenario as s
from simplestchat.load import vigil as module
from simplestchat.load.plan import Change, Plan, UserPlan
from simplestchat.load.vigil import LONG_PATIENCE_S, PATIENCE_S, PICTURE_S, Vigil

START_US = 7_000_000
CLEAR = Plan(s.Scenario(name="x", shape=s.Shape(clients=2)), 1).user(0)


class Stage:
    """A clock and what a vigil asks of a process: its agenda, its paths, how far sender and receiver are."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, ends: tuple[UserPlan, UserPlan] = (CLEAR, CLEAR), **own: Any):
        self.now, self.number = START_US, 0
        self.calls: list[tuple[int, int, Callable[[], object]]] = []
        self.firsts: dict[str, Callable[[], None]] = {}
        self.arrived_us, self.shown_us, self.sent = 0, 0, 0
        self.sending, self.coming = True, False
        self.words: list[str] = []
        self.publication = SimpleNamespace(sender=3, layers=None)
        monkeypatch.setattr(module, "now_us", lambda: self.now)
        swarm = SimpleNamespace(
            receiver_totals=lambda _: {
                "last_packet_us": self.arrived_us,
                "first_packet_us": self.arrived_us,
                "first_frame_us": self.shown_us,
            },
            sender_totals=lambda _: {"counters": [self.sent, 0, 0]},
        )
        self.media = SimpleNamespace(
            swarm=swarm,
            connected={9},
            when_heard=lambda _, call: self.firsts.update(heard=call),
            when_seen=lambda _, call: self.firsts.update(seen=call),
            unhear=lambda _: self.firsts.clear(),
        )
        self.world: Any = SimpleNamespace(
            media=self.media,
            agenda=SimpleNamespace(after=self.after),
            silent=False,
            vigils=0,
            now_s=lambda: (self.now - START_US) / 1_000_000,
        )
        self.planned = True
        options: dict[str, Any] = {"video": True, "publication": lambda: self.publication, **own}
        self.vigil = Vigil(self.world, 1, 9, ends, sending=lambda: self.planned, accuse=self.words.append, **options)
        self.vigil.begin()

    def after(self, span_s: float, call: Callable[[], object]) -> None:
        self.number += 1
        heapq.heappush(self.calls, (self.now + round(span_s * 1_000_000), self.number, call))

    def hear(self, *, seen: bool = True) -> None:
        """The first packet, or the first picture too; more follow."""
        self.coming = True
        self.arrived_us = self.now + 1
        self.firsts["heard"]()
        if seen:
            self.shown_us = self.now + 1
            self.firsts["seen"]()

    def pass_by(self, span_s: float) -> list[str]:
        """Let time pass in tenths of a second."""
        for _ in range(round(span_s * 10)):
            self.now += 100_000
            self.sent += self.sending
            if self.coming:
                self.arrived_us = self.now
            while self.calls and self.calls[0][0] <= self.now:
                heapq.heappop(self.calls)[2]()
        return self.words


def test_what_comes_and_goes_on_is_never_accused(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    stage.pass_by(0.5)
    stage.hear()
    assert stage.pass_by(60) == []
    stage.vigil.end()
    assert stage.world.vigils == 0
    assert stage.pass_by(60) == []


def test_nothing_at_all_is_a_silent_stream_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    assert stage.pass_by(PATIENCE_S - 0.5) == []
    assert stage.pass_by(1.5) == ["silent-stream"]
    assert stage.pass_by(30) == ["silent-stream"]


def test_what_stops_while_its_publisher_sends_is_told_and_again_after_a_mute(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    stage.hear()
    stage.pass_by(10)
    stage.coming = False
    assert stage.pass_by(PATIENCE_S - 1) == []
    assert stage.pass_by(3) == ["stream-stopped"]
    stage.vigil.end()
    stage.vigil.begin()
    assert stage.pass_by(PATIENCE_S + 1.5) == ["stream-stopped", "silent-stream"]


@pytest.mark.parametrize(("layers", "words"), [(None, []), (0b001, []), (0, ["stream-stopped"])])
def test_who_was_told_that_nobody_takes_it_is_no_excuse(
    layers: int | None, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage(monkeypatch)
    stage.hear()
    stage.pass_by(10)
    stage.coming = stage.sending = False
    stage.publication.layers = layers
    assert stage.pass_by(PATIENCE_S + 2) == words


def test_after_a_while_of_nothing_only_what_did_not_come_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    stage.vigil.end()
    assert stage.pass_by(30) == []
    stage.vigil.go_on()
    stage.hear()
    assert stage.pass_by(10) == []
    stage.vigil.end()
    stage.coming = False
    assert stage.pass_by(30) == []
    stage.vigil.go_on()
    stage.coming = True
    assert stage.pass_by(10) == []
    stage.vigil.end()
    stage.coming = False
    stage.vigil.go_on()
    assert stage.pass_by(PATIENCE_S + 2) == ["stream-stopped"]


def test_what_never_came_is_silent_after_a_while_of_nothing_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    stage.vigil.end()
    stage.pass_by(1)
    stage.vigil.go_on()
    assert stage.pass_by(PATIENCE_S + 2) == ["silent-stream"]


def test_packets_without_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    stage.hear(seen=False)
    assert stage.pass_by(PICTURE_S - 0.2) == []
    assert stage.pass_by(0.4) == ["no-picture"]


def test_a_picture_that_came_in_time_and_audio_are_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    stage.hear(seen=False)
    stage.pass_by(2)
    stage.firsts["seen"]()
    assert stage.pass_by(30) == []
    microphone = Stage(monkeypatch, video=False)
    microphone.hear(seen=False)
    assert microphone.pass_by(30) == []


@pytest.mark.parametrize("excuse", ["mute", "path", "plan", "over"])
def test_silence_that_is_explained_is_not_accused(monkeypatch: pytest.MonkeyPatch, excuse: str) -> None:
    stage = Stage(monkeypatch)
    stage.hear()
    stage.pass_by(5)
    stage.coming = False
    stage.sending = excuse != "mute"
    stage.planned = excuse != "plan"
    stage.world.silent = excuse == "over"
    if excuse == "path":
        stage.media.connected.clear()
    assert stage.pass_by(30) == []


def test_users_of_other_processes_get_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch, publication=lambda: None)
    assert stage.pass_by(LONG_PATIENCE_S - 1) == []
    assert stage.pass_by(2) == ["silent-stream"]


def test_bad_networks_get_longer_and_outages_are_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = msgspec.structs.replace(CLEAR, down=s.Conditions(loss=0.2))
    stage = Stage(monkeypatch, (CLEAR, bad))
    assert stage.pass_by(LONG_PATIENCE_S - 1) == []
    assert stage.pass_by(2) == ["silent-stream"]
    changes = (Change(at_s=5, event="outage"), Change(at_s=40, event="conditions"))
    cut_off = Stage(monkeypatch, (CLEAR, msgspec.structs.replace(bad, changes=changes)))
    cut_off.hear()
    cut_off.pass_by(5)
    cut_off.coming = False
    assert cut_off.pass_by(35 + LONG_PATIENCE_S) == []
    assert cut_off.pass_by(LONG_PATIENCE_S + 2) == ["stream-stopped"]
    hopeless = Stage(monkeypatch, (msgspec.structs.replace(CLEAR, up=s.Conditions(loss=0.9)), CLEAR))
    assert hopeless.pass_by(40) == []


def test_a_machine_that_stood_still_accuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    stage.hear()
    stage.pass_by(5)
    stage.coming = False
    stage.now += 20_000_000
    stage.sent += 1000
    assert stage.pass_by(0.1) == []
    stage.coming = True
    assert stage.pass_by(20) == []


def test_many_streams_are_looked_at_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = Stage(monkeypatch)
    stage.hear()
    stage.world.vigils = 20_000
    stage.pass_by(2)
    looks = []
    stage.media.swarm.receiver_totals = lambda _: looks.append(1) or {"last_packet_us": stage.arrived_us}
    assert stage.pass_by(120) == []
    assert len(looks) <= 4
    stage.coming = False
    assert stage.pass_by(100) == ["stream-stopped"]
