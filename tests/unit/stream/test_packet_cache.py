"""The packet cache against a model that keeps every byte's owner."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simplestchat._native.testing.probe_stream import PacketCache

INDEX_MAX = 2**48 - 1


class Model:
    """A ring of bytes in which a packet lives until any byte under it is reserved again."""

    def __init__(self, capacity: int, slots: int) -> None:
        self.capacity, self.slots = capacity, slots
        self.head = self.reserved = 0
        self.owner: list[int | None] = [None] * capacity
        self.packets: dict[int, bytes] = {}

    def reserve(self, size: int) -> bool:
        self.reserved = 0
        if size > self.capacity:
            return False
        if self.head + size > self.capacity:
            self._evict(range(self.head, self.capacity))
            self.head = 0
        self._evict(range(self.head, self.head + size))
        self.reserved = size
        return True

    def commit(self, index: int, data: bytes) -> bool:
        if len(data) > self.reserved:
            return False
        for other in [kept for kept in self.packets if kept % self.slots == index % self.slots]:
            del self.packets[other]
        self.packets[index] = data
        for place in range(self.head, self.head + len(data)):
            self.owner[place] = index
        self.head = (self.head + len(data)) % self.capacity
        self.reserved = 0
        return True

    def _evict(self, places: range) -> None:
        for place in places:
            owner = self.owner[place]
            if owner is not None:
                self.packets.pop(owner, None)
            self.owner[place] = None


STEPS = st.lists(
    st.tuples(st.integers(-3, 30), st.integers(1, 40), st.integers(0, 10), st.booleans()), min_size=1, max_size=200
)


@settings(deadline=None)
@given(STEPS, st.sampled_from([0, 2**16 - 20, 2**32 - 20, INDEX_MAX - 20000]))
def test_agrees_with_the_model(steps: list[tuple[int, int, int, bool]], start: int) -> None:
    cache, model = PacketCache(128, 16), Model(128, 16)
    index = start + 3
    used: set[int] = set()
    for jump, size, spare, keep in steps:
        late = index + jump
        assert cache.reserve(size + spare, 0xEE) == model.reserve(size + spare)
        if keep and late not in used:
            data = bytes([late & 0xFF]) * size
            assert cache.commit(late, data)
            assert model.commit(late, data)
            used.add(late)
            index = max(index, late)
        for wanted in range(max(0, index - 40), index + 2):
            found, expected = cache.find(wanted), model.packets.get(wanted)
            # The ring may forget a packet a little early (when its slot or the unused tail is passed), never late.
            assert found == expected or found is None
            if expected is not None and cache.find(wanted) is None:
                assert size + spare > 0


def test_capacity_and_slots_are_powers_of_two() -> None:
    assert PacketCache(1000, 100).shape() == (1024, 128)
    assert PacketCache(1024, 128).shape() == (1024, 128)
    assert PacketCache(0, 0).shape() == (1, 1)


def test_a_packet_stays_until_its_bytes_are_needed() -> None:
    cache = PacketCache(1024, 16)
    for index in range(4):
        assert cache.reserve(256)
        assert cache.commit(index, bytes([index]) * 256)
    assert [cache.find(index) is not None for index in range(4)] == [True] * 4
    assert cache.reserve(1, 0xFF)
    assert cache.find(0) is None, "gone from the reservation on, not from the commit on"
    assert cache.find(1) == b"\1" * 256


def test_an_unused_reservation_keeps_nothing_and_may_be_smaller_than_asked() -> None:
    cache = PacketCache(1024, 16)
    assert cache.reserve(500)
    assert cache.reserve(100)
    assert not cache.commit(1, b"x" * 101), "larger than the last reservation"
    assert cache.commit(1, b"x" * 100)
    assert not cache.commit(2, b"y"), "a reservation serves one commit"
    assert cache.find(1) == b"x" * 100


def test_what_never_fits_is_refused() -> None:
    cache = PacketCache(1024, 16)
    assert not cache.reserve(1025)
    assert not cache.commit(0, b"x")
    assert cache.reserve(1024)


@pytest.mark.parametrize("first", [0, 2**16 - 8, 2**32 - 8, INDEX_MAX - 15])
def test_a_slot_is_not_mistaken_for_another_lap(first: int) -> None:
    cache = PacketCache(4096, 8)
    for index in range(first, first + 16):
        assert cache.reserve(10)
        assert cache.commit(index, index.to_bytes(8, "big"))
    for index in range(first, first + 8):
        assert cache.find(index) is None
    for index in range(first + 8, first + 16):
        assert cache.find(index) == index.to_bytes(8, "big")


def test_long_runs_keep_the_newest() -> None:
    cache = PacketCache(1 << 16, 1024)
    for index in range(20_000):
        size = 700 + index % 500
        assert cache.reserve(1500)
        assert cache.commit(index, bytes([index & 0xFF]) * size)
        assert cache.find(index) is not None
        assert index < 40 or cache.find(index - 40) == bytes([(index - 40) & 0xFF]) * (700 + (index - 40) % 500)


def test_an_index_is_known_as_long_as_no_newer_packet_has_its_slot() -> None:
    # Else a second packet of this index, with other contents, could be taken for new and sealed under the same nonce.
    cache = PacketCache(1024, 16)
    for index in range(8):
        assert cache.reserve(512)
        assert cache.commit(index, bytes([index]) * 512)
    assert cache.find(0) is None, "its bytes are overwritten"
    assert [cache.knows(index) for index in range(10)] == [True] * 8 + [False] * 2
    assert cache.reserve(1)
    assert cache.commit(16, b"x")
    assert not cache.knows(0)
