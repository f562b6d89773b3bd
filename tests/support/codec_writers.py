"""Writes the codecs' descriptors for tests, plainly: a string of bits after the syntax of each specification."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from support.reference_dependency import Structure, Template

#: The symbols of appendix A.6 of the AV1 RTP specification.
DTIS = {"-": 0, "D": 1, "S": 2, "R": 3}


def packed(*fields: str) -> bytes:
    """Bits in groups, filled up with zeros to whole octets."""
    text = "".join(fields)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[at : at + 8], 2) for at in range(0, len(text), 8))


def u(value: int, width: int) -> str:
    """``value`` in ``width`` bits."""
    assert 0 <= value < 2**width
    return f"{value:0{width}b}" if width else ""


def below(value: int, values: int) -> str:
    """``ns(values)``."""
    assert 0 <= value < values
    width = values.bit_length()
    short = 2**width - values
    return u(value, width - 1) if value < short else u(value + short, width)


def vp9(
    *,
    picture_id: int | None = None,
    wide: bool = True,
    predicted: bool = False,
    flexible: bool = False,
    begins: bool = True,
    ends: bool = False,
    unused_above: bool = False,
    layer: tuple[int, int, int, int] | None = None,
    tl0picidx: int = 0,
    references: Sequence[int] = (),
    structure: str = "",
) -> bytes:
    """A descriptor; ``layer`` is (tid, switching up point, sid, inter-layer)."""
    flags = (
        picture_id is not None,
        predicted,
        layer is not None,
        flexible,
        begins,
        ends,
        structure != "",
        unused_above,
    )
    fields = ["".join("01"[flag] for flag in flags)]
    if picture_id is not None:
        fields.append("1" + u(picture_id, 15) if wide else "0" + u(picture_id & 127, 7))
    if layer is not None:
        tid, up, sid, inter_layer = layer
        fields += [u(tid, 3), u(up, 1), u(sid, 3), u(inter_layer, 1)]
        fields += [] if flexible else [u(tl0picidx, 8)]
    for at, reference in enumerate(references):
        fields.append(u(reference, 7) + "01"[at < len(references) - 1])
    return packed(*fields, structure)


def vp9_structure(
    layers: int,
    sizes: Sequence[tuple[int, int]] | None = None,
    group: Sequence[tuple[int, int, Sequence[int]]] | None = None,
) -> str:
    """A scalability structure."""
    fields = [u(layers - 1, 3), "01"[sizes is not None], "01"[group is not None], "000"]
    fields += [u(width, 16) + u(height, 16) for width, height in sizes or ()]
    if group is not None:
        fields.append(u(len(group), 8))
        for tid, up, references in group:
            fields += [u(tid, 3), u(up, 1), u(len(references), 2), "00", *(u(back, 8) for back in references)]
    return "".join(fields)


def structure(rows: Iterable[str], *, offset: int = 0, protected_by: Sequence[int] = (), **more: object) -> Structure:
    """A structure from a table as in appendix A.6: each row "S T fdiffs chains dtis", "." for no fdiffs or chains."""
    templates = []
    for row in rows:
        spatial, temporal, fdiffs, chains, dtis = row.split()
        templates.append(
            Template(
                int(spatial),
                int(temporal),
                [DTIS[symbol] for symbol in dtis],
                [] if fdiffs == "." else [int(fdiff) for fdiff in fdiffs.split(",")],
                [] if chains == "." else [int(chain) for chain in chains.split(",")],
            )
        )
    found = Structure(offset, len(templates[0].dtis), 0, templates, len(templates[0].chain_fdiffs), list(protected_by))
    for name, value in more.items():
        setattr(found, name, value)
    found.active = 2**found.targets - 1
    return found


def _structure_bits(what: Structure) -> str:
    fields = [u(what.offset, 6), u(what.targets - 1, 5)]
    for now, after in zip(what.templates, [*what.templates[1:], None], strict=True):
        if after is None:
            step = 3
        elif after.spatial_id != now.spatial_id:
            step = 2
        else:
            step = after.temporal_id - now.temporal_id
        assert 0 <= step <= 3
        fields.append(u(step, 2))
    fields += [u(dti, 2) for template in what.templates for dti in template.dtis]
    for template in what.templates:
        fields += [*("1" + u(fdiff - 1, 4) for fdiff in template.fdiffs), "0"]
    fields.append(below(what.chain_count, what.targets + 1))
    if what.chain_count:
        fields += [below(chain, what.chain_count) for chain in what.protected_by]
        fields += [u(chain, 4) for template in what.templates for chain in template.chain_fdiffs]
    fields.append("01"[what.sizes is not None])
    fields += [u(width - 1, 16) + u(height - 1, 16) for width, height in what.sizes or ()]
    return "".join(fields)


def descriptor(
    template_id: int,
    frame_number: int,
    *,
    begins: bool = True,
    ends: bool = True,
    brings: Structure | None = None,
    targets: int = 0,
    active: int | None = None,
    dtis: Sequence[int] | None = None,
    fdiffs: Sequence[int] | None = None,
    chains: Sequence[int] | None = None,
) -> bytes:
    """A dependency descriptor; ``targets`` says how wide a mask is."""
    head = "01"[begins] + "01"[ends] + u(template_id, 6) + u(frame_number, 16)
    said = (brings, active, dtis, fdiffs, chains)
    if all(part is None for part in said):
        return packed(head)
    fields = [head, *("01"[part is not None] for part in said)]
    if brings is not None:
        fields.append(_structure_bits(brings))
    if active is not None:
        fields.append(u(active, targets or (brings.targets if brings else 0)))
    fields += [u(dti, 2) for dti in dtis or ()]
    if fdiffs is not None:
        for fdiff in fdiffs:
            size = 1 if fdiff <= 16 else 2 if fdiff <= 256 else 3
            fields.append(u(size, 2) + u(fdiff - 1, 4 * size))
        fields.append("00")
    fields += [u(chain, 8) for chain in chains or ()]
    return packed(*fields)


#: Appendix A.6.1: one spatial layer, three temporal ones, one chain; targets 30, 15 and 7.5 frames a second.
L1T3 = structure(["0 0 . 0 SSS", "0 0 4 4 SSS", "0 1 2 2 SD-", "0 2 1 1 D--", "0 2 1 3 D--"], protected_by=[0, 0, 0])
#: Two spatial layers of which the upper goes on by itself behind a keyframe, a chain for each.
L2T1_KEY = structure(
    ["0 0 . 0,0 SS", "0 0 2 2,1 -S", "1 0 1 1,1 S-", "1 0 2 1,2 S-"],
    offset=60,
    protected_by=[1, 0],
    sizes=[(640, 360), (1280, 720)],
)
#: Decode targets without chains, and no size.
S2T2 = structure(
    ["0 0 . . S-S-", "0 0 2 . R-S-", "0 1 1 . D---", "1 0 . . -S-S", "1 0 4 . -R-S", "1 1 2 . -D--"], offset=7
)
