"""The packet cache against a model that keeps every block's packets."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simplestchat._native.testing.probe_stream import PacketCache

INDEX_MAX = 2**48 - 1
KEEP_US = 1_000_000


class Model:
    """Blocks in the order of writing; the oldest goes when there are too many or when it is too old."""

    def __init__(self, block_size: int, blocks: int, slots: int) -> None:
        self.block_size, self.most, self.slots = block_size, blocks, slots
        self.blocks: list[dict[int, bytes]] = []
        self.written: list[int] = []
        self.used = block_size
        self.reserved = 0

    def reserve(self, size: int, now: int) -> bool:
        self.reserved = 0
        if size > self.block_size:
            return False
        if self.used + size > self.block_size:
            while self.blocks and (len(self.blocks) == self.most or now - self.written[0] >= KEEP_US):
                del self.blocks[0], self.written[0]
            self.blocks.append({})
            self.written.append(now)
            self.used = 0
        self.written[-1] = now
        self.reserved = size
        return True

    def commit(self, index: int, data: bytes) -> bool:
        if len(data) > self.reserved:
            return False
        for block in self.blocks:
            for other in [kept for kept in block if kept % self.slots == index % self.slots]:
                del block[other]
        self.blocks[-1][index] = data
        self.used += len(data)
        self.reserved = 0
        return True

    def find(self, index: int) -> bytes | None:
        return next((block[index] for block in self.blocks if index in block), None)


STEPS = st.lists(
    st.tuples(st.integers(-3, 30), st.integers(1, 40), st.integers(0, 10), st.booleans(), st.integers(0, 600_000)),
    min_size=1,
    max_size=200,
)


@settings(deadline=None)
@given(STEPS, st.sampled_from([0, 2**16 - 20, 2**32 - 20, INDEX_MAX - 20000]), st.sampled_from([1, 2, 8]))
def test_agrees_with_the_model(steps: list[tuple[int, int, int, bool, int]], start: int, blocks: int) -> None:
    cache, model = PacketCache(64, blocks, 16, KEEP_US), Model(64, blocks, 16)
    index, now = start + 3, 0
    used: set[int] = set()
    for jump, size, spare, keep, wait in steps:
        late = index + jump
        now += wait
        assert cache.reserve(size + spare, 0xEE, now) == model.reserve(size + spare, now)
        if keep and late not in used:
            data = bytes([late & 0xFF]) * size
            assert cache.commit(late, data)
            assert model.commit(late, data)
            used.add(late)
            index = max(index, late)
        for wanted in range(max(0, index - 40), index + 2):
            assert cache.find(wanted) == model.find(wanted)
        assert cache.memory()[0] == len(model.blocks) <= blocks


def test_sizes_are_powers_of_two() -> None:
    assert PacketCache(1000, 3, 100).shape() == (1024, 4, 128)
    assert PacketCache(1024, 4, 128).shape() == (1024, 4, 128)
    assert PacketCache(0, 0, 0).shape() == (1, 1, 1)


def test_nothing_is_allocated_before_the_first_packet() -> None:
    cache = PacketCache(1024, 8, 16)
    assert cache.memory() == (0, 0)
    assert cache.find(0) is None
    assert not cache.knows(0)
    assert cache.expire(10) is None
    assert cache.reserve(10)
    assert cache.memory()[0] == 1


def test_a_slow_stream_holds_little_and_a_fast_one_all() -> None:
    slow, fast = PacketCache(1024, 32, 512, KEEP_US), PacketCache(1024, 32, 512, KEEP_US)
    for number in range(400):
        assert slow.reserve(1000, 0, number * 250_000)
        slow.commit(number, b"x" * 1000)
        assert fast.reserve(1000, 0, number * 1000)
        fast.commit(number, b"x" * 1000)
    assert slow.memory()[0] == 4
    assert fast.memory()[0] == 32
    assert slow.find(395) is None
    assert slow.find(396) == b"x" * 1000
    assert fast.find(400 - 32) == b"x" * 1000


def test_a_silent_stream_holds_nothing_and_begins_anew() -> None:
    cache = PacketCache(1024, 8, 64, KEEP_US)
    for number in range(20):
        assert cache.reserve(500, 0, number * 10_000)
        cache.commit(number, b"y" * 500)
    assert cache.memory()[0] == 8
    assert cache.expire(200_000) == 190_000 + KEEP_US
    assert cache.memory()[0] == 8
    assert cache.expire(190_000 + KEEP_US) is None
    assert cache.memory()[0] == 0
    assert cache.find(19) is None
    assert cache.knows(19), "so that no other packet of this index is taken"
    assert cache.reserve(500, 0, 9_000_000)
    assert cache.commit(20, b"z" * 500)
    assert cache.find(20) == b"z" * 500
    assert cache.memory()[0] == 1


def test_a_reservation_alone_does_not_keep_a_block_for_ever() -> None:
    cache = PacketCache(1024, 8, 64, KEEP_US)
    assert cache.reserve(1024)
    assert cache.commit(1, b"a" * 1024)
    assert cache.reserve(700, 0, 10)  # a packet that then does not authenticate
    assert cache.memory()[0] == 2
    assert cache.expire(10 + KEEP_US) is None
    assert cache.memory()[0] == 0
    assert cache.reserve(700, 0, 20 + KEEP_US)
    assert cache.commit(2, b"b" * 700)
    assert cache.find(2) == b"b" * 700


def test_an_unused_reservation_keeps_nothing_and_may_be_smaller_than_asked() -> None:
    cache = PacketCache(1024, 1, 16)
    assert cache.reserve(500)
    assert cache.reserve(100)
    assert not cache.commit(1, b"x" * 101), "larger than the last reservation"
    assert cache.commit(1, b"x" * 100)
    assert not cache.commit(2, b"y"), "a reservation serves one commit"
    assert cache.find(1) == b"x" * 100


def test_what_never_fits_is_refused() -> None:
    cache = PacketCache(1024, 4, 16)
    assert not cache.reserve(1025)
    assert not cache.commit(0, b"x")
    assert cache.reserve(1024)


@pytest.mark.parametrize("first", [0, 2**16 - 8, 2**32 - 8, INDEX_MAX - 15])
def test_a_slot_is_not_mistaken_for_another_lap(first: int) -> None:
    cache = PacketCache(4096, 1, 8)
    for index in range(first, first + 16):
        assert cache.reserve(10)
        assert cache.commit(index, index.to_bytes(8, "big"))
    for index in range(first, first + 8):
        assert cache.find(index) is None
    for index in range(first + 8, first + 16):
        assert cache.find(index) == index.to_bytes(8, "big")


def test_long_runs_keep_the_newest() -> None:
    cache = PacketCache(1 << 14, 4, 1024)
    for index in range(20_000):
        size = 700 + index % 500
        assert cache.reserve(1500)
        assert cache.commit(index, bytes([index & 0xFF]) * size)
        assert cache.find(index) is not None
        assert index < 32 or cache.find(index - 32) == bytes([(index - 32) & 0xFF]) * (700 + (index - 32) % 500)


def test_an_index_is_known_as_long_as_no_newer_packet_has_its_slot() -> None:
    # Else a second packet of this index, with other contents, could be taken for new and sealed under the same nonce.
    cache = PacketCache(512, 2, 16)
    for index in range(8):
        assert cache.reserve(512)
        assert cache.commit(index, bytes([index]) * 512)
    assert cache.find(0) is None, "its block gave way"
    assert [cache.knows(index) for index in range(10)] == [True] * 8 + [False] * 2
    assert cache.reserve(1)
    assert cache.commit(16, b"x")
    assert not cache.knows(0)
