"""Media of synthetic users through the server's engine: whole, repaired, asked for, paused, misdelivered."""

from __future__ import annotations

from typing import Any

import pytest
from support.netem import Link
from support.swarm_call import SwarmCall

from simplestchat._native.core.errors import MisuseError
from simplestchat._native.peer.swarm import EVENT_FIRST_FRAME, EVENT_FIRST_PACKET
from simplestchat._native.testing.probe_wire import rtp_extensions

SUITES = ("SRTP_AEAD_AES_128_GCM", "SRTP_AEAD_AES_256_GCM", "SRTP_AES128_CM_SHA1_80")
FAULTS = ("corrupt", "misdelivered", "duplicate", "frames_broken")
LOSSY = Link(delay_us=10_000, loss=0.05)


def connected(call: SwarmCall, count: int) -> list[int]:
    """That many users who are connected."""
    paths = [call.join() for _ in range(count)]
    call.run(3)
    assert call.do("sample")["connected"] == count
    return paths


def everyone_hears_everyone(call: SwarmCall, paths: list[int], codecs: tuple[str, ...]) -> dict[int, int]:
    """Receiver to sender."""
    senders = {call.publish(path, codec): path for path in paths for codec in codecs}
    return {call.subscribe(path, sender): sender for path in paths for sender, own in senders.items() if own != path}


def stop(call: SwarmCall, heard: dict[int, int]) -> None:
    """No more media; what is on its way arrives."""
    for sender in set(heard.values()):
        call.do("mute", sender, True)
    call.run(0.5)


@pytest.mark.parametrize("suite", SUITES)
def test_everything_arrives_both_ways(suite: str) -> None:
    call = SwarmCall(21, suites=(suite,))
    paths = connected(call, 4)
    heard = everyone_hears_everyone(call, paths, ("opus", "vp8"))
    call.run(4)
    stop(call, heard)
    for receiver, sender in heard.items():
        got, sent = call.receiver(receiver), call.sender(sender)
        assert got["highest_counter"] + 1 == sent["counters"][0]
        assert got["delivered"] > 190
        assert got["lost"] == got["missed"] == got["reordered"] == 0
        assert not any(got[name] for name in FAULTS)
        # All but what left before the first keyframe that this receiver could use.
        assert got["delivered"] >= sent["packets"] * 0.95
    assert all(
        call.path(path)[name] == 0
        for path in paths
        for name in ("undecryptable", "unknown_ssrc", "replayed", "dropped")
    )


@pytest.mark.parametrize("codec", ["vp8", "h264", "vp9", "av1"])
def test_who_comes_later_begins_with_a_keyframe(codec: str) -> None:
    call = SwarmCall(43)
    anna, *late = connected(call, 9)
    sender = call.publish(anna, codec)
    call.run(2)
    for path in late:
        receiver = call.subscribe(path, sender)
        call.run(0.7)
        got = call.receiver(receiver)
        assert got["keyframes"] > 0
        assert got["frames_broken"] == got["keyframe_requests"] == 0
        assert got["frames"] > 5
        assert not any(got[name] for name in FAULTS)
        assert got["delivered"] > 0
        assert got["first_frame_us"] - got["first_packet_us"] < 33_000, "what came first was the keyframe"


def test_the_shard_tells_what_passed_many_paths_at_once() -> None:
    call = SwarmCall(45, Link(loss=0.05, delay_us=20_000), Link(loss=0.05, delay_us=20_000))
    paths = connected(call, 3)
    everyone_hears_everyone(call, paths, ("opus",))
    call.run(8)
    rows = {row[0]: row[1:] for row in call.sim.shard.traffic([*paths, 999])}
    assert set(rows) == set(paths)
    for path in paths:
        bytes_in, bytes_out, packets_in, packets_out, media_in, media_expected, reported_lost = rows[path]
        stats = call.sim.shard.transport_stats(path)
        assert (bytes_in, bytes_out) == (stats["bytes_in"], stats["bytes_out"])
        assert (packets_in, packets_out) == (stats["packets_in"], stats["packets_out"])
        assert 0.9 * media_expected < media_in < media_expected
        assert 5 < reported_lost < 0.1 * packets_out
    whole = call.sim.shard.stats()
    assert whole["media_in"] == sum(row[4] for row in rows.values())
    assert whole["media_expected"] == sum(row[5] for row in rows.values())


