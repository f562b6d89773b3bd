"""Bit fields: what is written reads back, and nothing is read or written past the end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.codec_writers import below, packed
from support.reference_codecs import Bits

from simplestchat._native.core.errors import MisuseError, PeerError
from simplestchat._native.testing.probe_codecs import read_bits, write_bits

FIELD = st.integers(0, 32).flatmap(lambda width: st.tuples(st.integers(0, 2**width - 1), st.just(width)))


@given(st.lists(FIELD, max_size=40))
def test_what_is_written_reads_back(fields: list[tuple[int, int]]) -> None:
    size = (sum(width for _, width in fields) + 7) // 8
    data = write_bits(fields, size)
    assert data == packed(*(f"{value:0{width}b}" for value, width in fields if width))
    assert read_bits(data, [width for _, width in fields]) == [value for value, _ in fields]
    if size:
        with pytest.raises(MisuseError):
            write_bits([*fields, (0, 8)], size)
        with pytest.raises(PeerError):
            read_bits(data, [*(width for _, width in fields), 8])


@given(st.lists(st.integers(1, 40), min_size=1), st.binary(min_size=1, max_size=40))
def test_agrees_with_the_reference(counts: list[int], data: bytes) -> None:
    bits = Bits(data)
    try:
        expected = [bits.ns(values) for values in counts]
    except ValueError:
        with pytest.raises(PeerError):
            read_bits(data, [-values for values in counts])
    else:
        assert read_bits(data, [-values for values in counts]) == expected


@given(st.integers(1, 2**16), st.data())
def test_every_number_below_a_bound(values: int, data: st.DataObject) -> None:
    value = data.draw(st.integers(0, values - 1))
    assert read_bits(packed(below(value, values)), [-values]) == [value]


def test_numbers_below_five() -> None:
    # Three bits hold eight values, so three of the five take two bits.
    assert read_bits(packed("00", "01", "10", "110", "111"), [-5] * 5) == [0, 1, 2, 3, 4]


def test_bits_above_a_width_are_not_written() -> None:
    assert write_bits([(0xFFFFFFFF, 3), (0, 5)], 1) == b"\xe0"
