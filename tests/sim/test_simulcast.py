"""A publisher sends several encodings; each subscriber gets one at a time, and changes between them cleanly."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from support.calls import assert_clean, assert_no_gaps, connect
from support.netem import US_PER_S, Link
from support.publisher import Track
from support.simulation import VIDEO_PT, VIDEO_RTX_PT, Consumed, Member, Published, Simulation
from support.subscriber import Arrival

RIDS = ("l", "m", "h")
SIZES = (300, 600, 1000)
MID_ID, RID_ID = 4, 10
EXTENSIONS = {"mid": MID_ID, "rid": RID_ID}
SWITCHES = 40


def publish_encodings(sim: Simulation, member: Member, announced: bool) -> tuple[Published, list[Track]]:
    """One producer of three encodings; without announced SSRCs each is told by its RID."""
    id = sim.new_id()
    tracks = []
    for number, (rid, size) in enumerate(zip(RIDS, SIZES, strict=True)):
        extensions = () if announced else ((MID_ID, b"0"), (RID_ID, rid.encode()))
        changes: dict[str, object] = {"packet_size": size, "extensions": extensions}
        settings = sim.track_settings(1000 + number, "video", announced, changes)
        tracks.append(member.peer.publish(settings))
    streams = [
        (track.settings.ssrc, track.settings.rtx_ssrc, "") if announced else (0, 0, rid)
        for track, rid in zip(tracks, RIDS, strict=True)
    ]
    codec = (VIDEO_PT, VIDEO_RTX_PT if announced else -1, 90_000, "vp8", True, True, True)
    sim.control("create_producer", id, member.transport, "video", "0", streams, [codec], EXTENSIONS)
    for track in tracks:
        track.start()
    return Published(id, tracks[-1], member), tracks


def switching_call(seed: int, announced: bool, link: Link) -> tuple[Simulation, Consumed, list[Track], list[int]]:
    """A subscriber goes through the encodings in turns; the times at which it asked."""
    sim = Simulation(seed)
    anna, ben = sim.add_peer("anna"), sim.add_peer("ben")
    connect(sim, anna, ben)
    source, tracks = publish_encodings(sim, anna, announced)
    heard = sim.subscribe(ben, source)
    for member in (anna, ben):
        member.socket.up.link = member.socket.down.link = link
    sim.run(1)
    asked = []
    for number in range(SWITCHES):
        asked.append(sim.clock.now)
        sim.control("set_preferred_layers", heard.id, number % 3, 0)
        sim.run(0.8)
    for member in (anna, ben):
        member.socket.up.link = member.socket.down.link = Link()
    sim.run(0.5)
    for track in tracks:
        track.stop()
    sim.run(0.5)
    return sim, heard, tracks, asked


def settled_call(seed: int) -> tuple[Simulation, Consumed, list[Track]]:
    """A subscriber has the best of three encodings."""
    sim = Simulation(seed)
    anna, ben = sim.add_peer("anna"), sim.add_peer("ben")
    connect(sim, anna, ben)
    source, tracks = publish_encodings(sim, anna, True)
    heard = sim.subscribe(ben, source)
    sim.run(2)
    assert heard.reception.arrivals[heard.reception.highest].stamp.stream == 1002
    return sim, heard, tracks


def runs(heard: Consumed) -> list[Arrival]:
    """The first packet of each run of one encoding, in outgoing order."""
    ordered = [heard.reception.arrivals[index] for index in sorted(heard.reception.arrivals)]
    return [ordered[0]] + [after for before, after in pairwise(ordered) if before.stamp.stream != after.stamp.stream]


@pytest.mark.parametrize("announced", [True, False], ids=["ssrcs", "rids"])
def test_every_change_begins_with_a_keyframe_and_leaves_no_gap(announced: bool) -> None:
    sim, heard, _, asked = switching_call(141, announced, Link())
    begun = runs(heard)
    assert len(begun) >= SWITCHES
    assert all(arrival.keyframe for arrival in begun)
    for when, number in zip(asked, range(SWITCHES), strict=True):
        switched = [a for a in begun if a.arrived_us >= when and a.stamp.stream == 1000 + number % 3]
        if number:
            assert switched[0].arrived_us - when <= US_PER_S * 0.7, f"change {number}"
    assert_no_gaps(heard)
    ordered = [heard.reception.arrivals[index] for index in sorted(heard.reception.arrivals)]
    for before, after in pairwise(ordered):
        # Time goes on by as much as passed, whatever encoding it is told by.
        ticks = (after.timestamp - before.timestamp) % 2**32
        assert ticks <= (after.arrived_us - before.arrived_us) * 0.09 + 3100
    assert_clean(sim)


def test_changes_under_loss_stay_clean() -> None:
    sim, heard, _, _ = switching_call(142, True, Link(delay_us=20_000, loss=0.05))
    begun = runs(heard)
    assert len(begun) >= SWITCHES // 2
    assert heard.reception.spurious <= 0.05 * len(heard.reception.arrivals)
    assert_clean(sim)


def test_an_encoding_that_stops_is_replaced_by_one_that_lives() -> None:
    sim, heard, tracks = settled_call(143)
    stopped = sim.clock.now
    tracks[2].stop()
    sim.run(4)
    replaced = [a for a in heard.reception.arrivals.values() if a.stamp.stream != 1002 and a.arrived_us > stopped]
    assert replaced, "the subscriber still has a picture"
    assert min(a.arrived_us for a in replaced) - stopped <= US_PER_S
    assert min(replaced, key=lambda a: a.index).stamp.stream == 1001
    assert_no_gaps(heard)
    assert_clean(sim)


def test_encodings_that_are_all_slow_are_not_taken_for_dead() -> None:
    """A shared screen on which nothing moves is sent about once a second in each encoding."""
    sim, heard, tracks = settled_call(144)
    slowed = sim.clock.now
    for track in tracks:
        track.settings = replace(track.settings, interval_us=1_200_000)
    sim.run(20)
    slow = [arrival for arrival in heard.reception.arrivals.values() if arrival.arrived_us > slowed + US_PER_S]
    assert {arrival.stamp.stream for arrival in slow} == {1002}
    assert len(slow) >= 15 * tracks[2].settings.packets_per_frame
    assert not any(arrival.keyframe for arrival in slow), "nothing asked for one"
    stopped = sim.clock.now
    tracks[2].stop()
    sim.run(6)
    replaced = [a for a in heard.reception.arrivals.values() if a.stamp.stream == 1001 and a.arrived_us > stopped]
    assert replaced, "one that stops beside them is missed all the same"
    assert_no_gaps(heard)
    assert_clean(sim)
