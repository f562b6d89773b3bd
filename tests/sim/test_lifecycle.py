"""Producers and consumers come, pause, restart and go while media flows."""

from __future__ import annotations

import pytest
from support.calls import (
    Call,
    assert_clean,
    assert_no_gaps,
    begins_within,
    connect,
    stop_media,
    two_party_call,
    undelivered,
)
from support.netem import Link
from support.simulation import Consumed, Simulation

from simplestchat._native.core.errors import MisuseError


def arrivals_since(consumed: Consumed, start: int) -> list[int]:
    """Indices of what arrived after that moment, ascending."""
    return sorted(index for index, arrival in consumed.reception.arrivals.items() if arrival.arrived_us > start)


def test_a_paused_consumer_gets_nothing_and_goes_on_without_a_gap() -> None:
    call = two_party_call(71)
    sim = call.sim
    sim.run(1)
    for each in call.consumed:
        sim.control("pause_consumer", each.id)
    sim.run(0.1)
    paused = sim.clock.now
    counts = [len(each.reception.arrivals) for each in call.consumed]
    sim.run(3)
    assert [len(each.reception.arrivals) for each in call.consumed] == counts
    for each in call.consumed:
        sim.control("resume_consumer", each.id)
    sim.run(1)
    stop_media(sim, call.published)
    for each in call.consumed:
        assert_no_gaps(each)
        fresh = arrivals_since(each, paused)
        first = each.reception.arrivals[fresh[0]]
        last = each.reception.arrivals[fresh[0] - 1]
        if each.reception.settings.kind == "video":
            assert first.keyframe, "decoding begins again with a keyframe"
        assert first.arrived_us - paused <= 3_000_000 + 600_000
        # The outgoing timeline goes on by the time that passed.
        ticks = (first.timestamp - last.timestamp) % 2**32
        elapsed = (first.arrived_us - last.arrived_us) * each.reception.settings.clock_rate / 1e6
        assert abs(ticks - elapsed) <= 0.01 * elapsed
    assert_clean(sim)


def test_many_pauses_keep_one_continuous_stream() -> None:
    call = two_party_call(72)
    sim = call.sim
    for _ in range(30):
        sim.run(0.35)
        for each in call.consumed:
            sim.control("pause_consumer", each.id)
        sim.run(0.15)
        for each in call.consumed:
            sim.control("resume_consumer", each.id)
    sim.run(1)
    stop_media(sim, call.published)
    for each in call.consumed:
        assert_no_gaps(each)
        assert len(each.reception.arrivals) > 100
    assert_clean(sim)


def test_a_paused_producer_is_not_forwarded() -> None:
    call = two_party_call(73)
    sim = call.sim
    sim.run(1)
    source = call.published[0]
    heard = next(each for each in call.consumed if each.source is source)
    sim.control("pause_producer", source.id)
    sim.run(0.1)
    count = len(heard.reception.arrivals)
    sim.run(2)
    assert len(heard.reception.arrivals) == count
    resumed = sim.clock.now
    sim.control("resume_producer", source.id)
    sim.run(1)
    fresh = arrivals_since(heard, resumed)
    assert heard.reception.arrivals[fresh[0]].keyframe
    assert heard.reception.arrivals[fresh[0]].arrived_us - resumed <= 600_000
    stop_media(sim, call.published)
    assert_no_gaps(heard)
    assert_clean(sim)


def test_a_closed_producer_takes_its_consumers_along_and_late_packets_do_no_harm() -> None:
    call = two_party_call(74)
    sim = call.sim
    sim.run(1)
    gone = call.published[0]
    heard = next(each for each in call.consumed if each.source is gone)
    sim.control("close_producer", gone.id)
    sim.run(0.011)
    count = len(heard.reception.arrivals)
    # The publisher does not know yet: media, sender reports and a keyframe wish still come.
    gone.track.send_report()
    heard.reception.ask_for_keyframe()
    sim.run(2)
    assert len(heard.reception.arrivals) == count
    with pytest.raises(MisuseError):
        sim.shard.resume_consumer(heard.id)
    stats = sim.shard.stats()
    assert (stats["producers"], stats["consumers"]) == (3, 3)
    assert stats["dropped_unrouted"] > 100
    stop_media(sim, call.published)
    for each in call.consumed:
        if each is not heard:
            assert undelivered(each) == []
    assert_clean(sim)


def test_a_publisher_restarts_its_track_on_the_same_ssrc() -> None:
    call = two_party_call(75)
    sim = call.sim
    sim.run(1)
    old = call.published[0]
    listener = next(each for each in call.consumed if each.source is old).member
    sim.control("close_producer", old.id)
    old.track.stop()
    # The same SSRC under the same keys goes on counting where it was, as a browser does that turns its camera on again.
    fresh = sim.publish(
        old.member,
        "video",
        ssrc=old.track.settings.ssrc,
        rtx_ssrc=old.track.settings.rtx_ssrc,
        first_sequence=old.track.settings.first_sequence + len(old.track.sent),
    )
    heard = sim.subscribe(listener, fresh)
    sim.run(1)
    stop_media(sim, [*call.published, fresh])
    assert begins_within(heard, 0.5)
    assert undelivered(heard) == []
    assert_clean(sim)


