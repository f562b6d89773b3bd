"""A slow reference of the STUN parser, from RFC 8489 and RFC 8445; gives what ``probe_wire.stun_parse`` gives."""

from __future__ import annotations

import zlib
from struct import pack, unpack_from
from typing import Any

from support.reference_rtp import need

MAPPED_ADDRESS, USERNAME, INTEGRITY, ERROR_CODE, UNKNOWN_ATTRIBUTES = 0x0001, 0x0006, 0x0008, 0x0009, 0x000A
REALM, NONCE, INTEGRITY_SHA256, XOR_MAPPED_ADDRESS = 0x0014, 0x0015, 0x001C, 0x0020
PRIORITY, USE_CANDIDATE, FINGERPRINT, CONTROLLED, CONTROLLING = 0x0024, 0x0025, 0x8028, 0x8029, 0x802A
KNOWN = {MAPPED_ADDRESS, UNKNOWN_ATTRIBUTES, REALM, NONCE}
COOKIE = 0x2112A442
MAX_UNKNOWN = 8


def stun_fingerprint(data: bytes) -> int:
    """Section 14.7."""
    return zlib.crc32(data) ^ 0x5354554E


def _xor(value: bytes, mask: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(value, mask, strict=False))


def _sealed_part(data: bytes) -> tuple[list[tuple[int, int, bytes]], dict[str, int]]:
    """The attributes that may be believed, as (type, offset of the value, value), and where the checks are."""
    believed: list[tuple[int, int, bytes]] = []
    checks = {"integrity_off": 0, "fingerprint_off": 0}
    at, sealed = 20, False
    while at < len(data):
        kind, size = unpack_from("!HH", data, at)
        value = data[at + 4 : at + 4 + size]
        end = at + 4 + (size + 3) // 4 * 4
        need(end <= len(data))
        if kind == FINGERPRINT:
            need(size == 4 and end == len(data) and value == pack("!I", stun_fingerprint(data[:at])))
            checks["fingerprint_off"] = at
        elif not sealed and kind == INTEGRITY:
            need(size == 20)
            checks["integrity_off"] = at
            sealed = True
        elif not sealed and kind == INTEGRITY_SHA256:
            need(size in range(16, 33, 4))
            sealed = True
        elif not sealed:
            believed.append((kind, at + 4, value))
        at = end
    return believed, checks


def _check(kind: int, value: bytes) -> None:
    if kind == USERNAME:
        need(len(value) < 509)
    elif kind == PRIORITY:
        need(len(value) == 4)
    elif kind == USE_CANDIDATE:
        need(len(value) == 0)
    elif kind in (CONTROLLED, CONTROLLING):
        need(len(value) == 8)
    elif kind == ERROR_CODE:
        need(len(value) >= 4 and value[2] % 8 in range(3, 7) and value[3] < 100)


def _mapped(data: bytes, value: bytes) -> tuple[bytes, int]:
    need(len(value) >= 8 and (value[1], len(value)) in ((1, 8), (2, 20)))
    address = _xor(value[4:], data[4:20])
    (port,) = unpack_from("!H", value, 2)
    return (bytes(10) + b"\xff\xff" + address if len(address) == 4 else address), port ^ COOKIE >> 16


def stun_parse(data: bytes) -> dict[str, Any]:
    """Sections 5 and 14."""
    need(len(data) >= 20 and data[0] < 64 and len(data) % 4 == 0)
    kind, length, cookie = unpack_from("!HHI", data)
    need(cookie == COOKIE and length == len(data) - 20)
    attributes, checks = _sealed_part(data)
    first: dict[int, tuple[int, bytes]] = {}
    unknown: list[int] = []
    mapped = bytes(16), 0
    for attribute, off, value in attributes:
        _check(attribute, value)
        if attribute == XOR_MAPPED_ADDRESS and attribute not in first:
            mapped = _mapped(data, value)
        first.setdefault(attribute, (off, value))
        known = attribute in KNOWN | {USERNAME, ERROR_CODE, XOR_MAPPED_ADDRESS, PRIORITY, USE_CANDIDATE}
        if attribute < 0x8000 and not known and attribute not in unknown:
            unknown.append(attribute)
    need(not (CONTROLLED in first and CONTROLLING in first))
    off, username = first.get(USERNAME, (0, b""))
    error = first[ERROR_CODE][1] if ERROR_CODE in first else bytes(4)
    role = first.get(CONTROLLED) or first.get(CONTROLLING) or (0, bytes(8))
    return {
        **checks,
        "type": kind,
        "length": length,
        "txid_off": 8,
        "txid": data[8:20],
        "username_off": off,
        "username_len": len(username),
        "username": username if off else None,
        "use_candidate": int(USE_CANDIDATE in first),
        "controlling": int(CONTROLLING in first),
        "controlled": int(CONTROLLED in first),
        "has_priority": int(PRIORITY in first),
        "priority": int.from_bytes(first.get(PRIORITY, (0, b""))[1], "big"),
        "tie_breaker": int.from_bytes(role[1], "big"),
        "error_code": 100 * (error[2] % 8) + error[3],
        "has_mapped": int(XOR_MAPPED_ADDRESS in first),
        "mapped_ip": mapped[0],
        "mapped_port": mapped[1],
        "unknown": unknown[:MAX_UNKNOWN],
        "unknown_count": min(len(unknown), MAX_UNKNOWN),
    }
