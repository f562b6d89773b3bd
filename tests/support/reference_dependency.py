"""A slow reference of dependency descriptors, from appendix A of the AV1 RTP specification, over strings of bits.

It gives what the door of the same name in ``probe_codecs`` gives, or raises ValueError.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from support.reference_codecs import Bits, need


@dataclass
class Template:
    """What is said once for all frames of its kind."""

    spatial_id: int
    temporal_id: int
    dtis: list[int] = field(default_factory=list)
    fdiffs: list[int] = field(default_factory=list)
    chain_fdiffs: list[int] = field(default_factory=list)


@dataclass
class Structure:
    """template_dependency_structure() of appendix A.4.1."""

    offset: int
    targets: int
    frame_number: int = field(compare=False)
    templates: list[Template] = field(default_factory=list)
    chain_count: int = 0
    protected_by: list[int] = field(default_factory=list)
    sizes: list[tuple[int, int]] | None = None
    active: int = field(default=0, compare=False)
    active_frame: int = field(default=0, compare=False)
    generation: int = field(default=0, compare=False)

    def layers(self) -> list[tuple[int, int]]:
        """The highest spatial and temporal layer of each decode target."""
        found = []
        for target in range(self.targets):
            own = [each for each in self.templates if each.dtis[target]]
            found.append((max((t.spatial_id for t in own), default=0), max((t.temporal_id for t in own), default=0)))
        return found


def is_late(frame: int, newest: int) -> bool:
    """Up to 256 frames behind; the numbers have 16 bits."""
    return 1 <= (newest - frame) % 65536 <= 256


class DependencyReader:
    """Appendix A.4: the structure of one stream, and the descriptors that are read with it."""

    def __init__(self) -> None:
        self.kept: Structure | None = None

    def parse(self, data: bytes) -> dict[str, Any]:
        """``dependency_descriptor(sz)``."""
        need(3 <= len(data) <= 255)
        bits = Bits(data)
        out = dict.fromkeys(DD_FIELDS, 0) | {"dtis": [], "fdiffs": [], "chain_fdiffs": []}
        out |= {
            "begins_frame": bits.f(1),
            "ends_frame": bits.f(1),
            "template_id": bits.f(6),
            "frame_number": bits.f(16),
        }
        brings = has_active = dtis = fdiffs = chains = 0
        now = self.kept
        if len(data) > 3:
            brings, has_active, dtis, fdiffs, chains = (bits.f(1) for _ in range(5))
            if brings:
                now = self._structure(bits, out["frame_number"])
        index = (out["template_id"] - now.offset) % 64 if now else 0
        if now is None or index >= len(now.templates):
            need(not brings)
            return out
        out |= {"known": 1, "has_structure": brings, "has_active": has_active, "active_pos": bits.at}
        out["active"] = bits.f(now.targets) if has_active else now.active
        self._definition(bits, now, now.templates[index], (dtis, fdiffs, chains), out)
        self._keep(now, out)
        return out

    def _definition(
        self, bits: Bits, now: Structure, template: Template, custom: tuple[int, int, int], out: dict[str, Any]
    ) -> None:
        out |= {"spatial_id": template.spatial_id, "temporal_id": template.temporal_id}
        out["dtis"] = [bits.f(2) for _ in range(now.targets)] if custom[0] else template.dtis
        out["fdiffs"] = list(template.fdiffs)
        if custom[1]:
            out["fdiffs"] = []
            while size := bits.f(2):
                need(len(out["fdiffs"]) < 8)
                out["fdiffs"].append(bits.f(4 * size) + 1)
        out["chain_fdiffs"] = [bits.f(8) for _ in range(now.chain_count)] if custom[2] else template.chain_fdiffs
        if now.sizes:
            out["width"], out["height"] = now.sizes[template.spatial_id]
        own, layers = (template.spatial_id, template.temporal_id), now.layers()
        out["own_switch"] = int(any(dti == 2 and layer == own for dti, layer in zip(out["dtis"], layers, strict=True)))
        above = any(dti and layer[0] > own[0] for dti, layer in zip(out["dtis"], layers, strict=True))
        out["unused_above"] = int(not above)
        out |= {"fdiff_count": len(out["fdiffs"]), "chain_count": now.chain_count, "target_count": now.targets}
        out["bits"] = bits.at

    def _structure(self, bits: Bits, frame_number: int) -> Structure:
        found = Structure(bits.f(6), bits.f(5) + 1, frame_number)
        spatial = temporal = step = 0
        while step != 3:
            need(len(found.templates) < 64 and spatial < 4 and temporal < 8)
            found.templates.append(Template(spatial, temporal))
            step = bits.f(2)
            if step == 1:
                temporal += 1
            elif step == 2:
                spatial, temporal = spatial + 1, 0
        for template in found.templates:
            template.dtis = [bits.f(2) for _ in range(found.targets)]
        for template in found.templates:
            while bits.f(1):
                need(len(template.fdiffs) < 8)
                template.fdiffs.append(bits.f(4) + 1)
        found.chain_count = bits.ns(found.targets + 1)
        if found.chain_count:
            found.protected_by = [bits.ns(found.chain_count) for _ in range(found.targets)]
            for template in found.templates:
                template.chain_fdiffs = [bits.f(4) for _ in range(found.chain_count)]
        if bits.f(1):
            found.sizes = [(min(bits.f(16) + 1, 65535), min(bits.f(16) + 1, 65535)) for _ in range(spatial + 1)]
        found.active = 2**found.targets - 1
        found.active_frame = frame_number
        return found

    def _keep(self, now: Structure, out: dict[str, Any]) -> None:
        frame = out["frame_number"]
        if now is not self.kept:
            late = self.kept is not None and is_late(frame, self.kept.frame_number)
            before = self.kept.generation if self.kept else 0
            now.generation = before if now == self.kept else 0 if late else before + 1
            if not late:
                self.kept = now
                now.active = out["active"]
        elif out["has_active"] and not is_late(frame, now.active_frame):
            now.active, now.active_frame = out["active"], frame
        out["structure"] = now.generation

    def structure(self) -> dict[str, Any] | None:
        """What is kept, as the door tells it."""
        if self.kept is None:
            return None
        kept = self.kept
        return {
            "offset": kept.offset,
            "templates": [vars(template) for template in kept.templates],
            "protected_by": kept.protected_by,
            "chain_count": kept.chain_count,
            "layers": kept.layers(),
            "sizes": kept.sizes,
            "active": kept.active,
        }


DD_FIELDS = (
    *("begins_frame", "ends_frame", "template_id", "frame_number", "known", "has_structure", "has_active"),
    *("spatial_id", "temporal_id", "fdiff_count", "chain_count", "own_switch", "target_count", "width", "height"),
    *("active_pos", "bits", "active", "unused_above", "structure"),
)
