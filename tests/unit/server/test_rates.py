from __future__ import annotations

import pytest

from simplestchat.config import ConnectionLimits
from simplestchat.server import bounds
from simplestchat.server.rates import Rates
from simplestchat.signaling import rates


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_passes_then_a_steady_rate() -> None:
    clock = Clock()
    taken = Rates(5, 2.0, clock)
    assert [taken.take("192.0.2.1") for _ in range(5)] == [0.0] * 5
    assert taken.take("192.0.2.1") == pytest.approx(0.5)
    clock.now += 0.5
    assert taken.take("192.0.2.1") == 0.0
    assert taken.take("192.0.2.1", 3) == pytest.approx(1.5)


def test_who_is_refused_owes_nothing_for_it() -> None:
    clock = Clock()
    taken = Rates(1, 1.0, clock)
    assert [taken.take("192.0.2.1") for _ in range(1000)][-1] == pytest.approx(1.0)
    clock.now += 1
    assert taken.take("192.0.2.1") == 0.0


def test_addresses_do_not_share_and_networks_do() -> None:
    taken = Rates(1, 1.0, Clock())
    assert taken.take("192.0.2.1") == 0.0
    assert taken.take("192.0.2.2") == 0.0
    assert taken.take("::ffff:192.0.2.2") > 0
    assert taken.take("2001:db8::1") == 0.0
    assert taken.take("2001:db8::2") > 0


def test_a_thousand_and_one_open_the_page_and_join_from_one_address_at_once() -> None:
    limits = ConnectionLimits()
    taken = Rates(limits.http_burst, limits.http_rate, Clock())
    for _ in range(1001):
        page_and_socket = [taken.take("192.0.2.1") for _ in range(8)]
        assert [*page_and_socket, taken.take("192.0.2.1", bounds.LISTING_COST)] == [0.0] * 9


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MAX_KEYS", 10)
    taken = Rates(1, 1.0, Clock())
    for number in range(1000):
        taken.take(f"192.0.{number // 256}.{number % 256}")
    assert len(taken) == 10
