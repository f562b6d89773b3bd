"""A pipe between two workers: what is published at one is received at the other, whatever the path does to it."""

from __future__ import annotations

import pytest
from support.calls import assert_clean, assert_no_gaps, connect, undelivered
from support.netem import US_PER_S, Link
from support.publisher import ntp_at
from support.simulation import SERVER, VIDEO_PT, VIDEO_RTX_PT, Consumed, Member, Published
from support.two_workers import EXTENSIONS, FAR, KEYS, NEAR, TwoWorkers

from simplestchat._native.core.errors import MisuseError

LINKS = {
    "clear": Link(delay_us=100),
    "lossy": Link(delay_us=10_000, loss=0.05),
    "disordered": Link(delay_us=10_000, jitter_us=5_000, reorder=0.05, duplicate=0.02),
    "worst": Link(delay_us=20_000, loss=0.05, reorder=0.05, duplicate=0.02, corrupt=0.01),
}
KINDS = [("video", True), ("video", False), ("audio", False)]
SIZES = (300, 600, 1000)


def publishing(seed: int, link: Link | None = None) -> tuple[TwoWorkers, Member]:
    """Two workers, and somebody who is connected to the near one."""
    both = TwoWorkers(seed, link)
    anna = both.near.add_peer("anna")
    connect(both.near, anna)
    return both, anna


def end(both: TwoWorkers, *sources: Published) -> None:
    """A little more over a clear pipe, so that what was lost last is noticed too; then silence."""
    both.set_link(Link())
    both.run(0.5)
    for source in sources:
        source.track.stop()
    both.run(1)
    assert_clean(both.near)
    assert_clean(both.far)


def encodings(both: TwoWorkers, anna: Member) -> tuple[Published, Published, Consumed]:
    """Three encodings of one camera, the same at the far worker, and somebody there."""
    sim, id = both.near, both.near.new_id()
    settings = [
        sim.track_settings(1000 + number, "video", True, {"packet_size": size}) for number, size in enumerate(SIZES)
    ]
    tracks = [anna.peer.publish(one) for one in settings]
    streams = [(one.ssrc, one.rtx_ssrc, "") for one in settings]
    codec = (VIDEO_PT, VIDEO_RTX_PT, 90_000, "vp8", True, True, True)
    sim.control("create_producer", id, anna.transport, "video", "0", streams, [codec], EXTENSIONS)
    source = Published(id, tracks[-1], anna)
    piped = both.pipe(source, tracks, EXTENSIONS)
    heard = both.subscribe("ben", piped)
    for track in tracks:
        track.start()
    return source, piped, heard


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
@pytest.mark.parametrize(("kind", "rtx"), KINDS)
def test_everything_arrives(link: Link, kind: str, rtx: bool) -> None:
    both, anna = publishing(7, link)
    source = both.near.publish(anna, kind, rtx=rtx)
    heard = both.subscribe("ben", both.pipe(source))
    both.run(10)
    end(both, source)
    assert undelivered(heard) == []
    assert len(heard.reception.by_counter) > 400
    assert_no_gaps(heard)
    assert (both.there.down.counters.lost > 10) == bool(link.loss)


def test_a_publisher_s_own_losses_are_repaired_before_the_pipe() -> None:
    both, anna = publishing(8)
    anna.socket.up.link = Link(delay_us=10_000, loss=0.1)
    source = both.near.publish(anna, "video")
    heard = both.subscribe("ben", both.pipe(source))
    both.run(5)
    anna.socket.up.link = Link()
    end(both, source)
    assert undelivered(heard) == []


def test_a_keyframe_request_reaches_the_publisher_and_the_picture_comes_at_once() -> None:
    both, anna = publishing(9)
    source = both.near.publish(anna, "video")
    both.run(3)
    piped = both.pipe(source)
    member = both.far.add_peer("ben")
    both.run(1)
    before, asked = len(source.track.keyframe_requests), both.near.clock.now
    heard = both.far.subscribe(member, piped)
    both.run(0.5)
    assert len(source.track.keyframe_requests) == before + 1
    assert source.track.keyframe_requests[-1] - asked <= 20_000
    first = min(heard.reception.arrivals.values(), key=lambda arrival: arrival.index)
    assert first.keyframe
    assert first.arrived_us - asked <= 100_000
    # The request is counted where a subscriber made it and where a publisher got it, and at no pipe.
    near, far = both.near.shard.stats(), both.far.shard.stats()
    assert near["keyframe_requests_in"] == far["keyframe_requests_out"] == 0
    assert near["keyframe_requests_out"] == before + 1
    end(both, source)


