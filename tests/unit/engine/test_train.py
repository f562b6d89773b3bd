"""Sizes of packets that leave together are levelled by padding, within bounds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.testing.probe_train import levelled

Packet = tuple[int, int, bool, bool] | None


def frame(*sizes: int) -> list[Packet]:
    return [(size, 0, False, False) for size in sizes]


def messages(packets: list[Packet], padding: list[int]) -> int:
    """How many the kernel gets: packets of one size in a row, but for a shorter last one."""
    count, size = 0, 0
    for packet, grown in zip(packets, padding, strict=True):
        if packet is None or packet[0] == 0:
            continue
        own = packet[0] + grown
        if own > size or own == 0:
            count, size = count + 1, own
        elif own < size:
            size = 0
    return count


def test_an_even_frame_leaves_as_it_is() -> None:
    assert levelled(frame(1100, 1100, 1100, 300)) == [0, 0, 0, 0]


def test_parts_that_differ_by_a_few_bytes_become_one_message() -> None:
    uneven = frame(1101, 1100, 1102, 1100, 1099)
    assert levelled(uneven) == [1, 2, 0, 2, 0]
    assert messages(uneven, levelled(uneven)) == 1
    assert messages(uneven, [0] * 5) > 1


def test_a_shorter_last_one_ends_the_message() -> None:
    assert levelled(frame(1100, 1102, 200, 1100, 1090)) == [2, 0, 0, 0, 0]


def test_what_differs_by_more_stays() -> None:
    assert levelled(frame(1000, 1100, 1000, 1100)) == [0, 0, 0, 0]


def test_other_encodings_and_other_headers_are_not_levelled_with_it() -> None:
    assert levelled([(1100, 0, False, False), (1101, 1, False, False)]) == [0, 0]
    assert levelled([(1100, 0, False, False), (1101, 0, False, True)]) == [0, 0]
    assert levelled([None, (1100, 0, False, False), None, (1101, 0, False, False)]) == [0, 0, 0, 0]


PACKETS = st.lists(
    st.one_of(
        st.none(),
        st.tuples(
            st.one_of(st.integers(0, 1400), st.integers(1090, 1110)),
            st.integers(0, 1),
            st.booleans(),
            st.booleans(),
        ),
    ),
    max_size=64,
)


@given(packets=PACKETS)
def test_it_costs_a_thirty_second_at_most_and_never_more_messages(packets: list[Packet]) -> None:
    padding = levelled(packets)
    for packet, grown in zip(packets, padding, strict=True):
        size = packet[0] if packet else 0
        assert grown == 0 or 0 < grown <= (size + grown) // 32
        assert size or not grown
    assert messages(packets, padding) <= messages(packets, [0] * len(packets))
