"""The keyed hash against its authors' vectors and a plain reference."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.testing.probe_core import siphash

WORD = st.integers(0, 2**64 - 1)
MASK = 2**64 - 1


def reference(words: list[int], key0: int, key1: int, compress: int, finish: int) -> int:
    def rotl(x: int, bits: int) -> int:
        return ((x << bits) | (x >> (64 - bits))) & MASK

    v = [key0 ^ 0x736F6D6570736575, key1 ^ 0x646F72616E646F6D, key0 ^ 0x6C7967656E657261, key1 ^ 0x7465646279746573]

    def mix(rounds: int) -> None:
        for _ in range(rounds):
            for a, b, c, d, left, right in ((0, 1, 2, 3, 13, 16), (2, 1, 0, 3, 17, 21)):
                v[a] = (v[a] + v[b]) & MASK
                v[b] = rotl(v[b], left) ^ v[a]
                v[a] = rotl(v[a], 32)
                v[c] = (v[c] + v[d]) & MASK
                v[d] = rotl(v[d], right) ^ v[c]

    for word in [*words, (8 * len(words) & 0xFF) << 56]:
        v[3] ^= word
        mix(compress)
        v[0] ^= word
    v[2] ^= 0xFF
    mix(finish)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def test_vectors_of_the_authors() -> None:
    # SipHash-2-4 of the first 0 and 8 bytes of 00 01 02 … under the key 00 01 … 0f.
    key0, key1 = (int.from_bytes(bytes(range(start, start + 8)), "little") for start in (0, 8))
    word = int.from_bytes(bytes(range(8)), "little")
    assert siphash([], key0, key1).to_bytes(8, "little").hex() == "310e0edd47db6f72"
    assert siphash([word], key0, key1).to_bytes(8, "little").hex() == "6224939a79f5f593"


@given(st.lists(WORD, max_size=16), WORD, WORD, st.sampled_from([(1, 3), (2, 4)]))
def test_agrees_with_the_reference(words: list[int], key0: int, key1: int, rounds: tuple[int, int]) -> None:
    assert siphash(words, key0, key1, *rounds) == reference(words, key0, key1, *rounds)