def test_one_crowded_path_carries_both_directions_of_twenty() -> None:
    call = SwarmCall(22)
    paths = connected(call, 20)
    heard = everyone_hears_everyone(call, paths, ("opus",))
    call.run(2)
    stop(call, heard)
    sample = call.do("sample")
    assert sample["receivers"] == 20 * 19
    assert sample["events_lost"] == 0
    assert sample["totals"]["delivered"] >= 0.95 * 19 * sample["totals"]["sent_packets"]
    assert sample["totals"]["lost"] == sample["totals"]["misdelivered"] == 0
    count, _, least, most, _ = sample["histograms"]["latency_audio"]
    assert count == sample["totals"]["delivered"]
    assert 10_000 <= least <= most <= 10_500


def test_what_is_lost_is_repaired_both_ways() -> None:
    call = SwarmCall(23, LOSSY, LOSSY)
    paths = connected(call, 4)
    everyone_hears_everyone(call, paths, ("vp8",))
    call.run(6)
    for path in paths:
        call.sockets[path].up.link = call.sockets[path].down.link = Link()
    call.run(3)
    totals = call.do("sample")["totals"]
    assert totals["sent_resent"] > 20
    assert totals["repaired"] > 50
    assert totals["missed"] > 50
    assert totals["lost"] <= totals["delivered"] * 0.002
    assert totals["nacks"] >= totals["repaired"]
    assert totals["corrupt"] == totals["misdelivered"] == 0


def test_reports_go_both_ways() -> None:
    slow = Link(delay_us=40_000)
    call = SwarmCall(37, slow.but(loss=0.05), slow)
    anna, bert = connected(call, 2)
    sender = call.publish(anna, "opus")
    receiver = call.subscribe(bert, sender)
    call.run(10)
    # Receiver reports reach the publisher; its sender reports go on to the subscriber, who tells the round trip.
    assert call.sender(sender)["reported_lost"] > 5
    assert call.receiver(receiver)["lost_uplink"] > 5
    assert 80_000 <= call.sim.shard.transport_stats(bert)["round_trip_us"] <= 82_000
    reports = [data for path in (anna, bert) for data in call.sent[path] if data[0] >> 6 == 2 and data[1] in (200, 201)]
    assert 16 <= len(reports) <= 40
    assert max(len(data) for data in reports) <= 1200


def test_reports_about_many_streams_take_several_datagrams() -> None:
    call = SwarmCall(38)
    anna, bert = connected(call, 2)
    senders = [call.publish(anna, "opus") for _ in range(8)]
    heard = [call.subscribe(bert, senders[number % 8]) for number in range(80)]
    call.run(4)
    stats = call.sim.shard.stats()
    assert all(call.receiver(receiver)["delivered"] > 150 for receiver in heard)
    blocks = [data for data in call.sent[bert] if data[0] >> 6 == 2 and data[1] in (200, 201)]
    assert {len(data) > 700 for data in blocks} == {True, False}
    assert max(len(data) for data in blocks) <= 1200
    assert stats["dropped_auth"] == stats["dropped_malformed"] == 0


