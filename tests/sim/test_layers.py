"""Whatever is left out or changed of a publisher's layers, its subscriber gets one stream without gaps."""

from __future__ import annotations

from itertools import groupby, pairwise

import pytest
from support.calls import assert_clean, assert_no_gaps, connect
from support.codec_writers import descriptor, structure
from support.netem import Link
from support.publisher import Track
from support.simulation import VIDEO_PT, VIDEO_RTX_PT, Consumed, Published, Simulation
from support.stamp import Vp8Numbers
from support.subscriber import Arrival

NUMBERED = {"transport-cc": 3}
SWITCHES = 1000


def encodings(
    sim: Simulation, count: int = 3, interval_us: int = 33_333, ext: dict[str, int] | None = None, **track: object
) -> tuple[Consumed, list[Track], Published]:
    """A publisher of so many encodings and a subscriber without an estimate."""
    anna, ben = sim.add_peer("anna"), sim.add_peer("ben")
    connect(sim, anna, ben)
    id = sim.new_id()
    tracks = [
        anna.peer.publish(
            sim.track_settings(
                1000 + n,
                "video",
                True,
                {"packets_per_frame": 1, "packet_size": 300 + 200 * n, "interval_us": interval_us, **track},
            )
        )
        for n in range(count)
    ]
    streams = [(track.settings.ssrc, track.settings.rtx_ssrc, "") for track in tracks]
    codec = (VIDEO_PT, VIDEO_RTX_PT, 90_000, "vp8", True, True, True)
    sim.control("create_producer", id, anna.transport, "video", "0", streams, [codec], ext or {})
    for one in tracks:
        one.start()
    source = Published(id, tracks[-1], anna)
    return sim.subscribe(ben, source), tracks, source


def ordered(heard: Consumed) -> list[Arrival]:
    """What came, in outgoing order."""
    return [heard.reception.arrivals[index] for index in sorted(heard.reception.arrivals)]


def numbers(heard: Consumed) -> list[Vp8Numbers]:
    """Of each picture, in outgoing order."""
    found = [arrival.numbers for arrival in ordered(heard) if arrival.numbers is not None]
    return [found[0]] + [after for before, after in pairwise(found) if before.picture_id != after.picture_id]


def assert_one_stream(heard: Consumed) -> None:
    """Picture ids and TL0PICIDX go on by one, KEYIDX with each keyframe, time forwards."""
    assert_no_gaps(heard)
    for before, after in pairwise(numbers(heard)):
        assert after.picture_id == (before.picture_id + 1) & 0x7FFF
        assert after.tl0picidx == (before.tl0picidx + (after.temporal == 0)) & 0xFF
    for earlier, later in pairwise(ordered(heard)):
        if later.keyframe:
            assert earlier.numbers is not None
            assert later.numbers is not None
            assert later.numbers.keyidx == (earlier.numbers.keyidx + 1) & 31
        assert 0 <= (later.timestamp - earlier.timestamp) % 2**32 < 2**31


def test_a_thousand_changes_of_the_encoding_look_like_one_stream() -> None:
    sim = Simulation(301)
    heard, tracks, _ = encodings(sim, interval_us=50_000)
    sim.run(1)
    for number in range(SWITCHES):
        sim.control("set_preferred_layers", heard.id, (0, 2, 1)[number % 3], 3)
        sim.run(0.4)
    for track in tracks:
        track.stop()
    sim.run(0.5)
    changes = [(a, b) for a, b in pairwise(ordered(heard)) if a.stamp.stream != b.stamp.stream]
    assert len(changes) >= SWITCHES * 0.9
    assert all(after.keyframe for _, after in changes)
    assert_one_stream(heard)
    assert_clean(sim)


def test_a_dependency_descriptor_beside_vp8_changes_nothing() -> None:
    """What VP8 says of itself counts: its numbers go on, whatever else numbers its frames."""
    sim = Simulation(312)
    said = descriptor(0, 77, brings=structure(["0 0 . . S"]))
    heard, _, _ = encodings(sim, ext={"dependency-descriptor": 9}, extensions=((9, said),))
    for layer in (0, 2, 1, 0, 2):
        sim.control("set_preferred_layers", heard.id, layer, 3)
        sim.run(1)
    assert sum(arrival.keyframe for arrival in ordered(heard)) >= 5
    assert_one_stream(heard)


def test_temporal_layers_are_left_out_at_once_and_taken_in_where_it_can_be_done() -> None:
    sim = Simulation(302)
    heard, tracks, _ = encodings(sim, count=1)
    sim.run(1)
    for number in range(60):
        asked = sim.clock.now
        sim.control("set_preferred_layers", heard.id, 0, number % 3)
        sim.run(1.2)
        lately = [
            a.numbers.temporal for a in ordered(heard) if a.arrived_us > asked + 200_000 and a.numbers is not None
        ]
        assert max(lately) == number % 3
    tracks[0].stop()
    sim.run(0.5)
    assert_one_stream(heard)
    assert_clean(sim)


