"""Each descriptor against a slow reference: the same verdict and values on good, damaged and senseless input."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import reference_codecs, reference_dependency
from support.fuzzing import load_corpora
from support.mutations import mutants

from simplestchat._native.core.errors import NativeError
from simplestchat._native.testing import probe_codecs

CORPORA = load_corpora()
COUNT = 25_000
Parser = Callable[[bytes], Any]

PAIRS: dict[str, tuple[Parser, Parser, str]] = {
    "vp9_parse": (probe_codecs.vp9_parse, reference_codecs.vp9_parse, "vp9"),
    "vp9_structure": (probe_codecs.vp9_structure, reference_codecs.vp9_structure, "vp9"),
    "av1_parse": (probe_codecs.av1_parse, reference_codecs.av1_parse, "av1"),
    "opus_parse": (probe_codecs.opus_parse, reference_codecs.opus_parse, "opus"),
    "red_parse": (probe_codecs.red_parse, reference_codecs.red_parse, "red"),
}
EVERY_PAIR = pytest.mark.parametrize("name", PAIRS)


def verdict(parser: Parser, data: bytes) -> Any:
    """What a parser finds, or None where it refuses."""
    try:
        return parser(data)
    except (NativeError, ValueError):
        return None


def agree(name: str, data: bytes) -> bool:
    """Compare both on ``data``; whether it was accepted."""
    parser, reference, _ = PAIRS[name]
    found = verdict(parser, data)
    assert found == verdict(reference, data), data.hex()
    return found is not None


@EVERY_PAIR
def test_damaged_payloads(name: str) -> None:
    accepted = sum(agree(name, data) for data in mutants(12, COUNT, CORPORA[PAIRS[name][2]]))
    assert COUNT // 20 < accepted < COUNT


@EVERY_PAIR
@given(data=st.binary(max_size=120))
def test_noise(name: str, data: bytes) -> None:
    agree(name, data)


@EVERY_PAIR
def test_every_prefix(name: str) -> None:
    for entry in CORPORA[PAIRS[name][2]]:
        for size in range(len(entry) + 1):
            agree(name, entry[:size])


@EVERY_PAIR
def test_every_first_byte_at_every_length(name: str) -> None:
    for size in range(1, 33):
        for first in range(256):
            agree(name, bytes([first]) + bytes(size - 1))
            agree(name, bytes([first]) + b"\xff" * (size - 1))


class Readers:
    """Both readers of one stream; they must keep the same, too."""

    def __init__(self) -> None:
        self.native, self.reference = probe_codecs.DependencyReader(), reference_dependency.DependencyReader()

    def feed(self, data: bytes) -> dict[str, Any] | None:
        found = verdict(self.native.parse, data)
        assert found == verdict(self.reference.parse, data), data.hex()
        assert self.native.structure() == self.reference.structure(), data.hex()
        return found


def streams(seed: int) -> Iterator[list[bytes]]:
    """Rows of damaged descriptors that begin with a structure."""
    rng, corpus = Random(seed), CORPORA["av1dd"]
    for head in mutants(seed, COUNT // 40, corpus):
        yield [rng.choice([head, corpus[0], corpus[4], corpus[7]]), *mutants(rng.randrange(2**32), 40, corpus)]


def test_damaged_rows_of_dependency_descriptors() -> None:
    known = brought = 0
    for row in streams(5):
        readers = Readers()
        for data in row:
            found = readers.feed(data)
            known += bool(found and found["known"])
            brought += bool(found and found["has_structure"])
    assert known > COUNT // 4
    assert brought > COUNT // 20


@given(rows=st.lists(st.binary(max_size=60), max_size=8))
def test_noise_behind_a_structure(rows: list[bytes]) -> None:
    readers = Readers()
    for data in [CORPORA["av1dd"][0], *rows]:
        readers.feed(data)


@given(data=st.binary(min_size=8, max_size=60))
def test_noise_that_brings_a_structure(data: bytes) -> None:
    Readers().feed(data[:3] + bytes([data[3] | 0x80]) + data[4:])


def test_every_prefix_of_a_dependency_descriptor() -> None:
    corpus = CORPORA["av1dd"]
    for entry in corpus:
        for size in range(len(entry) + 1):
            readers = Readers()
            readers.feed(corpus[0])
            readers.feed(entry[:size])