def test_a_late_subscriber_gets_its_keyframe_soon() -> None:
    call = SwarmCall(24)
    anna, bert = connected(call, 2)
    sender = call.publish(anna, "vp8")
    call.run(3)
    assert call.sender(sender)["keyframe_requests"] == 0
    receiver = call.subscribe(bert, sender)
    call.run(1)
    assert call.sender(sender)["keyframe_requests"] == 1
    ((_, _, _, packet, _),) = call.of(EVENT_FIRST_PACKET, receiver)
    ((_, _, _, frame, _),) = call.of(EVENT_FIRST_FRAME, receiver)
    assert 20_000 <= packet <= frame <= 150_000
    assert call.receiver(receiver)["keyframes"] == 1


def test_a_viewer_waits_from_when_it_wants_a_track() -> None:
    call = SwarmCall(24)
    anna, bert = connected(call, 2)
    sender = call.publish(anna, "vp8")
    call.run(1)
    wanted_us = call.sim.clock.now
    call.run(2)
    now = call.sim.clock.now
    waits = {wanted_us: 2_000_000, now + 5_000_000: 0, None: 0}  # nobody waits from a moment to come
    for since_us, before_us in waits.items():
        receiver = call.subscribe(bert, sender, wanted_us=since_us)
        now = call.sim.clock.now
        call.run(1)
        for event in (EVENT_FIRST_PACKET, EVENT_FIRST_FRAME):
            ((_, _, _, span, _),) = call.of(event, receiver)
            assert before_us + 20_000 <= span <= before_us + 1_000_000, since_us
        call.sim.control("pause_consumer", receiver)
        call.run(0.2)
        call.do("end_receiver", receiver)
        call.run(2)
        call.do("resume_receiver", receiver)
        call.sim.control("resume_consumer", receiver)
        call.run(1)
        _, (_, _, _, again, _) = call.of(EVENT_FIRST_FRAME, receiver)
        assert again <= 1_000_000, "after a pause it waits from the resume"
        call.do("remove_receiver", receiver)
        call.sim.control("close_consumer", receiver)
    histograms = call.do("sample")["histograms"]
    assert histograms["first_frame"][0] == histograms["first_packet"][0] == 6
    assert 2_000_000 <= histograms["first_frame"][3] <= 3_000_000


def test_a_receiver_without_a_picture_asks_for_one() -> None:
    call = SwarmCall(25)
    anna, bert = connected(call, 2)
    sender = call.publish(anna, "vp8")
    receiver = call.subscribe(bert, sender)
    call.run(1)
    # A hole that nothing fills: it lasts longer than the server remembers.
    call.sockets[bert].down.link = Link(loss=1.0)
    call.run(3)
    call.sockets[bert].down.link = Link()
    call.run(3)
    totals = call.receiver(receiver)
    assert totals["keyframe_requests"] >= 1
    assert totals["keyframes"] >= 2
    assert totals["freezes"] >= 1


def test_pausing_and_going_on() -> None:
    call = SwarmCall(26)
    anna, bert = connected(call, 2)
    sender = call.publish(anna, "vp8")
    receiver = call.subscribe(bert, sender)
    call.run(2)
    call.sim.control("pause_consumer", receiver)
    call.run(0.2)
    call.do("end_receiver", receiver)
    before = call.receiver(receiver)
    call.run(2)
    call.do("resume_receiver", receiver)
    call.sim.control("resume_consumer", receiver)
    call.run(2)
    after = call.receiver(receiver)
    assert after["delivered"] > before["delivered"] + 100
    assert after["lost"] == after["misdelivered"] == 0
    assert len(call.of(EVENT_FIRST_PACKET, receiver)) == len(call.of(EVENT_FIRST_FRAME, receiver)) == 2


def test_what_the_server_goes_on_sending_is_misdelivered() -> None:
    call = SwarmCall(27)
    anna, bert = connected(call, 2)
    sender = call.publish(anna, "opus")
    receiver = call.subscribe(bert, sender)
    call.run(1)
    totals = call.do("remove_receiver", receiver)
    assert totals["delivered"] > 40
    call.run(1)
    path = call.path(bert)
    assert path["unknown_ssrc"] >= path["misdelivered"] >= 45
    assert call.do("sample")["totals"]["misdelivered"] == path["misdelivered"]
    call.sim.control("close_consumer", receiver)
    call.run(1)
    assert call.path(bert)["misdelivered"] <= path["misdelivered"] + 1


