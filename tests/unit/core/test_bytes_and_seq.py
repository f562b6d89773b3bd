"""The bounds-checked cursors and the modular arithmetic under everything else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.testing import probe_bytes as probe

E_SPACE = -10
WIDTHS = (8, 16, 24, 32, 64)
FIELD = st.sampled_from(WIDTHS).flatmap(lambda bits: st.tuples(st.just(bits), st.integers(0, 2**bits - 1)))
STEP = st.one_of(FIELD, st.tuples(st.just(0), st.integers(0, 9)), st.tuples(st.just(-1), st.binary(max_size=9)))
U16 = st.integers(0, 2**16 - 1)
U32 = st.integers(0, 2**32 - 1)


def encode(step: tuple[int, int | bytes]) -> bytes:
    bits, value = step
    if isinstance(value, bytes):
        return value
    return bytes(value) if bits == 0 else value.to_bytes(bits // 8, "big")


@given(fields=st.lists(FIELD, max_size=20))
def test_fields_come_back(fields: list[tuple[int, int]]) -> None:
    status, data = probe.write_steps(200, fields)
    assert status == len(data)
    assert data == b"".join(map(encode, fields))
    values, left, failed = probe.read_steps(data, [bits for bits, _ in fields])
    assert (values, left, failed) == ([value for _, value in fields], 0, False)


@given(steps=st.lists(STEP, max_size=12), cap=st.integers(0, 40))
def test_a_writer_stops_at_its_room(steps: list[tuple[int, int | bytes]], cap: int) -> None:
    expected, fits = b"", True
    for step in steps:
        fits = fits and len(expected) + len(encode(step)) <= cap
        if fits:
            expected += encode(step)
    status, written = probe.write_steps(cap, steps)
    assert written == expected
    assert status == (len(expected) if fits else E_SPACE)


@given(data=st.binary(max_size=30), sizes=st.lists(st.integers(0, 12), max_size=8))
def test_a_reader_stops_at_its_end(data: bytes, sizes: list[int]) -> None:
    expected: list[bytes | None] = []
    at, failed = 0, False
    for size in sizes:
        failed = failed or at + size > len(data)
        expected.append(None if failed else data[at : at + size])
        at += 0 if failed else size
    # A step of 0 raw bytes is told by its sign, so it is left out here.
    steps = [-size for size in sizes]
    if 0 not in sizes:
        assert probe.read_steps(data, steps) == (expected, 0 if failed else len(data) - at, failed)


@pytest.mark.parametrize("bits", WIDTHS)
def test_a_field_past_the_end_reads_as_zero(bits: int) -> None:
    whole = b"\xff" * (bits // 8)
    assert probe.read_steps(whole, [bits]) == ([2**bits - 1], 0, False)
    # And nothing after it is read, although a byte is left.
    assert probe.read_steps(whole[:-1], [bits, 8]) == ([0, 0], 0, True)


@given(a=U16, b=U16)
def test_seq_diff(a: int, b: int) -> None:
    diff = probe.seq_diff(a, b)
    assert -(2**15) <= diff < 2**15
    assert (b + diff) % 2**16 == a
    assert probe.seq_newer(a, b) == (diff > 0)


@given(a=U32, b=U32)
def test_ts_diff(a: int, b: int) -> None:
    diff = probe.ts_diff(a, b)
    assert -(2**31) <= diff < 2**31
    assert (b + diff) % 2**32 == a
    assert probe.ts_newer(a, b) == (diff > 0)


@given(reference=st.integers(0, 2**48 - 1), sequence=U16)
def test_seq_unwrap(reference: int, sequence: int) -> None:
    index = probe.seq_unwrap(reference, sequence)
    assert index % 2**16 == sequence
    assert -(2**15) <= index - reference < 2**15


@given(reference=st.integers(0, 2**62), timestamp=U32)
def test_ts_unwrap(reference: int, timestamp: int) -> None:
    time = probe.ts_unwrap(reference, timestamp)
    assert time % 2**32 == timestamp
    assert -(2**31) <= time - reference < 2**31


def test_before_the_first_index_is_negative() -> None:
    assert probe.seq_unwrap(3, 65535) == -1
    assert probe.ts_unwrap(0, 2**32 - 5) == -5