def test_changes_under_loss_never_show_a_number_twice() -> None:
    sim = Simulation(303)
    heard, tracks, _ = encodings(sim)
    link = Link(delay_us=20_000, loss=0.05, reorder=0.02)
    for member in sim.members:
        member.socket.up.link = member.socket.down.link = link
    sim.run(1)
    for number in range(100):
        sim.control("set_preferred_layers", heard.id, number % 3, number % 2 + 1)
        sim.run(0.5)
    for track in tracks:
        track.stop()
    sim.run(1)
    pictures = [
        arrival.numbers.picture_id for arrival in ordered(heard) if arrival.numbers is not None and not arrival.repaired
    ]
    assert len(pictures) > 500
    for before, after in pairwise(pictures):
        assert (after - before) & 0x7FFF < 0x4000, "pictures go forwards"
    assert_clean(sim)


def test_a_view_chooses_the_encoding_and_hiding_it_stops_everything() -> None:
    sim = Simulation(304)
    heard, tracks, _ = encodings(sim)
    sim.run(2)

    def streams_lately() -> set[int]:
        since = sim.clock.now
        sim.run(1)
        return {
            arrival.stamp.stream - 1000 for arrival in heard.reception.arrivals.values() if arrival.arrived_us > since
        }

    assert streams_lately() == {2}
    sim.control("set_view", heard.id, 0, 0)
    sim.run(0.2)
    assert streams_lately() == set()
    sim.control("set_view", heard.id, 1280, 720)
    sim.run(1)
    assert streams_lately() == {2}
    told = [layer for layer, _ in groupby(event[2] for _, event in sim.events.named("consumer.layers"))]
    assert told[-3:] == [2, -1, 2]
    for track in tracks:
        track.stop()
    sim.run(0.5)
    assert_one_stream(heard)
    assert_clean(sim)


def test_publishers_hear_which_encodings_are_wanted() -> None:
    sim = Simulation(305)
    heard, _, source = encodings(sim)
    sim.run(1)
    sim.control("set_preferred_layers", heard.id, 0, 3)
    sim.run(5)
    sim.control("set_preferred_layers", heard.id, 2, 3)
    sim.run(1)
    sim.control("set_view", heard.id, 0, 0)
    sim.run(5)
    sim.control("set_wanted", source.id, 0b010)
    sim.run(1)
    told = [event[2] for _, event in sim.events.named("producer.layers")]
    assert told == [0b001, 0b111, 0b000, 0b010]
    whens = [when for when, _ in sim.events.named("producer.layers")]
    assert whens[1] - whens[0] < 5_000_000, "wanting is told at once"


def test_nobody_watching_turns_everything_off_after_a_while() -> None:
    sim = Simulation(306)
    anna = sim.add_peer("anna")
    connect(sim, anna)
    sim.publish(anna, "video")
    sim.run(1)
    assert sim.events.named("producer.layers") == []
    sim.run(5)
    assert [event[2] for _, event in sim.events.named("producer.layers")] == [0]


def test_a_dead_encoding_is_replaced_in_under_a_second() -> None:
    sim = Simulation(307)
    heard, tracks, _ = encodings(sim)
    sim.run(3)
    stopped = sim.clock.now
    tracks[2].stop()
    sim.run(3)
    after = [a for a in heard.reception.arrivals.values() if a.arrived_us > stopped + 60_000]
    assert {a.stamp.stream for a in after} == {1001}
    assert min(a.arrived_us for a in after) - stopped < 1_200_000
    assert_clean(sim)


@pytest.mark.parametrize("rtx", [True, False], ids=["rtx", "same packets"])
def test_numbered_packets_are_repaired_and_never_sealed_twice_differently(rtx: bool) -> None:
    sim = Simulation(308, down=Link(delay_us=10_000, loss=0.05))
    anna, ben = sim.add_peer("anna"), sim.add_peer("ben")
    connect(sim, anna, ben)
    source = sim.publish(anna, "video")
    heard = sim.subscribe(ben, source, rtx=rtx, mapped=NUMBERED)
    sim.run(10)
    source.track.stop()
    sim.run(1)
    assert sim.seals.repeats == []
    assert not rtx or sim.seals.resealed == 0
    assert {id for id, _ in heard.reception.extensions} == {3}
    assert len(heard.reception.missing) == 0
    assert_clean(sim)


def test_what_comes_on_one_transport_is_numbered_without_gaps() -> None:
    sim = Simulation(309)
    anna, ben = sim.add_peer("anna"), sim.add_peer("ben")
    connect(sim, anna, ben)
    sources = [sim.publish(anna, "video"), sim.publish(anna, "audio")]
    heard = [sim.subscribe(ben, source, mapped=NUMBERED) for source in sources]
    sim.run(3)
    numbers = sorted(int.from_bytes(value, "big") for one in heard for _, value in one.reception.extensions)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
    assert len(numbers) == sum(len(one.reception.arrivals) for one in heard)


def test_a_publisher_hears_when_its_numbered_packets_came() -> None:
    sim = Simulation(310)
    anna = sim.add_peer("anna")
    connect(sim, anna)
    sim.publish(anna, "audio", mapped={"transport-cc": 6}, extensions=((6, b"\x00\x01"),))
    sim.run(2)
    assert sim.shard.stats()["feedbacks_out"] >= 1
