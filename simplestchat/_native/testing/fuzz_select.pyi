"""Fuzz targets (see ``_native/testing/fuzz_select.pyx``)."""

FUZZ_TARGETS: tuple[str, ...]

def fuzz(target: str, seed: int, rounds: int, corpus: list[bytes]) -> int: ...