def test_close_and_publish_a_hundred_times_leaves_nothing_behind() -> None:
    sim = Simulation(76)
    anna, ben = sim.add_peer("anna"), sim.add_peer("ben")
    connect(sim, anna, ben)
    for _ in range(100):
        source = sim.publish(anna, "video")
        heard = sim.subscribe(ben, source)
        sim.run(0.1)
        assert heard.reception.arrivals
        source.track.stop()
        heard.reception.stop()
        sim.control("close_producer", source.id)
    stats = sim.shard.stats()
    assert (stats["producers"], stats["consumers"]) == (0, 0)
    assert_clean(sim)


def test_an_ssrc_is_never_sent_with_again() -> None:
    """Closing a consumer does not free its SSRC: the same keys would seal other packets under old indices."""
    call = two_party_call(77)
    sim = call.sim
    sim.run(0.5)
    used = call.consumed[0]
    sim.control("close_consumer", used.id)
    settings = used.reception.settings
    codec = (used.source.track.settings.payload_type, settings.payload_type, -1)
    for ssrc, rtx_ssrc in ((settings.ssrc, 0), (settings.rtx_ssrc, 0), (1, settings.ssrc)):
        with pytest.raises(MisuseError):
            sim.shard.create_consumer(
                sim.new_id(), used.member.transport, used.source.id, ssrc, rtx_ssrc, [codec], {}, "", False
            )
    sim.run(0.5)
    assert_clean(sim)


def test_a_subscriber_that_comes_late_gets_a_picture_at_once() -> None:
    call = two_party_call(78)
    sim = call.sim
    sim.run(3)
    late = sim.add_peer("cleo")
    connect(sim, late)
    heard = [sim.subscribe(late, source) for source in call.published]
    sim.run(1)
    for each in heard:
        assert begins_within(each, 0.6)
        first = each.reception.arrivals[each.reception.first_index]
        assert first.keyframe or each.reception.settings.kind == "audio"
    assert_clean(sim)


def test_a_crashed_subscriber_disturbs_nobody() -> None:
    call = two_party_call(79)
    sim = call.sim
    third = sim.add_peer("cleo")
    connect(sim, third)
    for source in call.published:
        sim.subscribe(third, source)
    sim.run(1)
    third.peer.stop()
    third.socket.up.link = third.socket.down.link = Link(loss=1.0)
    sim.run(35)
    assert sim.events.states(third.transport) == ["connected", "disconnected"]
    sim.control("close_transport", third.transport)
    sim.run(1)
    call.end()
    for each in call.consumed:
        assert undelivered(each) == []
    assert sim.shard.stats()["consumers"] == 4
    assert_clean(sim)


VP8 = [(96, -1, 90000, "vp8", True, True, True)]
MAPPED = [(96, 120, 121)]


def impossible_requests(call: Call) -> dict[str, tuple[str, tuple[object, ...]]]:
    """Method and arguments, by what is wrong with them."""
    anna, ben = call.members
    source = call.published[0]
    taken = source.track.settings.ssrc
    prints = [anna.peer.dtls.fingerprint()]
    return {
        "transport id taken": ("create_transport", (anna.transport,)),
        "transport id zero": ("create_transport", (0,)),
        "no such transport": ("close_transport", (999,)),
        "connected twice": ("connect_transport", (anna.transport, "client", prints)),
        "connecting nothing": ("connect_transport", (999, "client", prints)),
        "producer id taken": ("create_producer", (source.id, anna.transport, "video", "", [(1, 0, "")], VP8, {})),
        "unknown kind": ("create_producer", (900, anna.transport, "smell", "", [(1, 0, "")], VP8, {})),
        "ssrc taken": ("create_producer", (900, anna.transport, "video", "", [(taken, 0, "")], VP8, {})),
        "nothing to tell it by": ("create_producer", (900, anna.transport, "video", "", [(0, 0, "")], VP8, {})),
        "no encoding": ("create_producer", (900, anna.transport, "video", "", [], VP8, {})),
        "no codec": ("create_producer", (900, anna.transport, "video", "", [(1, 0, "")], [], {})),
        "unknown extension": ("create_producer", (900, anna.transport, "video", "", [(1, 0, "")], VP8, {"x": 1})),
        "no such producer": ("create_consumer", (902, ben.transport, 999, 5, 0, MAPPED, {}, "", False)),
        "nobody to consume": ("create_consumer", (902, 999, source.id, 5, 0, MAPPED, {}, "", False)),
        "no ssrc": ("create_consumer", (902, ben.transport, source.id, 0, 0, MAPPED, {}, "", False)),
        "no codec mapped": ("create_consumer", (902, ben.transport, source.id, 5, 0, [(1, 2, 3)], {}, "", False)),
        "pausing nothing": ("pause_producer", (902,)),
        "keyframe of nothing": ("request_keyframe", (902,)),
        "priority zero": ("set_priority", (call.consumed[0].id, 0)),
    }


def test_whoever_asks_for_the_impossible_is_told_and_nothing_changes() -> None:
    call = two_party_call(80)
    before = call.sim.shard.stats()
    for what, (method, arguments) in impossible_requests(call).items():
        with pytest.raises(MisuseError):
            getattr(call.sim.shard, method)(*arguments)
        after = call.sim.shard.stats()
        for census in ("transports", "producers", "consumers", "tuples", "credentials"):
            assert after[census] == before[census], what
    call.end()
    assert_clean(call.sim)