@pytest.mark.parametrize("told", [True, False])
def test_the_end_of_a_stream_is_lost_when_we_know_how_long_it_was(told: bool) -> None:
    call = SwarmCall(42)
    anna, bert = connected(call, 2)
    sender = call.publish(anna, "opus")
    receiver = call.subscribe(bert, sender)
    call.run(2)
    call.do("set_network", bert, None, {"loss": 1.0})
    call.run(0.3)
    call.do("mute", sender, True)
    call.run(0.1)
    sent = call.sender(sender)["counters"][0]
    totals = call.do("remove_receiver", receiver, sent if told else None)
    tail = sent - 1 - totals["highest_counter"] if not told else sent - totals["delivered"]
    assert 14 <= tail <= 16
    assert totals["lost"] == totals["missed"] == (tail if told else 0)
    sums = call.do("sample")["totals"]
    assert sums["lost"] == totals["lost"]
    assert sums["delivered"] == totals["delivered"]


def test_what_is_missing_when_a_user_goes_is_lost_unless_it_may_be_under_way() -> None:
    call = SwarmCall(43)
    anna, bert = connected(call, 2)
    call.subscribe(bert, call.publish(anna, "opus"))
    call.run(1)
    for wait in (2, 0.05):  # two gaps of opus, for which nobody asks again
        call.do("set_network", bert, None, {"loss": 1.0})
        call.run(0.1)
        call.do("set_network", bert, None, None)
        call.run(wait)
    call.leave(bert)
    assert 4 <= call.do("sample")["totals"]["lost"] <= 6


def test_a_later_visit_is_not_mistaken_for_the_one_before() -> None:
    call = SwarmCall(47)
    anna, bert, carl = connected(call, 3)
    first = call.publish(anna, "opus")
    heard = [call.subscribe(path, first) for path in (bert, carl)]
    call.run(4)
    for receiver in heard:
        call.do("remove_receiver", receiver)
    call.do("remove_sender", first)
    call.do("set_network", anna, {"loss": 0.2}, None)
    second = call.publish(anna, "opus")
    heard = [call.subscribe(path, second, visit=1) for path in (bert, carl)]
    call.run(3)
    for receiver in heard:
        totals = call.do("remove_receiver", receiver)
        assert totals["lost"] == totals["lost_uplink"] > 10


def test_an_ssrc_that_nobody_announced() -> None:
    call = SwarmCall(28)
    anna, bert = connected(call, 2)
    sender = call.publish(anna, "opus")
    consumer = call.sim.new_id()
    call.sim.control("create_consumer", consumer, bert, sender, 4711, 0, [(111, 100, -1)], {}, "", False)
    call.run(0.9)
    assert 35 <= call.path(bert)["unknown_ssrc"] <= 46
    assert call.path(bert)["misdelivered"] == 0  # the answer may still come
    call.run(1.1)
    path = call.path(bert)
    assert path["misdelivered"] == path["unknown_ssrc"] >= 90
    assert call.do("sample")["totals"]["misdelivered"] == path["misdelivered"]


def test_media_that_overtakes_its_announcement_is_nobodys_fault() -> None:
    call = SwarmCall(44)
    anna, bert = connected(call, 2)
    sender = call.publish(anna, "vp8")
    consumer = call.sim.new_id()
    call.sim.control("create_consumer", consumer, bert, sender, 4711, 4712, [(96, 120, 121)], {}, "", False)
    call.run(0.9)
    unknown = call.path(bert)["unknown_ssrc"]
    assert unknown > 20
    info = {"user": anna, "track": 1, "codec": "vp8", "payload_type": 120, "rtx_payload_type": 121}
    info |= {"ssrc": 4711, "rtx_ssrc": 4712, "clock_rate": 90_000, "ext": {}}
    call.do("add_receiver", consumer, bert, info)
    call.run(2)
    path = call.path(bert)
    assert (path["misdelivered"], path["unknown_ssrc"]) == (0, unknown)
    assert call.receiver(consumer)["delivered"] > 50