def test_a_lost_keyframe_request_is_made_again() -> None:
    both, anna = publishing(10)
    source = both.near.publish(anna, "video")
    both.run(3)
    piped = both.pipe(source)
    member = both.far.add_peer("ben")
    both.run(1)
    both.back.down.link = Link(loss=1.0)
    heard = both.far.subscribe(member, piped)
    both.run(0.6)
    assert not heard.reception.arrivals
    both.back.down.link = Link()
    both.run(1.5)
    assert heard.reception.arrivals
    end(both, source)


@pytest.mark.parametrize("link", LINKS.values(), ids=LINKS)
def test_every_encoding_goes_and_subscribers_choose(link: Link) -> None:
    both, anna = publishing(11, link)
    _, _, heard = encodings(both, anna)
    both.run(2)
    for wanted in (0, 1, 2, 0, 2, 1):
        both.far.control("set_preferred_layers", heard.id, wanted, 0)
        both.run(2.5)
        newest = heard.reception.arrivals[heard.reception.highest]
        assert newest.stamp.stream == 1000 + wanted
    near = both.near.shard.stats()
    assert near["forwarded"] == 0
    assert near["piped_out"] > 0.98 * near["media_in"]
    end(both)


def test_a_pause_is_passed_on_and_the_picture_begins_with_a_keyframe() -> None:
    both, anna = publishing(12)
    source = both.near.publish(anna, "video")
    piped = both.pipe(source)
    heard = both.subscribe("ben", piped)
    both.run(2)
    for _ in range(3):
        both.near.control("pause_producer", source.id)
        both.far.control("pause_producer", piped.id)
        both.run(0.2)
        silent, highest = both.there.down.counters.bytes, heard.reception.highest
        both.run(1)
        assert heard.reception.highest == highest
        assert both.there.down.counters.bytes - silent < 2000, "reports at most"
        both.far.control("resume_producer", piped.id)
        both.near.control("resume_producer", source.id)
        resumed = both.near.clock.now
        both.run(1)
        after = heard.reception.arrivals[highest + 1]
        assert after.keyframe
        assert after.arrived_us - resumed < US_PER_S / 5
    end(both, source)
    assert_no_gaps(heard)


def test_audio_and_video_stay_in_step() -> None:
    both, anna = publishing(13, Link(delay_us=20_000, jitter_us=5_000))
    sources = [both.near.publish(anna, kind) for kind in ("audio", "video")]
    heard = [both.subscribe(f"ben {source.id}", both.pipe(source)) for source in sources]
    both.run(10)
    for each in heard:
        assert len(each.reception.sender_reports) >= 5
        assert max(map(abs, each.reception.ntp_error_us())) <= 1000
        when, last = each.reception.sender_reports[-1]
        assert abs(last["ntp"] - ntp_at(when)) / 2**32 < 0.05
    end(both, *sources)


def test_levels_are_told_by_the_publisher_s_worker_alone() -> None:
    both, anna = publishing(14)
    source = both.near.publish(anna, "audio", extensions=((1, b"\x14"),), mapped={"audio-level": 1})
    heard = both.far.subscribe(
        both.far.add_peer("ben"), both.pipe(source, mapped={"audio-level": 1}), mapped={"audio-level": 5}
    )
    both.run(3)
    assert {event[1][0] for _, event in both.near.events.named("levels")} == {(source.id, 20)}  # type: ignore[index]
    assert both.far.events.named("levels") == []
    assert heard.reception.extensions == {(5, b"\x14")}
    end(both, source)


def test_what_is_piped_is_counted_apart() -> None:
    both, anna = publishing(15, Link(loss=0.02))
    source = both.near.publish(anna, "video")
    piped = both.pipe(source)
    heard = both.subscribe("ben", piped)
    both.run(3)
    end(both, source)
    near, far = both.near.shard.stats(), both.far.shard.stats()
    assert [near[name] for name in ("transports", "producers", "consumers")] == [1, 1, 0]
    assert [far[name] for name in ("transports", "producers", "consumers")] == [1, 0, 1]
    assert [near[name] for name in ("pipes", "piped_producers", "pipe_consumers")] == [1, 0, 1]
    assert [far[name] for name in ("pipes", "piped_producers", "pipe_consumers")] == [1, 1, 0]
    assert (near["forwarded"], near["resent"], near["reported_lost"]) == (0, 0, 0)
    assert near["piped_out"] == near["media_in"] == far["piped_in"] == far["piped_expected"]
    assert (far["media_in"], far["media_expected"], far["nacks_out"]) == (0, 0, 0)
    assert far["forwarded"] == len(heard.reception.by_counter)


