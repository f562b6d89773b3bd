"""A slow reference of the RTCP and transport-wide feedback parsers, written from the RFCs.

``rtcp_parse`` takes bytes and gives what the door of that name in ``probe_rtcp`` gives, or raises ValueError.
"""

from __future__ import annotations

from struct import unpack_from
from typing import Any

from support.reference_rtp import need

SR, RR, SDES, BYE, APP, RTPFB, PSFB, XR = range(200, 208)
MAX_NACKS = MAX_FIRS = MAX_SSRCS = 64
MAX_PACKETS = 1024


def _words(data: bytes) -> list[int]:
    return list(unpack_from(f"!{len(data) // 4}I", data))


def _report(block: bytes) -> dict[str, int]:
    ssrc, _, highest, jitter, lsr, dlsr = unpack_from("!6I", block)
    return {
        "ssrc": ssrc,
        "fraction_lost": block[4],
        "cumulative_lost": int.from_bytes(block[5:8], "big", signed=True),
        "highest_seq": highest,
        "jitter": jitter,
        "lsr": lsr,
        "dlsr": dlsr,
    }


def _cname(body: bytes, count: int) -> bytes:
    rest = body[4:]
    if count == 0:
        return b""
    while True:
        need(len(rest) > 0)
        if rest[0] == 0:
            return b""
        need(len(rest) >= 2 and len(rest) >= 2 + rest[1])
        if rest[0] == 1:
            return rest[2 : 2 + rest[1]]
        rest = rest[2 + rest[1] :]


def _symbols(body: bytes, count: int) -> tuple[list[int], bytes]:
    symbols: list[int] = []
    while len(symbols) < count:
        need(len(body) >= 2)
        (chunk,) = unpack_from("!H", body)
        body = body[2:]
        if chunk < 0x8000:
            told = [chunk >> 13] * (chunk & 0x1FFF)
        elif chunk < 0xC000:
            told = [chunk >> shift & 1 for shift in range(13, -1, -1)]
        else:
            told = [chunk >> shift & 3 for shift in range(12, -1, -2)]
        told = told[: count - len(symbols)]
        need(3 not in told)
        symbols += told
    return symbols, body


def _twcc(body: bytes) -> dict[str, Any]:
    need(len(body) >= 16)
    base, count = unpack_from("!HH", body, 8)
    reference = int.from_bytes(body[12:15], "big", signed=True)
    need(1 <= count <= MAX_PACKETS)
    symbols, deltas = _symbols(body[16:], count)
    arrivals: list[int | None] = []
    now = reference * 64_000
    for symbol in symbols:
        need(len(deltas) >= symbol)
        now += 250 * int.from_bytes(deltas[:symbol], "big", signed=symbol == 2)
        deltas = deltas[symbol:]
        arrivals.append(now if symbol else None)
    return {
        "base_seq": base,
        "count": count,
        "feedback_count": body[15],
        "reference": reference,
        "arrivals": arrivals,
    }


def _remb(body: bytes) -> dict[str, Any]:
    need(len(body) >= 16 and body[8:12] == b"REMB")
    need(len(body) >= 16 + 4 * body[12])
    exponent, mantissa = body[13] >> 2, int.from_bytes(body[13:16], "big") & 0x3FFFF
    # A rate that 64 bits may not hold is no limit at all.
    fits = mantissa == 0 or exponent <= 46
    return {
        "bitrate_bps": mantissa << exponent if fits else 2**64 - 1,
        "ssrcs": _words(body[16 : 16 + 4 * body[12]])[:MAX_SSRCS],
    }


def _feedback(kind: int, format: int, body: bytes) -> dict[str, Any]:
    entries = body[8:]
    if (kind, format) == (RTPFB, 1):
        need(len(entries) >= 4 and len(entries) % 4 == 0)
        return {"nack": [divmod(word, 65536) for word in _words(entries)][:MAX_NACKS]}
    if (kind, format) == (RTPFB, 15):
        return _twcc(body)
    if (kind, format) == (PSFB, 4):
        need(len(entries) >= 8 and len(entries) % 8 == 0)
        words = _words(entries)
        return {"fir": [(ssrc, flags >> 24) for ssrc, flags in zip(words[::2], words[1::2], strict=True)][:MAX_FIRS]}
    if (kind, format) == (PSFB, 15):
        return _remb(body)
    return {}


def _body(kind: int, count: int, body: bytes) -> dict[str, Any]:
    if kind in (SR, RR):
        start = 24 if kind == SR else 4
        reports = [_report(body[at : at + 24]) for at in range(start, start + 24 * count, 24)]
        if kind == RR:
            return {"reports": reports}
        names = ("ssrc", "ntp", "rtp_timestamp", "packets", "octets")
        return {"info": dict(zip(names, unpack_from("!IQIII", body), strict=True)), "reports": reports}
    if kind == SDES:
        return {"cname": _cname(body, count)}
    if kind == BYE:
        return {"ssrcs": _words(body[: 4 * count])}
    return _feedback(kind, count, body)


def _least(kind: int, count: int) -> int:
    """Bytes behind the four of the header that a packet has at least."""
    sizes = {SR: 24 + 24 * count, RR: 4 + 24 * count, SDES: 8 * count, BYE: 4 * count, XR: 4}
    return sizes.get(kind, 8 if kind in (APP, RTPFB, PSFB) else 0)


def rtcp_walk(data: bytes) -> list[dict[str, int]]:
    """RFC 3550 section 6.1 without its rules on order (RFC 5506); the whole compound or nothing."""
    packets, at = [], 0
    need(len(data) <= 65535)
    while at < len(data):
        need(len(data) - at >= 4)
        flags, kind, words = unpack_from("!BBH", data, at)
        whole = 4 + 4 * words
        need(flags >> 6 == 2 and 192 <= kind <= 223 and at + whole <= len(data))
        size, count = whole, flags & 31
        if flags & 32:
            padding = data[at + whole - 1]
            need(at + whole == len(data) and 1 <= padding <= whole - 4)
            size -= padding
        body = data[at + 4 : at + size]
        need(len(body) >= _least(kind, count))
        if kind == BYE and len(body) > 4 * count:
            need(body[4 * count] <= len(body) - 4 * count - 1)
        nameless = kind in (SDES, BYE) and count == 0
        packets.append(
            {
                "type": kind,
                "count": count,
                "off": at,
                "size": size,
                "sender_ssrc": 0 if nameless or len(body) < 4 else unpack_from("!I", body)[0],
                "media_ssrc": unpack_from("!I", body, 4)[0] if kind in (RTPFB, PSFB) else 0,
            }
        )
        at += whole
    return packets


def rtcp_parse(data: bytes) -> list[dict[str, Any]]:
    """The walk, and every body read."""
    return [
        {**view, **_body(view["type"], view["count"], data[view["off"] + 4 : view["off"] + view["size"]])}
        for view in rtcp_walk(data)
    ]
