"""Requests that the end of a run finds without an answer are not forgotten."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from simplestchat.load import client as module
from simplestchat.load.client import UNANSWERED_US, Client, Notices
from simplestchat.load.counts import Tally


def test_what_is_not_answered_counts_with_its_wait_and_fails_when_that_was_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = SimpleNamespace(now_us=1_000_000)
    monkeypatch.setattr(module, "now_us", lambda: clock.now_us)
    tally, listener, line = Tally(), Any, SimpleNamespace(is_open=True, sent=[])
    line.send = line.sent.append
    one = Client(listener, Notices(), tally)
    monkeypatch.setattr(one, "_line", line)
    one.send("room.leave")
    clock.now_us += UNANSWERED_US
    one.send("producer.create")
    clock.now_us += 1
    one.send("transport.create")
    one._on_message(b'{"jsonrpc":"2.0","id":3,"error":{"message":"no","data":{"reason":"quota"}}}')
    (failed,) = one.conclude()
    assert (failed.method, failed.reason) == ("room.leave", "timeout")
    count, _, least, most, _ = tally.take_histograms()["signaling"]
    assert (count, least, most) == (3, 0, UNANSWERED_US + 1)
