from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from simplestchat.model.ids import EntropyPool, new_id, new_token


@given(st.lists(st.integers(0, 5000), max_size=20))
def test_a_pool_gives_every_byte_out_once(counts: list[int]) -> None:
    fetched: list[bytes] = []
    source = random.Random(1)

    def fetch(count: int) -> bytes:
        fetched.append(source.randbytes(count))
        return fetched[-1]

    pool = EntropyPool(fetch)
    given_out = [pool(count) for count in counts]
    assert [len(one) for one in given_out] == counts
    wanted = list(fetched)
    left = b""
    for one in given_out:
        if len(left) < len(one):
            left = wanted.pop(0)
        assert left.endswith(one)
        left = left[: len(left) - len(one)]


def test_ids_of_a_pool_differ() -> None:
    pool = EntropyPool()
    assert len({new_id(pool) for _ in range(10_000)}) == 10_000
    assert len({new_token(pool) for _ in range(1000)}) == 1000
