"""Synthetic streams with layers: every frame knows what it refers to, and its packets say so as their codec does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from support.codec_writers import descriptor, packed, structure, u, vp9
from support.reference_dependency import Structure

#: Temporal layers of the pictures of a period.
PERIODS = {1: (0,), 2: (0, 1), 3: (0, 2, 1, 2)}

FrameId = tuple[int, int]


@dataclass(frozen=True)
class Packet:
    """What arrives."""

    index: int
    frame: FrameId
    payload: bytes
    marker: bool
    begins: bool


@dataclass
class Frame:
    """One picture in one spatial layer."""

    picture: int
    spatial: int
    temporal: int
    key: bool
    needs: frozenset[FrameId]
    packets: list[Packet] = field(default_factory=list)

    @property
    def id(self) -> FrameId:
        return self.picture, self.spatial


@dataclass(frozen=True)
class Plan:
    """What an encoder does: how many layers, how they depend, and what happens when."""

    codec: str
    spatial: int
    temporal: int
    #: "L": each spatial layer needs the one below; "K": in keyframes only; "S": never.
    mode: str = "L"
    pictures: int = 40
    keys: frozenset[int] = frozenset({0})
    #: Pictures whose upper spatial layers refer to no other picture (VP9).
    joins: frozenset[int] = frozenset()
    #: Pictures from which on so many spatial layers are sent.
    sent: tuple[tuple[int, int], ...] = ()
    #: Temporal layers refer to what came before in their own layer, but in one of so many periods; 0: never.
    sticky: int = 0
    flexible: bool = False
    wide: bool = True
    first_id: int = 0
    sizes: tuple[int, ...] = (1, 2, 3)

    def layers_at(self, picture: int) -> int:
        """How many spatial layers a picture has."""
        count = self.spatial
        for first, layers in self.sent:
            if picture >= first:
                count = layers
        return count


@dataclass
class _Layer:
    """The last frame of each temporal layer of one spatial layer."""

    last: dict[int, FrameId] = field(default_factory=dict)


class Source:
    """The frames and packets of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.frames: dict[FrameId, Frame] = {}
        self.packets: list[Packet] = []
        #: Pictures with which a temporal layer can be begun (VP8's Y).
        self.syncs: set[int] = set()
        self.temporal: list[int] = []
        self._numbers: dict[FrameId, int] = {}
        self._order()
        self._relate()
        writer: Callable[[Frame, bool, bool, bool], bytes] = {"vp8": self._vp8, "vp9": self._vp9, "av1": self._av1}[
            plan.codec
        ]
        self._pack(writer)

    def _order(self) -> None:
        period, since = PERIODS[self.plan.temporal], 0
        for picture in range(self.plan.pictures):
            since = 0 if picture in self.plan.keys else since
            temporal = period[since % len(period)]
            self.temporal.append(temporal)
            if self.plan.sticky and temporal and since // len(period) % self.plan.sticky == 0:
                self.syncs.add(picture)
            since += 1

    def _relate(self) -> None:
        layers = [_Layer() for _ in range(self.plan.spatial)]
        for picture, temporal in enumerate(self.temporal):
            key = picture in self.plan.keys
            for spatial in range(self.plan.layers_at(picture)):
                needs = set()
                below = (picture, spatial - 1)
                if spatial and (self.plan.mode == "L" or (self.plan.mode == "K" and key)):
                    needs.add(below)
                new = not layers[spatial].last or (picture in self.plan.joins and spatial > 0)
                if not key and not new:
                    needs |= self._earlier(layers[spatial].last, picture, temporal)
                if key or (new and temporal == 0):
                    layers[spatial].last.clear()
                layers[spatial].last[temporal] = (picture, spatial)
                self.frames[picture, spatial] = Frame(picture, spatial, temporal, key, frozenset(needs))
            for gone in layers[self.plan.layers_at(picture) :]:
                gone.last.clear()

    def _earlier(self, last: dict[int, FrameId], picture: int, temporal: int) -> set[FrameId]:
        """The earlier frames of its layer that a frame refers to."""
        if temporal == 0:
            return {last[0]}
        if self.plan.sticky:
            if picture in self.syncs:
                return {last[0]}
            return {last[below] for below in range(temporal + 1) if below in last}
        return {max(last[below] for below in range(temporal) if below in last)}

    def _pack(self, writer: Callable[[Frame, bool, bool, bool], bytes]) -> None:
        sizes = self.plan.sizes
        for number, frame in enumerate(self.frames.values()):
            self._numbers[frame.id] = self.plan.first_id + number
            count = sizes[number % len(sizes)]
            top = frame.spatial == self.plan.layers_at(frame.picture) - 1
            for at in range(count):
                begins, ends = at == 0, at == count - 1
                payload = writer(frame, begins, ends, ends and top)
                packet = Packet(len(self.packets), frame.id, payload, ends and top, begins)
                frame.packets.append(packet)
                self.packets.append(packet)

    def _picture_id(self, picture: int) -> int:
        return (self.plan.first_id + picture) % (32768 if self.plan.wide else 128)

    def _vp8(self, frame: Frame, begins: bool, ends: bool, marker: bool) -> bytes:
        number = self._picture_id(frame.picture)
        head = "100" + u(begins, 1) + "0000" + "11100000"
        numbers = "1" + u(number, 15) if self.plan.wide else "0" + u(number, 7)
        sync = frame.temporal > 0 and (frame.picture in self.syncs or self.plan.sticky == 0)
        body = b"\x00" if frame.key and begins else b"\x01"
        return packed(head, numbers, u(0, 8), u(frame.temporal, 2), u(sync, 1), "00000") + body

    def _vp9(self, frame: Frame, begins: bool, ends: bool, marker: bool) -> bytes:
        inter_layer = (frame.picture, frame.spatial - 1) in frame.needs
        earlier = sorted(frame.picture - need[0] for need in frame.needs if need[0] != frame.picture)
        unused = self.plan.mode == "S" or (self.plan.mode == "K" and not frame.key)
        unused = unused or frame.spatial == self.plan.layers_at(frame.picture) - 1
        flexible = self.plan.flexible and all(back < 128 for back in earlier)
        return (
            vp9(
                picture_id=self._picture_id(frame.picture),
                wide=self.plan.wide,
                predicted=bool(earlier),
                flexible=flexible,
                begins=begins,
                ends=ends,
                unused_above=unused,
                layer=(frame.temporal, self._switches_up(frame), frame.spatial, inter_layer),
                references=earlier if flexible else (),
            )
            + b"\x82"
        )

    def _switches_up(self, frame: Frame) -> bool:
        """No later frame of a higher temporal layer refers to one of those that came before this picture."""
        if not self.plan.sticky:
            return True
        if frame.temporal:
            return False
        period = PERIODS[self.plan.temporal]
        ahead = range(frame.picture + 1, min(frame.picture + len(period), self.plan.pictures))
        return self.plan.temporal == 2 and all(picture in self.syncs for picture in ahead if self.temporal[picture])

    def structure(self) -> Structure:
        """Of dependency descriptors: two templates for each layer, of keyframes and of others."""
        rows = []
        for spatial in range(self.plan.spatial):
            for temporal in range(self.plan.temporal):
                for key in (True, False) if temporal == 0 else (False,):
                    rows.append(f"{spatial} {temporal} . . {self._indications(spatial, temporal, key=key)}")
        return structure(rows)

    def _indications(self, spatial: int, temporal: int, *, key: bool) -> str:
        marks = []
        for target in range(self.plan.spatial):
            for rate in range(self.plan.temporal):
                apart = self.plan.mode == "S" or (self.plan.mode == "K" and not key)
                if target < spatial or rate < temporal or (apart and target != spatial):
                    marks.append("-")
                elif target == spatial:
                    marks.append("S" if temporal == 0 or rate > temporal else "D")
                else:
                    marks.append("S" if key else "R")
        return "".join(marks)

    def _av1(self, frame: Frame, begins: bool, ends: bool, marker: bool) -> bytes:
        number = self._numbers[frame.id]
        template = frame.spatial * (self.plan.temporal + 1) + (frame.temporal + 1 if not frame.key else 0)
        brings = self.structure() if frame.key and frame.spatial == 0 and begins else None
        return descriptor(
            template,
            number % 65536,
            begins=begins,
            ends=ends,
            brings=brings,
            fdiffs=[number - self._numbers[need] for need in sorted(frame.needs)],
        )

    def keyframes(self) -> Iterator[Packet]:
        """The packets that a run may begin with."""
        for frame in self.frames.values():
            if frame.key and frame.spatial == 0:
                yield frame.packets[0]


def shuffled(packets: Sequence[Packet], moves: Sequence[tuple[int, int]]) -> list[Packet]:
    """The packets with some of them (place, distance) later than they were sent."""
    late = {place: distance for place, distance in moves if 0 < place < len(packets)}
    order = sorted(range(len(packets)), key=lambda place: (place + late.get(place, 0), place))
    return [packets[place] for place in order]
