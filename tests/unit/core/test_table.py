"""The hash tables against a dict, at their cap, and after long churn."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from simplestchat._native.core.errors import MisuseError
from simplestchat._native.testing.probe_core import Table64, TupleTable

# (remote ip, remote port, local ip, local port, scope id)
TupleKey = tuple[bytes, int, bytes, int, int]

CAP = 24
# A small pool of keys, so that hits, replacements and removals are common.
KEYS = st.one_of(st.integers(0, 40), st.integers(2**64 - 20, 2**64 - 1))
VALUES = st.integers(0, 2**64 - 1)


class TableMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.table = Table64(CAP, 7)
        self.model: dict[int, int] = {}

    @rule(key=KEYS, value=VALUES)
    def put(self, key: int, value: int) -> None:
        if key not in self.model and len(self.model) == CAP:
            with pytest.raises(MisuseError):
                self.table.put(key, value)
            return
        self.table.put(key, value)
        self.model[key] = value

    @rule(key=KEYS)
    def remove(self, key: int) -> None:
        assert self.table.remove(key) == (self.model.pop(key, None) is not None)

    @rule(key=KEYS)
    def get(self, key: int) -> None:
        assert self.table.get(key) == self.model.get(key)

    @invariant()
    def same_entries(self) -> None:
        assert len(self.table) == len(self.model)
        assert dict(self.table.items()) == self.model


TestTable = TableMachine.TestCase
TestTable.settings = settings(max_examples=60, stateful_step_count=80, deadline=None)


def tuple_key(port: int, ip: bytes = b"\0" * 10 + b"\xff\xff\x7f\0\0\1") -> TupleKey:
    return ip, port, ip, 40000, 0


@given(st.integers(0, 2**64 - 1), st.lists(st.integers(0, 2000), max_size=300))
def test_tuples_agree_with_a_dict(seed: int, ports: list[int]) -> None:
    table = TupleTable(300, seed)
    model: dict[TupleKey, int] = {}
    for step, port in enumerate(ports):
        key = tuple_key(port)
        if step % 3 == 2:
            assert table.remove(key) == (model.pop(key, None) is not None)
        else:
            table.put(key, step)
            model[key] = step
    assert dict(table.items()) == model
    assert all(table.get(key) == value for key, value in model.items())


@pytest.mark.parametrize("field", range(5))
def test_every_field_of_a_tuple_counts(field: int) -> None:
    table = TupleTable(4, 1)
    key = tuple_key(1000)
    other = list(key)
    other[field] = b"\1" * 16 if field in (0, 2) else 1
    table.put(key, 5)
    changed = (other[0], other[1], other[2], other[3], other[4])
    assert table.get(key) == 5
    assert table.get(changed) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("cap", [0, 2**28])
def test_an_impossible_cap_is_refused(cap: int) -> None:
    with pytest.raises(MisuseError):
        Table64(cap, 1)


def test_the_cap_is_exact_and_room_comes_back() -> None:
    table = Table64(1000, 3)
    for key in range(1000):
        table.put(key, key)
    with pytest.raises(MisuseError):
        table.put(1000, 0)
    table.put(999, 1)
    assert table.remove(0)
    table.put(1000, 0)
    assert len(table) == 1000


def test_churn_does_not_decay() -> None:
    # A million removals and insertions at a full table leave searches as short as in a fresh one.
    table = Table64(512, 11)
    rng = random.Random(5)
    live = list(range(512))
    for key in live:
        table.put(key, key)
    fresh = table.longest_run()
    for key in range(512, 200_000):
        place = rng.randrange(512)
        assert table.remove(live[place])
        live[place] = key
        table.put(key, key)
    assert sorted(key for key, _ in table.items()) == sorted(live)
    assert table.longest_run() <= max(32, 3 * fresh)


def test_keys_chosen_against_one_seed_do_not_collide_under_another() -> None:
    # Keys that share 16 low bits, as an attacker who knows only the code would choose them.
    table = Table64(4096, 0xC0FFEE)
    for key in range(4096):
        table.put(key << 16, key)
    assert table.longest_run() < 64