def test_only_so_many_strangers_are_judged() -> None:
    call = SwarmCall(45)
    anna, bert = connected(call, 2)
    sender = call.publish(anna, "opus")
    for ssrc in range(5000, 5080):
        call.sim.control("create_consumer", call.sim.new_id(), bert, sender, ssrc, 0, [(111, 100, -1)], {}, "", False)
    call.run(0.9)
    assert call.path(bert)["misdelivered"] == 0
    call.run(1)
    path = call.path(bert)
    assert path["misdelivered"] == path["unknown_ssrc"] * 64 // 80


def test_forbidden_packets_count_where_they_arrive() -> None:
    call = SwarmCall(29)
    anna, bert = connected(call, 2)
    sender = call.publish(anna, "opus")
    receiver = call.subscribe(bert, sender)
    call.run(1)
    call.sim.control("pause_producer", sender)
    call.do("mute", sender, True, forbidden=True)
    call.run(1)
    assert call.receiver(receiver)["misdelivered"] == 0
    assert call.sender(sender)["forbidden"] >= 45
    call.sim.control("resume_producer", sender)  # as a server would that does not heed the pause
    call.run(1)
    assert call.receiver(receiver)["misdelivered"] >= 45


def test_a_new_address_in_a_call() -> None:
    call = SwarmCall(30)
    paths = connected(call, 3)
    heard = everyone_hears_everyone(call, paths, ("vp8",))
    call.run(2)
    call.move(paths[0])
    call.run(4)
    stop(call, heard)
    call.run(3)
    totals = call.do("sample")["totals"]
    assert totals["lost"] <= 20
    assert totals["misdelivered"] == totals["corrupt"] == 0
    for receiver, sender in heard.items():
        assert call.receiver(receiver)["highest_counter"] + 1 == call.sender(sender)["counters"][0]


def test_the_swarms_own_network() -> None:
    call = SwarmCall(31, Link(delay_us=0), Link(delay_us=0))
    anna, bert = connected(call, 2)
    call.do("set_network", anna, {"delay_us": 30_000}, None)
    call.do("set_network", bert, None, {"delay_us": 20_000, "loss": 0.2})
    sender = call.publish(anna, "opus")
    receiver = call.subscribe(bert, sender)
    call.do("sample")
    call.run(10)
    count, total, least, _, _ = call.do("sample")["histograms"]["latency_audio"]
    assert least >= 50_000
    assert total / count < 51_000
    got = call.receiver(receiver)
    assert 0.1 < got["missed"] / (got["missed"] + got["delivered"]) < 0.3
    call.do("set_network", bert, {"outage": True}, {"outage": True})
    call.run(0.1)
    frozen = call.receiver(receiver)["delivered"]
    call.run(1)
    assert call.receiver(receiver)["delivered"] == frozen
    call.do("set_network", bert, None, None)
    call.do("set_network", anna, None, None)
    call.run(1)
    assert call.receiver(receiver)["delivered"] >= frozen + 45
    call.do("sample")
    call.run(1)
    assert call.do("sample")["histograms"]["latency_audio"][3] < 1_000


def _lost(start: float, turn: float) -> list[int]:
    """Which of a microphone's packets the swarm's own downlink loses, and which after it was clear for a while."""
    call = SwarmCall(46)
    anna, bert = connected(call, 2)
    call.run(start)
    numbers = []
    for _ in range(2):
        call.do("set_network", bert, None, {"loss": 0.2})
        before = call.path(bert)["packets_in"]
        fates = []
        call.sockets[bert].up.link = Link(loss=1.0)  # no checks: only what we give it is in the row
        for _ in range(100):
            call.do("feed", bert, bytes([0x80]) + bytes(30), call.sim.clock.now)
            call.run(turn)
            after = call.path(bert)["packets_in"]
            fates.append(after - before)
            before = after
        call.sockets[bert].up.link = Link()
        call.do("set_network", bert, None, None)
        numbers += fates
        call.run(0.1)
    del anna
    return numbers


