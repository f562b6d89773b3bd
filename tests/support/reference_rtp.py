"""A slow reference of the RTP-side parsers, written from the RFCs: headers, extensions, VP8, H264, demultiplexing.

Each function takes bytes and gives what the door of the same name in ``probe_wire`` gives, or raises ValueError.
"""

from __future__ import annotations

from struct import unpack_from


def need(condition: bool) -> None:
    """Refuse the input unless ``condition`` holds."""
    if not condition:
        raise ValueError


def demux(data: bytes) -> str:
    """RFC 7983 section 7 with RFC 5761 section 4."""
    first = data[0] if data else 255
    if first in range(4):
        return "stun"
    if first in range(20, 64):
        return "dtls"
    if first in range(128, 192) and len(data) > 1:
        # The RTCP types 192..223 are the payload types 64..95 with the marker set; a marker of either kind is let in.
        return "rtcp" if data[1] % 128 in range(64, 96) else "rtp"
    return "unknown"


def rtp_parse(data: bytes) -> dict[str, int]:
    """RFC 3550 section 5.1."""
    need(12 <= len(data) <= 65535 and data[0] >> 6 == 2)
    sequence, timestamp, ssrc = unpack_from("!HII", data, 2)
    count = data[0] & 15
    end = 12 + 4 * count
    need(len(data) >= end)
    profile = off = size = 0
    if data[0] & 16:
        need(len(data) >= end + 4)
        profile, words = unpack_from("!HH", data, end)
        off, size = end + 4, 4 * words
        end = off + size
        need(len(data) >= end)
    return {
        "payload_type": data[1] & 127,
        "marker": data[1] >> 7,
        "csrc_count": count,
        "has_padding": data[0] >> 5 & 1,
        "sequence": sequence,
        "timestamp": timestamp,
        "ssrc": ssrc,
        "ext_profile": profile,
        "ext_off": off,
        "ext_len": size,
        "header_size": end,
    }


def rtp_payload(data: bytes) -> bytes:
    """RFC 3550 section 5.1: the last byte of padding says how much of it there is, itself included."""
    view = rtp_parse(data)
    payload = data[view["header_size"] :]
    if view["has_padding"]:
        need(bool(payload) and 1 <= payload[-1] <= len(payload))
        payload = payload[: -payload[-1]]
    return payload


def rtp_extensions(data: bytes) -> list[tuple[int, bytes]]:
    """RFC 8285 sections 4.2 and 4.3; what follows a fault is not believed, what came before it is."""
    view = rtp_parse(data)
    body = data[view["ext_off"] : view["ext_off"] + view["ext_len"]]
    one_byte, two_byte = view["ext_profile"] == 0xBEDE, view["ext_profile"] >> 4 == 0x100
    found = []
    while body and (one_byte or two_byte):
        if body[0] == 0:
            body = body[1:]
            continue
        if one_byte:
            id, size, body = body[0] >> 4, (body[0] & 15) + 1, body[1:]
            if id in (0, 15):
                break
        else:
            if len(body) < 2:
                break
            id, size, body = body[0], body[1], body[2:]
        if size > len(body):
            break
        found.append((id, body[:size]))
        body = body[size:]
    return found


VP8_FIELDS = (
    *("descriptor_size", "start", "keyframe", "non_reference", "partition_start", "partition"),
    *("has_picture_id", "wide_picture_id", "picture_id", "has_tl0picidx"),
    *("tl0picidx", "has_tid", "tid", "layer_sync", "has_keyidx", "keyidx", "width", "height"),
)


