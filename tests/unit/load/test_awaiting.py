"""What was announced can be received, or is called closed: anything else is found, and no race is mistaken for it."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from simplestchat.load.awaiting import PATIENCE_S, Awaiting
from simplestchat.load.counts import Tally
from simplestchat.load.subscribing import Offer


class Stage:
    """One user with one wanted track, and the agenda that the test lets pass."""

    def __init__(self) -> None:
        self.now_s, self.number = 0.0, 0
        self.calls: list[tuple[float, int, Callable[[], object]]] = []
        self.tally = Tally()
        self.path = "connected"
        self.world = SimpleNamespace(agenda=SimpleNamespace(after=self.after), tally=self.tally, silent=False)
        self.stay: Any = SimpleNamespace(
            world=self.world,
            plan=SimpleNamespace(index=7),
            client=SimpleNamespace(is_open=True),
            gone=False,
            leaving=False,
            idle=True,
            path_state=lambda _: self.path,
        )
        self.subscribing: Any = SimpleNamespace(waits_for=lambda _: self.waits)
        self.waits = True
        self.offer = Offer("p", (3, 0), "a", video=True)
        self.awaiting = Awaiting(self.stay, self.subscribing)

    def after(self, span_s: float, call: Callable[[], object]) -> None:
        self.number += 1
        heapq.heappush(self.calls, (self.now_s + span_s, self.number, call))

    def want(self) -> None:
        self.offer.wanted_us = round(self.now_s * 1_000_000) + 1
        self.awaiting.begin(self.offer)

    def pass_by(self, span_s: float) -> dict[str, int]:
        end_s = self.now_s + span_s
        while self.calls and self.calls[0][0] <= end_s:
            self.now_s, _, call = heapq.heappop(self.calls)
            call()
        self.now_s = end_s
        return dict(self.tally.faults)


def test_what_is_never_received_is_told_once_with_names() -> None:
    stage = Stage()
    stage.want()
    assert stage.pass_by(PATIENCE_S - 0.1) == {}
    assert stage.pass_by(60) == {"not-subscribed": 1}
    assert stage.tally.details["not-subscribed"] == [
        "not-subscribed (user 7): the camera of user 3, which was announced"
    ]


def test_a_track_wanted_anew_is_looked_at_from_then_on() -> None:
    stage = Stage()
    stage.want()
    stage.pass_by(3)
    stage.want()
    assert stage.pass_by(PATIENCE_S - 0.1) == {}
    assert stage.pass_by(60) == {"not-subscribed": 1}


@pytest.mark.parametrize("reason", ["received", "gone", "leaving", "silent"])
def test_what_is_received_or_over_is_fine(reason: str) -> None:
    stage = Stage()
    stage.want()
    stage.awaiting.doubt("b")
    stage.pass_by(3)
    if reason == "received":
        stage.waits = False
        stage.awaiting.closed("b")
    elif reason == "silent":
        stage.world.silent = True
    else:
        setattr(stage.stay, reason, True)
    assert stage.pass_by(60) == {}
    assert not stage.calls, "nothing goes on for ever"


@pytest.mark.parametrize("lack", ["path", "connection", "answer"])
def test_without_a_path_a_connection_or_an_answer_no_time_counts(lack: str) -> None:
    stage = Stage()
    if lack == "path":
        stage.path = ""
    elif lack == "answer":
        stage.stay.idle = False
    else:
        stage.stay.client.is_open = False
    stage.want()
    stage.awaiting.doubt("b")
    if lack != "connection":
        stage.awaiting.closed("b")
    assert stage.pass_by(60) == {}
    stage.path, stage.stay.client.is_open, stage.stay.idle = "new", True, True
    stage.awaiting.closed("b")
    assert stage.pass_by(PATIENCE_S - 0.1) == {}
    assert stage.pass_by(3) == {"not-subscribed": 1}


def test_what_is_refused_as_closed_must_be_called_closed() -> None:
    stage = Stage()
    for producer in ("a", "b", "c"):
        stage.awaiting.doubt(producer)
    stage.pass_by(1)
    stage.awaiting.closed("b")
    assert stage.pass_by(PATIENCE_S) == {"not-subscribed": 2}
    stage.awaiting.doubt("d")
    stage.awaiting.forget()
    assert stage.pass_by(PATIENCE_S) == {"not-subscribed": 2}