def test_a_seed_loses_the_same_packets_whenever_they_come() -> None:
    early, late = _lost(0.01, 0.001), _lost(0.33, 0.003)
    assert early == late
    assert 130 < sum(early) < 180
    assert early[:100] != early[100:]


def test_a_track_made_before_the_connection_begins_with_it() -> None:
    call = SwarmCall(32)
    path = call.join()
    sender = call.publish(path, "vp8")
    call.do("mute", sender, True)
    muted = call.publish(path, "opus")
    call.do("mute", muted, True)
    call.do("mute", sender, False)
    assert call.sender(sender)["packets"] == 0
    call.run(2)
    totals = call.sender(sender)
    assert totals["frames"] >= 55
    assert totals["counters"][0] == totals["packets"]
    assert call.sender(muted)["packets"] == 0
    assert call.do("remove_sender", sender)["packets"] >= totals["packets"]
    with pytest.raises(MisuseError, match="there is no sender"):
        call.do("remove_sender", sender)


def test_only_the_encodings_that_are_asked_for_are_sent() -> None:
    call = SwarmCall(39)
    (path,) = connected(call, 1)
    layer = {"rtx_ssrc": 0, "width": 320, "height": 180, "rid": ""}
    layers = [{**layer, "ssrc": ssrc, "bitrate_bps": 100_000 * ssrc} for ssrc in (1, 2, 3)]
    sender = call.publish(path, "vp8", layers=layers)
    call.run(1)
    before = call.sender(sender)["counters"]
    assert all(counter >= 25 for counter in before)
    call.do("set_layers", sender, 0b101)
    call.run(1)
    after = call.sender(sender)["counters"]
    assert after[0] > before[0] + 20
    assert after[1] <= before[1] + 2
    assert after[2] > before[2] + 20
    keyframes = call.sender(sender)["keyframes"]
    call.do("request_keyframe", sender)
    call.run(0.5)
    assert call.sender(sender)["keyframes"] == keyframes + 2


def test_only_so_many_ssrcs_of_the_past_are_remembered() -> None:
    call = SwarmCall(40)
    (path,) = connected(call, 1)
    info = {
        "user": 1,
        "track": 0,
        "codec": "opus",
        "payload_type": 100,
        "rtx_payload_type": -1,
        "clock_rate": 48000,
        "ext": {},
    }
    for ssrc in range(1, 8_500):
        call.swarm.add_receiver(ssrc, path, {**info, "ssrc": ssrc, "rtx_ssrc": 0})  # type: ignore[typeddict-item]
        call.swarm.remove_receiver(ssrc)
    anna = call.join()
    call.run(1)
    heard = call.subscribe(path, call.publish(anna))
    call.run(1)
    assert call.receiver(heard)["delivered"] >= 45


def _story(seed: int) -> list[Any]:
    """What a lossy call told, without what depends on keys: the sizes of handshakes."""
    call = SwarmCall(seed, LOSSY, LOSSY)
    paths = connected(call, 3)
    heard = everyone_hears_everyone(call, paths, ("opus", "vp8"))
    call.run(1)
    call.move(paths[0])
    call.run(1.5)
    stop(call, heard)
    sizes = [[len(data) for data in call.sent[path] if data[0] >> 6 == 2] for path in paths]
    totals = [call.path(path) for path in paths]
    for each in totals:
        del each["bytes_in"], each["bytes_out"]
    return [
        call.events,
        sizes,
        totals,
        [call.receiver(each) for each in heard],
        [call.sender(each) for each in heard.values()],
    ]