def test_closing_leaves_nothing_and_the_pipe_serves_the_next() -> None:
    both, anna = publishing(16)
    for turn in range(40):
        source = both.near.publish(anna, "audio" if turn % 2 else "video")
        piped = both.pipe(source)
        heard = both.subscribe(f"guest {turn}", piped)
        both.run(0.3)
        assert heard.reception.arrivals
        if turn % 3:
            both.near.control("close_producer", source.id)
            both.far.control("close_producer", piped.id)
        else:
            both.far.control("close_producer", piped.id)
            both.run(0.1)  # meanwhile it still sends, to nobody
            both.near.control("close_producer", source.id)
        source.track.stop()
    both.run(0.2)
    near, far = both.near.shard.stats(), both.far.shard.stats()
    assert near["pipe_consumers"] == near["producers"] == far["piped_producers"] == far["consumers"] == 0
    assert far["dropped_unrouted"] > 0
    both.near.control("close_transport", both.pipes[0])
    both.far.control("close_transport", both.pipes[1])
    assert both.near.shard.stats()["pipes"] == both.far.shard.stats()["pipes"] == 0
    assert both.near.shard.stats()["tuples"] == 1
    # The same pair of addresses may have another pipe.
    both.near.control("create_pipe", both.near.new_id(), FAR, SERVER, *KEYS[::-1])
    end(both)


def test_nothing_but_the_other_worker_is_heard_on_a_pipe() -> None:
    both, anna = publishing(17)
    source = both.near.publish(anna, "audio")
    heard = both.subscribe("ben", both.pipe(source))
    both.run(1)
    before, far = both.far.shard.stats(), both.far
    for kind in range(256):
        for second in (111, 200):  # RTP, RTCP
            for size in (1, 12, 40, 300):
                far.server_receives((bytes([kind, second, 0, 0]) + (1000).to_bytes(4, "big") * 80)[:size], NEAR)
    after = far.shard.stats()
    assert after["dropped_auth"] > before["dropped_auth"]
    assert [after[name] for name in ("tuples", "pipes", "handshakes_failed")] == [before["tuples"], 1, 0]
    both.run(1)
    end(both, source)
    assert undelivered(heard) == []


def impossible(both: TwoWorkers, source: Published) -> dict[str, tuple[str, tuple[object, ...]]]:
    """Requests to the near worker, by what is wrong with them."""
    pipe = both.pipes[0]
    taken, free, row = FAR, ("203.0.113.9", 40000), (901, 50_000, 0)
    return {
        "addresses taken": ("create_pipe", (900, taken, SERVER, *KEYS)),
        "no address": ("create_pipe", (900, ("nonsense", 1), SERVER, *KEYS)),
        "no port": ("create_pipe", (900, ("203.0.113.9", 65536), SERVER, *KEYS)),
        "one key": ("create_pipe", (900, free, SERVER, KEYS[0], KEYS[0])),
        "a short key": ("create_pipe", (900, free, SERVER, KEYS[0][:-1], KEYS[1])),
        "transport id taken": ("create_pipe", (source.member.transport, free, SERVER, *KEYS)),
        "no pipe": ("pipe_producer", (source.member.transport, source.id, [row])),
        "no producer": ("pipe_producer", (pipe, 999, [row])),
        "too many encodings": ("pipe_producer", (pipe, source.id, [row, (902, 50_001, 0)])),
        "no encoding": ("pipe_producer", (pipe, source.id, [])),
        "an old ssrc": ("pipe_producer", (pipe, source.id, [(901, 1, 0)])),
        "an old rtx ssrc": ("pipe_producer", (pipe, source.id, [(901, 50_000, 50_000)])),
        "id zero": ("pipe_producer", (pipe, source.id, [(0, 50_000, 0)])),
        "restarting ICE": ("restart_ice", (pipe,)),
        "connecting": ("connect_transport", (pipe, "client", [source.member.peer.dtls.fingerprint()])),
    }


def test_whoever_asks_for_the_impossible_is_told_and_nothing_changes() -> None:
    both, anna = publishing(18)
    source = both.near.publish(anna, "video")
    both.pipe(source)
    before = both.near.shard.stats()
    for what, (method, arguments) in impossible(both, source).items():
        with pytest.raises(MisuseError):
            getattr(both.near.shard, method)(*arguments)
        after = both.near.shard.stats()
        for census in ("transports", "pipes", "producers", "pipe_consumers", "tuples", "credentials"):
            assert after[census] == before[census], what
    end(both, source)


def test_an_old_ssrc_is_refused_at_the_other_end_too() -> None:
    both, anna = publishing(19)
    piped = both.pipe(both.near.publish(anna, "audio"))
    both.far.control("close_producer", piped.id)
    opus = [(111, -1, 48_000, "opus", True, False, False)]
    with pytest.raises(MisuseError):
        both.far.control("create_producer", 900, both.pipes[1], "audio", "", [(1000, 0, "")], opus, {})
