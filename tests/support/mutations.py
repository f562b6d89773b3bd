"""Seeded mutations of byte strings, in Python: as the native fuzz driver makes them, for comparing two parsers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random


def _flip(rng: Random, data: bytearray) -> None:
    if data:
        at = rng.randrange(len(data) if rng.random() < 0.5 else min(len(data), 32))
        data[at] ^= 1 << rng.randrange(8)


def _set(rng: Random, data: bytearray) -> None:
    if data:
        data[rng.randrange(len(data))] = rng.choice((0, 1, 255, rng.randrange(256)))


def _cut(rng: Random, data: bytearray) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _drop(rng: Random, data: bytearray) -> None:
    at = rng.randrange(len(data) + 1)
    del data[at : at + rng.choice((1, 2, 4, 8))]


def _grow(rng: Random, data: bytearray) -> None:
    data += rng.randbytes(rng.choice((1, 2, 4, 8)))


def mutants(seed: int, count: int, corpus: Sequence[bytes]) -> Iterator[bytes]:
    """``count`` inputs: entries as they are, entries changed a little, two entries spliced, and noise."""
    rng = Random(seed)
    steps = (_flip, _flip, _flip, _set, _cut, _drop, _grow)
    for _ in range(count):
        data = bytearray(rng.choice(corpus))
        kind = rng.randrange(16)
        if kind == 0:
            data = bytearray(rng.randbytes(rng.randrange(65)))
        elif kind == 1:
            other = rng.choice(corpus)
            data = data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]
        for _ in range(rng.randrange(4)):
            rng.choice(steps)(rng, data)
        yield bytes(data)