def test_a_seed_tells_the_same_story() -> None:
    assert _story(33) == _story(33)
    assert _story(33) != _story(34)


def test_caps_of_a_path() -> None:
    call = SwarmCall(35)
    (path,) = connected(call, 1)
    for _ in range(8):
        call.publish(path)
    with pytest.raises(MisuseError, match="too many"):
        call.publish(path)
    ssrc = {"user": 1, "track": 0, "codec": "opus", "payload_type": 100, "rtx_payload_type": -1, "clock_rate": 48000}
    for receiver in range(2048):
        call.swarm.add_receiver(receiver, path, {**ssrc, "ssrc": receiver + 1, "rtx_ssrc": 0, "ext": {}})
    with pytest.raises(MisuseError, match="too many"):
        call.swarm.add_receiver(5000, path, {**ssrc, "ssrc": 5000, "rtx_ssrc": 0, "ext": {}})
    for receiver in range(2048):
        call.swarm.remove_receiver(receiver)
    with pytest.raises(MisuseError, match="there is no receiver"):
        call.swarm.receiver_totals(1)
    call.swarm.add_receiver(1, path, {**ssrc, "ssrc": 1, "rtx_ssrc": 0, "ext": {}})
    with pytest.raises(MisuseError, match="used already"):
        call.swarm.add_receiver(2, path, {**ssrc, "ssrc": 1, "rtx_ssrc": 0, "ext": {}})
    call.leave(path)
    assert call.do("sample")["receivers"] == call.do("sample")["senders"] == 0


def test_bad_tracks_are_refused() -> None:
    call = SwarmCall(36)
    (path,) = connected(call, 1)
    good = {"user": 1, "track": 0, "codec": "opus", "payload_type": 100, "rtx_payload_type": -1, "clock_rate": 48000}
    good |= {"ssrc": 7, "rtx_ssrc": 0, "ext": {}}
    for name, value in (
        ("codec", "mp3"),
        ("payload_type", 128),
        ("ssrc", 0),
        ("clock_rate", "fast"),
        ("ext", {"x": 1}),
    ):
        with pytest.raises(MisuseError):
            call.swarm.add_receiver(1, path, {**good, name: value})  # type: ignore[typeddict-item]
        incomplete = {key: each for key, each in good.items() if key != name}
        with pytest.raises(MisuseError, match=f"{name} is missing"):
            call.swarm.add_receiver(1, path, incomplete)  # type: ignore[typeddict-item]
    with pytest.raises(MisuseError, match="cannot be"):
        call.do("add_sender", 1, path, {**call._senders[call.publish(path)], "max_payload": 1})


def test_publishers_number_everything_that_they_send() -> None:
    call = SwarmCall(91, up=LOSSY)
    anna, bert = connected(call, 2)
    ext = {"mid": 1, "abs-send-time": 2, "transport-cc": 3}
    heard = {
        call.subscribe(bert, sender): sender for sender in (call.publish(anna, "opus", ext=ext | {"audio-level": 4}),)
    }
    heard |= {call.subscribe(bert, sender): sender for sender in (call.publish(anna, "vp8", ext=ext),)}
    call.run(4)
    assert sum(call.sender(sender)["resent"] for sender in heard.values()) > 0
    packets = [data for data in call.sent[anna] if data[0] >> 6 == 2 and not 192 <= data[1] < 224]
    elements = [dict(rtp_extensions(data)) for data in packets]
    numbers = [int.from_bytes(found[3], "big") for found in elements]
    assert numbers == list(range(len(packets))), "media and repairs of all tracks count together"
    seconds = [int.from_bytes(found[2], "big") / (1 << 18) for found in elements]
    assert seconds[-1] - seconds[0] == pytest.approx(4, abs=0.2)
    assert all(call.receiver(receiver)["corrupt"] == 0 for receiver in heard)