def vp8_parse(payload: bytes) -> dict[str, int]:
    """RFC 7741 section 4.2, with the frame header of RFC 6386 section 9.1."""
    out = dict.fromkeys(VP8_FIELDS, 0)
    rest = iter(payload)
    try:
        first = next(rest)
        flags = next(rest) if first & 0x80 else 0
        if flags & 0x80:
            number = next(rest)
            if number & 0x80:
                number = (number & 0x7F) << 8 | next(rest)
                out["wide_picture_id"] = 1
            out |= {"has_picture_id": 1, "picture_id": number}
        if flags & 0x40:
            out |= {"has_tl0picidx": 1, "tl0picidx": next(rest)}
        shared = next(rest) if flags & 0x30 else 0
    except StopIteration:
        raise ValueError from None
    if flags & 0x20:
        out |= {"has_tid": 1, "tid": shared >> 6, "layer_sync": shared >> 5 & 1}
    if flags & 0x10:
        out |= {"has_keyidx": 1, "keyidx": shared & 31}
    frame = bytes(rest)
    need(len(frame) > 0)
    out["descriptor_size"] = len(payload) - len(frame)
    out["start"] = int(first & 0x17 == 0x10)
    out |= {"non_reference": first >> 5 & 1, "partition_start": first >> 4 & 1, "partition": first & 7}
    out["keyframe"] = int(out["start"] and not frame[0] & 1)
    if out["keyframe"] and frame[3:6] == b"\x9d\x01\x2a" and len(frame) >= 10:
        width, height = unpack_from("<HH", frame, 6)
        out |= {"width": width & 0x3FFF, "height": height & 0x3FFF}
    return out


def _nal_begins(kind: int, body: bytes) -> bool:
    need(1 <= kind <= 23)
    if kind == 5:
        need(len(body) > 0)
        return body[0] >= 128
    return kind == 7


def h264_keyframe(payload: bytes) -> bool:
    """RFC 6184 sections 5.6 to 5.8."""
    need(len(payload) > 0 and payload[0] < 128)
    kind = payload[0] & 31
    if kind == 24:
        verdicts, rest = [], payload[1:]
        need(len(rest) > 0)
        while rest:
            need(len(rest) >= 3)
            (size,) = unpack_from("!H", rest)
            need(1 <= size <= len(rest) - 2)
            verdicts.append(_nal_begins(rest[2] & 31, rest[3 : 2 + size]))
            rest = rest[2 + size :]
        return any(verdicts)
    if kind == 28:
        need(len(payload) >= 3 and payload[1] & 0xC0 != 0xC0 and 1 <= payload[1] & 31 <= 23)
        return bool(payload[1] & 0x80) and _nal_begins(payload[1] & 31, payload[2:])
    return _nal_begins(kind, payload[1:])


def vp9_keyframe(payload: bytes) -> bool:
    """RFC 9628 section 4.2."""
    need(len(payload) > 0)
    bits = f"{payload[0]:08b}"
    has_id, predicted, layered, flexible, begins, _, structured = (bit == "1" for bit in bits[:7])
    need(has_id or not flexible)
    rest = iter(payload[1:])
    layer = 0
    try:
        if has_id and next(rest) >= 0x80:
            next(rest)
        if layered:
            layer = next(rest) // 2 % 8
            if not flexible:
                next(rest)
        if predicted and flexible:
            references = 1
            while next(rest) % 2:
                references += 1
                need(references <= 3)
        if structured:
            flags = f"{next(rest):08b}"
            sizes = 4 * (1 + int(flags[:3], 2)) if flags[3] == "1" else 0
            for _ in range(sizes):
                next(rest)
            pictures = next(rest) if flags[4] == "1" else 0
            for _ in range(pictures):
                for _ in range(next(rest) // 4 % 4):
                    next(rest)
        next(rest)
    except StopIteration:
        raise ValueError from None
    return begins and not predicted and layer == 0


def av1_keyframe(payload: bytes) -> bool:
    """RTP Payload Format for AV1, section 4.4: Z, Y, two bits of W, N."""
    need(len(payload) > 1)
    bits = f"{payload[0]:08b}"
    need(not (bits[0] == "1" and bits[4] == "1"))
    return bits[4] == "1"
