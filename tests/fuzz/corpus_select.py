"""Where fuzzing of the choice of layers starts: a few packets' facts in a row."""

from __future__ import annotations


def facts(flags: int, layer: int, picture: int, present: int = 0, refers: int = 0) -> bytes:
    """One step of the target: see ``fuzz_select``."""
    head = flags.to_bytes(2, "little") + bytes([layer]) + picture.to_bytes(2, "little")
    return head + present.to_bytes(4, "little") * 2 + b"\xff\xff\xff" + refers.to_bytes(8, "little")


SELECT = [
    b"".join(facts(0x8007, layer, picture, 7) for picture in range(4) for layer in (0, 1, 2)),
    b"".join(facts(0x9247 if picture else 0x9203, picture % 3 << 3, picture, 0b111, 1) for picture in range(8)),
    b"".join(facts(0x2147, 0, picture) for picture in (1, 3, 2, 3, 60, 5)),
]
RATES = [bytes.fromhex("0a0b00ff" * 12), bytes.fromhex("ff0c41ff 010f0912 ff0f0000")]

CORPUS: dict[str, list[bytes]] = {"select": SELECT, "rates": RATES}
