"""A slow reference of the codecs' payload descriptors, from their RFCs and specifications, over strings of bits.

Each function takes bytes and gives what the door of the same name in ``probe_codecs`` gives, or raises ValueError.
"""

from __future__ import annotations

from typing import Any


def need(condition: bool) -> None:
    """Refuse the input unless ``condition`` holds."""
    if not condition:
        raise ValueError


class Bits:
    """A string of bits that is read from its front."""

    def __init__(self, data: bytes) -> None:
        self.text = "".join(f"{octet:08b}" for octet in data)
        self.at = 0

    def f(self, count: int) -> int:
        """An unsigned number of ``count`` bits."""
        need(self.at + count <= len(self.text))
        piece = self.text[self.at : self.at + count]
        self.at += count
        return int(piece, 2) if piece else 0

    def ns(self, values: int) -> int:
        """A number below ``values``: the first ones take a bit less."""
        width = values.bit_length()
        short = 2**width - values
        value = self.f(width - 1)
        return value if value < short else 2 * value - short + self.f(1)

    def octets_left(self) -> int:
        """Whole octets behind."""
        return (len(self.text) - self.at) // 8


def vp9_parse(payload: bytes) -> dict[str, Any]:
    """RFC 9628 section 4.2."""
    return _vp9(payload)[0]


def vp9_structure(payload: bytes) -> dict[str, Any]:
    """RFC 9628 section 4.2.1."""
    structure = _vp9(payload)[1]
    need(structure is not None)
    assert structure is not None
    return structure


def _vp9(payload: bytes) -> tuple[dict[str, Any], dict[str, Any] | None]:
    bits = Bits(payload)
    i, p, layered, flexible, begins, ends, v, z = (bits.f(1) for _ in range(8))
    need(bool(i) or not flexible)
    out: dict[str, Any] = {
        "predicted": p,
        "layered": layered,
        "flexible": flexible,
        "begins_frame": begins,
        "ends_frame": ends,
        "unused_above": z,
        "has_picture_id": i,
        "wide_picture_id": 0,
        "picture_id": 0,
        "tid": 0,
        "switch_up": 0,
        "sid": 0,
        "inter_layer": 0,
        "has_tl0picidx": int(layered and not flexible),
        "tl0picidx": 0,
        "references": [],
        "structure_off": 0,
        "width": 0,
        "height": 0,
    }
    if i:
        out["wide_picture_id"] = bits.f(1)
        out["picture_id"] = bits.f(15 if out["wide_picture_id"] else 7)
    if layered:
        out |= {"tid": bits.f(3), "switch_up": bits.f(1), "sid": bits.f(3), "inter_layer": bits.f(1)}
        out["tl0picidx"] = 0 if flexible else bits.f(8)
    more = p and flexible
    while more:
        need(len(out["references"]) < 3)
        out["references"].append(bits.f(7))
        more = bits.f(1)
    structure = None
    if v:
        out["structure_off"] = bits.at // 8
        structure = _vp9_structure(bits)
        if structure["sizes"] is not None and out["sid"] < structure["layer_count"]:
            out["width"], out["height"] = structure["sizes"][out["sid"]]
    need(bits.octets_left() > 0)
    out["reference_count"] = len(out["references"])
    out["descriptor_size"] = bits.at // 8
    out["keyframe"] = int(begins and not p and out["sid"] == 0)
    return out, structure


def _vp9_structure(bits: Bits) -> dict[str, Any]:
    layers, has_sizes, has_group, _ = bits.f(3) + 1, bits.f(1), bits.f(1), bits.f(3)
    sizes = [(bits.f(16), bits.f(16)) for _ in range(layers)] if has_sizes else None
    group = None
    if has_group:
        group = []
        for _ in range(bits.f(8)):
            tid, up, count, _ = bits.f(3), bits.f(1), bits.f(2), bits.f(2)
            group.append((tid, up, [bits.f(8) for _ in range(count)]))
    return {"layer_count": layers, "sizes": sizes, "group": group}


