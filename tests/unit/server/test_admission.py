from __future__ import annotations

import pytest

from simplestchat.server.admission import Admission, Refused, from_this_machine


def test_places_are_bounded_and_come_back() -> None:
    admission = Admission(2, 2)
    with admission.place("192.0.2.1"), admission.place("192.0.2.2"):
        assert admission.open == 2
        with pytest.raises(Refused), admission.place("192.0.2.3"):
            pass
    assert admission.open == 0
    with admission.place("192.0.2.3"):
        assert admission.open == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("unknown", "unknown", True),
    ],
)
def test_one_address_cannot_take_them_all(one: str, other: str, same: bool) -> None:
    admission = Admission(10, 1)
    with admission.place(one):
        if same:
            with pytest.raises(Refused), admission.place(other):
                pass
        else:
            with admission.place(other):
                pass
    with admission.place(other):
        pass


def test_a_place_comes_back_after_a_failure_and_nothing_is_kept() -> None:
    admission = Admission(1, 1)
    for number in range(1000):
        with pytest.raises(ZeroDivisionError), admission.place(f"192.0.2.{number % 256}"):
            raise ZeroDivisionError
    assert admission.open == 0
    assert not admission._by_address


@pytest.mark.parametrize(
    ("address", "headers", "own"),
    [
        ("127.0.0.1", ["host"], True),
        ("::1", [], True),
        ("::ffff:127.0.0.1", [], True),
        ("127.0.0.1", ["host", "x-forwarded-for"], False),
        ("::1", ["forwarded"], False),
        ("192.0.2.1", ["host"], False),
        ("fe80::1%eth0", [], False),
        ("nowhere", [], False),
    ],
)
def test_who_is_this_machine_itself(address: str, headers: list[str], own: bool) -> None:
    assert from_this_machine(address, headers) is own
