"""Fuzz targets of SRTP, SRTCP and STUN integrity (see ``_native/testing/fuzz_crypto.pyx``)."""

FUZZ_TARGETS: tuple[str, ...]
FUZZ_KEY: bytes
FUZZ_SALT: bytes

def fuzz(target: str, seed: int, rounds: int, corpus: list[bytes]) -> int: ...