def av1_parse(payload: bytes) -> dict[str, int]:
    """RTP Payload Format for AV1, section 4.4, with the OBU header of AV1 section 5.3.2."""
    need(len(payload) > 1)
    head = Bits(payload[:1])
    z, y, w, n = head.f(1), head.f(1), head.f(2), head.f(1)
    need(not (n and z))
    rest, elements = payload[1:], []
    while rest:
        size = len(rest)
        if len(elements) + 1 != w:
            size, used = _leb128(rest)
            rest = rest[used:]
        need(size <= len(rest))
        elements.append(rest[:size])
        rest = rest[size:]
    need(len(elements) >= w)
    layers = []
    for at, element in enumerate(elements):
        if (z and at == 0) or not element:
            continue
        need(element[0] < 0x80)
        if element[0] & 4:
            if len(element) > 1:
                layers.append((element[1] >> 5, element[1] >> 3 & 3))
            else:
                need(bool(y) and at == len(elements) - 1)
    temporal, spatial = layers[0] if layers else (0, 0)
    return {
        "continues": z,
        "continued": y,
        "starts_sequence": n,
        "element_count": min(len(elements), 255),
        "layered": int(bool(layers)),
        "temporal_id": temporal,
        "spatial_id": spatial,
    }


def _leb128(data: bytes) -> tuple[int, int]:
    value = 0
    for at, octet in enumerate(data[:8]):
        value += (octet % 128) << 7 * at
        if octet < 128:
            need(value < 2**32)
            return value, at + 1
    raise ValueError


#: Samples at 48 kHz of a frame, by configuration (RFC 6716 table 2).
OPUS_SAMPLES = [480, 960, 1920, 2880] * 3 + [480, 960] * 2 + [120, 240, 480, 960] * 4


def opus_parse(payload: bytes) -> dict[str, int]:
    """RFC 6716 section 3, and the header bits of section 4.2.3."""
    need(len(payload) > 0)
    toc = Bits(payload[:1])
    config, stereo, code = toc.f(5), toc.f(1), toc.f(2)
    frames = _opus_frames(code, payload[1:])
    need(all(len(frame) <= 1275 for frame in frames))
    samples = OPUS_SAMPLES[config]
    need(samples * len(frames) <= 5760)
    dtx = all(len(frame) <= 1 for frame in frames)
    first = next((frame for frame in frames if frame), b"")
    fec = 0
    if config < 16 and first and not dtx:
        bits, silk_frames = Bits(first), max(1, samples // 960)
        for _ in range(1 + stereo):
            bits.f(silk_frames)
            fec |= bits.f(1)
    return {
        "config": config,
        "stereo": stereo,
        "frame_count": len(frames),
        "dtx": int(dtx),
        "has_fec": fec,
        "duration": samples * len(frames),
    }


def _opus_length(rest: bytes) -> tuple[int, bytes]:
    need(len(rest) > 0)
    if rest[0] < 252:
        return rest[0], rest[1:]
    need(len(rest) > 1)
    return rest[0] + 4 * rest[1], rest[2:]


def _opus_frames(code: int, rest: bytes) -> list[bytes]:
    if code == 0:
        return [rest]
    if code == 1:
        need(len(rest) % 2 == 0)
        return [rest[: len(rest) // 2], rest[len(rest) // 2 :]]
    if code == 2:
        size, rest = _opus_length(rest)
        need(size <= len(rest))
        return [rest[:size], rest[size:]]
    need(len(rest) > 0)
    vbr, padded, count = rest[0] >> 7, rest[0] >> 6 & 1, rest[0] & 63
    need(1 <= count <= 48)
    rest, padding = rest[1:], 0
    while padded:
        need(len(rest) > 0)
        padding += min(rest[0], 254)
        padded, rest = rest[0] == 255, rest[1:]
    sizes = []
    for _ in range(count - 1 if vbr else 0):
        size, rest = _opus_length(rest)
        sizes.append(size)
    need(len(rest) >= padding + sum(sizes))
    rest = rest[: len(rest) - padding]
    if not vbr:
        need(len(rest) % count == 0)
        sizes = [len(rest) // count] * (count - 1)
    frames = []
    for size in sizes:
        frames.append(rest[:size])
        rest = rest[size:]
    return [*frames, rest]


def red_parse(payload: bytes) -> list[tuple[int, int, bytes]]:
    """RFC 2198 section 3; as many blocks as we take."""
    bits, heads = Bits(payload), []
    while bits.f(1):
        heads.append((bits.f(7), bits.f(14), bits.f(10)))
        need(len(heads) < 16)
    primary, found = bits.f(7), []
    rest = payload[bits.at // 8 :]
    for kind, offset, size in heads:
        need(size <= len(rest))
        found.append((kind, offset, rest[:size]))
        rest = rest[size:]
    return [*found, (primary, 0, rest)]
