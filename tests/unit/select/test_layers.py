"""What is forwarded can be decoded, whatever was aimed at and whatever the network did; and it is what was aimed at."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.layered import FrameId, Packet, Plan, Source, shuffled

from simplestchat._native.testing.probe_select import DROP, END, FORWARD, Selector

PLANS = {
    "VP8 L1T1": Plan("vp8", 1, 1),
    "VP8 L1T2": Plan("vp8", 1, 2),
    "VP8 L1T3": Plan("vp8", 1, 3),
    "VP8 L1T3 sticky": Plan("vp8", 1, 3, sticky=2),
    "VP9 L1T3": Plan("vp9", 1, 3),
    "VP9 L2T1": Plan("vp9", 2, 1),
    "VP9 L3T3": Plan("vp9", 3, 3),
    "VP9 L3T3 flexible": Plan("vp9", 3, 3, flexible=True),
    "VP9 L3T3 sticky": Plan("vp9", 3, 3, flexible=True, sticky=2),
    "VP9 L2T2 sticky, not flexible": Plan("vp9", 2, 2, sticky=2),
    "VP9 L3T3_KEY": Plan("vp9", 3, 3, mode="K"),
    "VP9 L3T3_KEY flexible": Plan("vp9", 3, 3, mode="K", flexible=True),
    "VP9 S3T3": Plan("vp9", 3, 3, mode="S"),
    "VP9 S2T1 flexible": Plan("vp9", 2, 1, mode="S", flexible=True),
    "AV1 L1T3": Plan("av1", 1, 3),
    "AV1 L3T1": Plan("av1", 3, 1),
    "AV1 L3T3": Plan("av1", 3, 3),
    "AV1 L3T3_KEY": Plan("av1", 3, 3, mode="K"),
    "AV1 S3T3": Plan("av1", 3, 3, mode="S"),
}
EVERY_PLAN = pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS.keys())
SPATIAL = pytest.mark.parametrize(
    "plan", [p for p in PLANS.values() if p.spatial > 1], ids=[n for n, p in PLANS.items() if p.spatial > 1]
)


@dataclass
class Run:
    """One receiver of a source."""

    source: Source
    selector: Selector
    #: What became of each packet that arrived, by index.
    verdicts: dict[int, int] = field(default_factory=dict)
    #: Indices of what was forwarded, in order, and the highest layer of what is forwarded when each picture was over.
    order: list[int] = field(default_factory=list)
    currents: dict[int, tuple[int, int]] = field(default_factory=dict)

    def went(self, frame: FrameId) -> bool:
        """Was any packet of the frame forwarded?"""
        return any(self.verdicts.get(p.index, DROP) & FORWARD for p in self.source.frames[frame].packets)

    def arrived(self, frame: FrameId) -> list[Packet]:
        return [packet for packet in self.source.frames[frame].packets if packet.index in self.verdicts]

    def layers(self, picture: int) -> list[int]:
        """The spatial layers of a picture that were forwarded."""
        return [s for s in range(self.source.plan.layers_at(picture)) if self.went((picture, s))]

    def check_decodable(self) -> None:
        """Of each frame all packets had one verdict, and nothing that one which was forwarded needs was left out."""
        for frame in self.source.frames.values():
            verdicts = {self.verdicts[packet.index] & FORWARD for packet in self.arrived(frame.id)}
            assert len(verdicts) <= 1, f"{frame.id} in part"
            if FORWARD in verdicts:
                for need in frame.needs:
                    assert not self.arrived(need) or self.went(need), f"{frame.id} without {need}"


def run(source: Source, arrivals: Sequence[Packet], aims: Iterable[tuple[int, tuple[int, int]]] = ()) -> Run:
    """Give the packets to a selector; aims come before the packet of their place."""
    selector = Selector(source.plan.codec)
    found = Run(source, selector)
    wishes: dict[int, list[tuple[int, int]]] = {}
    for place, aim in aims:
        wishes.setdefault(place, []).append(aim)
    for place, packet in enumerate(arrivals):
        for aim in wishes.get(place, ()):
            selector.aim(*aim)
        if place == 0:
            selector.begin(packet.payload, packet.marker)
        verdict = selector.packet(packet.payload, packet.marker, packet.index)
        if packet.index in found.verdicts:
            assert verdict & FORWARD == found.verdicts[packet.index] & FORWARD, "a repeated packet"
            continue
        found.verdicts[packet.index] = verdict
        if verdict & FORWARD:
            found.order.append(packet.index)
        found.currents[packet.frame[0]] = selector.current
    return found


TARGETS = st.tuples(st.integers(-1, 3), st.integers(0, 3))


def with_events(plan: Plan, data: st.DataObject) -> Plan:
    """The plan with keyframes, joins and layers that come and go."""
    period = {1: 1, 2: 2, 3: 4}[plan.temporal]
    keys = data.draw(st.frozensets(st.integers(1, plan.pictures - 1), max_size=4), "keys") | {0}
    sent: list[tuple[int, int]] = []
    joins: frozenset[int] = frozenset()
    if plan.spatial > 1 and plan.codec == "vp9" and plan.mode == "L":
        last = max(keys)
        places = st.integers(0, (plan.pictures - last - 1) // period).map(lambda n: last + n * period)
        joins = data.draw(st.frozensets(places, max_size=2), "joins") - {0}
        sent = sorted(data.draw(st.dictionaries(places, st.integers(1, plan.spatial), max_size=3), "sent").items())
    return replace(
        plan,
        keys=keys,
        joins=joins,
        sent=tuple(sent),
        wide=data.draw(st.booleans(), "wide"),
        first_id=data.draw(st.sampled_from([0, 120, 32760, 65530]), "first id"),
    )


@EVERY_PLAN
@settings(max_examples=40)
@given(data=st.data())
def test_what_is_forwarded_can_be_decoded(plan: Plan, data: st.DataObject) -> None:
    source = Source(with_events(plan, data))
    count = len(source.packets)
    first = len(source.frames[0, 0].packets)
    places = st.integers(first, count - 1)
    aims = data.draw(st.lists(st.tuples(st.integers(0, count - 1), TARGETS), max_size=12), "aims")
    lost = data.draw(st.frozensets(places, max_size=12), "lost")
    late = data.draw(st.lists(st.tuples(places, st.integers(1, 25)), max_size=12), "late")
    again = data.draw(st.lists(st.tuples(places, st.integers(1, 25)), max_size=6), "again")
    arrivals = [packet for packet in shuffled(source.packets, late) if packet.index not in lost]
    for place, distance in again:
        arrivals.insert(min(place + distance, len(arrivals)), arrivals[min(place, len(arrivals) - 1)])
    run(source, arrivals, aims).check_decodable()


@EVERY_PLAN
@settings(max_examples=40)
@given(data=st.data())
def test_the_last_packet_of_a_picture_says_so(plan: Plan, data: st.DataObject) -> None:
    source = Source(with_events(plan, data))
    aims = data.draw(st.lists(st.tuples(st.integers(0, len(source.packets) - 1), TARGETS), max_size=12), "aims")
    found = run(source, source.packets, aims)
    found.check_decodable()
    ends: dict[int, list[bool]] = {}
    for index in found.order:
        packet = source.packets[index]
        ends.setdefault(packet.frame[0], []).append(packet.marker or bool(found.verdicts[index] & END))
    for picture, marks in ends.items():
        assert not any(marks[:-1]), f"picture {picture} ends within"
        # Where a layer may have begun in this very picture, the next picture ends it.
        grew = source.plan.layers_at(picture) > source.plan.layers_at(max(picture - 1, 0))
        assert marks[-1] or grew or picture in source.plan.joins, f"picture {picture} does not end"


def wanted(source: Source, picture: int, aim: tuple[int, int]) -> list[int]:
    """The spatial layers that a decoder of this aim needs of a picture."""
    plan, temporal = source.plan, source.temporal[picture]
    top = min(aim[0], plan.layers_at(picture) - 1)
    if top < 0 or temporal > aim[1]:
        return []
    if plan.mode == "L" or (plan.mode == "K" and picture in plan.keys):
        return [*range(top + 1)]
    return [top]


@EVERY_PLAN
@settings(max_examples=40)
@given(data=st.data())
def test_a_target_is_reached_with_a_keyframe_and_not_exceeded(plan: Plan, data: st.DataObject) -> None:
    keys = sorted(data.draw(st.frozensets(st.integers(1, 39), max_size=6), "keys"))
    source = Source(replace(plan, keys=frozenset({0, *keys})))
    starts = {picture: source.frames[picture, 0].packets[0].index for picture in range(plan.pictures)}
    pictures = data.draw(st.lists(st.integers(0, 39), max_size=6, unique=True).map(sorted), "pictures")
    aims = {picture: data.draw(TARGETS, "aim") for picture in pictures}
    found = run(source, source.packets, [(starts[picture], aim) for picture, aim in aims.items()])
    found.check_decodable()
    aim, settled = (3, 3), False
    for picture in range(plan.pictures):
        if picture in aims:
            aim, settled = aims[picture], False
        needed = wanted(source, picture, aim)
        if picture in source.plan.keys and not settled:
            # The picture that brings the change may have more, where a layer is known to be there only when it comes.
            assert set(needed) <= set(found.layers(picture))
            settled = True
        elif settled and plan.mode == "K" and source.plan.keys.issuperset(range(picture)):
            # That upper layers go on by themselves shows with the first picture that is no keyframe.
            assert set(needed) <= set(found.layers(picture))
        elif settled:
            assert found.layers(picture) == needed, f"picture {picture}"
        elif aim[0] < 0:
            assert found.layers(picture) == []
        elif plan.mode == "L":  # down at once
            assert set(found.layers(picture)) <= set(needed), f"picture {picture}"
        if source.temporal[picture] > aim[1]:
            assert found.layers(picture) == [], f"picture {picture}"


@EVERY_PLAN
def test_temporal_layers_come_back_without_a_keyframe(plan: Plan) -> None:
    source = Source(plan)
    for picture in range(5, 20):
        start = source.frames[picture, 0].packets[0].index
        found = run(source, source.packets, [(0, (3, 0)), (start, (3, 3))])
        found.check_decodable()
        # Two periods of a sticky stream at most for each layer.
        assert all(found.went((after, plan.spatial - 1)) for after in range(picture + 17, plan.pictures))
        assert not found.selector.wants_keyframe


@SPATIAL
def test_a_keyframe_is_wanted_where_only_that_helps(plan: Plan) -> None:
    source = Source(replace(plan, keys=frozenset({0, 30})))
    up = source.frames[20, 0].packets[0].index
    selector = Selector(plan.codec)
    selector.begin(source.packets[0].payload, source.packets[0].marker)
    selector.aim(0, 3)
    assert selector.wants_keyframe  # nothing is forwarded
    for packet in source.packets:
        if packet.index == up:
            selector.aim(plan.spatial - 1, 3)
        selector.packet(packet.payload, packet.marker, packet.index)
        if packet.frame[0] < 20:
            assert not selector.wants_keyframe
        elif 21 <= packet.frame[0] < 30:
            assert selector.wants_keyframe
        elif packet.frame[0] > 30:
            assert not selector.wants_keyframe
            assert selector.current[0] == plan.spatial - 1
    down = run(source, source.packets[:up], [(up - 40, (0, 3))])
    assert down.selector.wants_keyframe == (plan.mode != "L")


@EVERY_PLAN
def test_a_thousand_switches(plan: Plan) -> None:
    pictures = 3000
    keys = frozenset(range(0, pictures, 30))
    source = Source(replace(plan, pictures=pictures, keys=keys, sizes=(1, 2)))
    aims = []
    for number in range(1000):
        aim = (number * 7 % plan.spatial, number * 5 % plan.temporal)
        aims.append((source.frames[number * 3, 0].packets[0].index, aim))
    found = run(source, source.packets, aims)
    found.check_decodable()
    assert all(found.layers(picture) for picture in range(pictures) if source.temporal[picture] == 0)
