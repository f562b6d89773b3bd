"""Fuzz targets (see ``_native/testing/fuzz_cc.pyx``)."""

FUZZ_TARGETS: tuple[str, ...]
FUZZ_ROUNDS: int

def fuzz(target: str, seed: int, rounds: int, corpus: list[bytes]) -> int: ...
