"""A synthetic publisher keeps its schedule, its bitrate, its numbers and its word."""

from __future__ import annotations

import itertools
import struct
from typing import Any

import pytest
from support.synthetic import (
    AV1,
    CAMERA,
    FORBIDDEN,
    H264,
    KEYFRAME,
    LAST,
    LAYER,
    MICROPHONE,
    MS,
    NEVER,
    SILENCE,
    VP8,
    VP9,
    Packet,
    S,
    opened,
    stream,
)

from simplestchat._native.testing import probe_peer as peer
from simplestchat._native.testing.probe_wire import rtp_extension, rtp_extensions, rtp_parse

PRESETS = [(640, 360, 15, 400_000), (854, 480, 30, 800_000), (1280, 720, 30, 1_500_000), (1920, 1080, 60, 4_000_000)]
SIMULCAST: dict[str, Any] = CAMERA | {
    "layers": [
        LAYER | {"rid": "q", "bitrate_bps": 150_000, "width": 320, "height": 180},
        LAYER | {"rid": "h", "ssrc": 102, "rtx_ssrc": 103},
        LAYER | {"rid": "f", "ssrc": 104, "rtx_ssrc": 105, "bitrate_bps": 2_000_000, "width": 1280, "height": 720},
    ]
}


def camera(**changes: Any) -> dict[str, Any]:
    layer = {name: changes.pop(name) for name in ("bitrate_bps", "width", "height") if name in changes}
    return CAMERA | changes | ({"layers": [LAYER | layer]} if layer else {})


def take(sender: peer.Sender, now: int, codec: int = VP8) -> list[Packet]:
    return [opened(codec, taken) for taken in sender.take(now)]


def sizes_of_frames(packets: list[Packet]) -> dict[int, int]:
    sizes: dict[int, int] = {}
    for packet in packets:
        frame = packet.stamp["frame"]
        sizes[frame] = sizes.get(frame, 0) + len(packet.payload)
    return sizes


@pytest.mark.parametrize(("width", "height", "fps", "bitrate"), PRESETS)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_bitrate_is_met_within_two_percent(width: int, height: int, fps: int, bitrate: int, seed: int) -> None:
    info = camera(fps=fps, width=width, height=height, bitrate_bps=bitrate, seed=seed)
    packets, _ = peer.Sender(info, 0).time_next(0, 30 * S, 5 * MS)
    sender = peer.Sender(info, 0)
    sender.time_next(0, 30 * S, 5 * MS)
    totals = sender.totals()
    assert totals["packets"] == packets
    assert totals["frames"] == pytest.approx(30 * fps, abs=1)
    assert totals["bytes"] * 8 / 30 == pytest.approx(bitrate, rel=0.02)


def test_the_bitrate_is_met_although_keyframes_are_asked_for() -> None:
    sender = peer.Sender(camera(bitrate_bps=1_000_000), 0)
    for second in range(30):
        sender.keyframe(100, second * S)
        sender.time_next(second * S, second * S + S - 1, 5 * MS)
    totals = sender.totals()
    assert totals["keyframes"] == totals["keyframe_requests"] == 30
    assert totals["bytes"] * 8 / 30 == pytest.approx(1_000_000, rel=0.02)


def test_keyframes_are_large_and_sizes_spread_and_come_from_the_seed() -> None:
    packets = stream(camera(bitrate_bps=1_000_000), 20 * S)
    sizes = sizes_of_frames(packets)
    mean = sum(sizes.values()) / len(sizes)
    assert 2.5 * mean < sizes[0] < 10 * mean
    later = [sizes[frame] / mean for frame in range(60, len(sizes))]
    assert min(later) < 0.75
    assert max(later) > 1.3
    assert max(later) < 4
    assert packets == stream(camera(bitrate_bps=1_000_000), 20 * S)
    assert sizes != sizes_of_frames(stream(camera(bitrate_bps=1_000_000, seed=6), 20 * S))


@pytest.mark.parametrize("codec", [VP8, H264, VP9, AV1])
def test_every_packet_of_a_frame_tells_the_same_story(codec: int) -> None:
    info = camera(codec=codec, bitrate_bps=2_000_000)
    packets = stream(info, 2 * S)
    views = [rtp_parse(packet.data) for packet in packets]
    assert [packet.counter for packet in packets] == list(range(len(packets)))
    assert [packet.index for packet in packets] == list(range(packets[0].index, packets[0].index + len(packets)))
    assert packets[0].index < 2**15
    for number, (_, group) in enumerate(itertools.groupby(packets, lambda packet: packet.stamp["frame"])):
        parts = list(group)
        assert [part.stamp["part"] for part in parts] == list(range(len(parts)))
        assert {part.stamp["parts"] for part in parts} == {len(parts)}
        assert {part.due for part in parts} == {part.stamp["sent_us"] for part in parts} == {parts[0].due}
        assert all(part.stamp["flags"] & KEYFRAME == (number == 0) for part in parts)
        assert [part.stamp["flags"] & LAST for part in parts] == [0] * (len(parts) - 1) + [LAST]
        assert max(len(part.payload) for part in parts) - min(len(part.payload) for part in parts) <= 1
    for packet, view in zip(packets, views, strict=True):
        assert (view["payload_type"], view["ssrc"]) == (96, 100)
        assert view["sequence"] == packet.index % 2**16
        assert view["marker"] == bool(packet.stamp["flags"] & LAST)
        assert len(packet.payload) <= info["max_payload"]
        since = (packet.due - packets[0].due) * 90_000 / S
        assert (view["timestamp"] - views[0]["timestamp"]) % 2**32 == pytest.approx(since, abs=2)


def test_the_schedule_is_kept_however_late_it_is_taken() -> None:
    prompt, late = peer.Sender(camera(), 0), peer.Sender(camera(), 0)
    first: list[Packet] = []
    while prompt.deadline <= 3 * S:
        now = prompt.deadline
        taken = take(prompt, now)
        assert {packet.due for packet in taken} <= {now}
        first += taken
        while prompt.report(now, 0) is not None:
            pass
    second = take(late, 3 * S)
    assert [(p.due, p.stamp) for p in first] == [(p.due, p.stamp) for p in second]
    dues = sorted({packet.due for packet in first})
    assert {later - sooner for sooner, later in itertools.pairwise(dues)} <= {33_333, 33_334}


def test_tracks_of_other_seeds_do_not_send_together() -> None:
    begins = {peer.Sender(camera(seed=seed), 0).deadline for seed in range(50)}
    assert len(begins) > 45
    assert 0 <= min(begins) <= max(begins) < 33_334


def test_a_wrap_of_sequence_numbers_is_one_more_index() -> None:
    info = camera(fps=60, bitrate_bps=100_000_000)
    packets = list(peer.Sender(info, 0).take(8 * S))
    assert packets[-1][2] > 2**16
    for data, _, index, _ in packets[-3:]:
        assert rtp_parse(data)["sequence"] == index % 2**16


def test_keyframes_come_when_asked_for_and_not_too_often() -> None:
    sender = peer.Sender(camera(), 0)
    taken = take(sender, S)
    sender.keyframe(100, S)
    sender.keyframe(0, S)
    sender.keyframe(999, S)
    taken += take(sender, S + 50 * MS)
    sender.keyframe(100, S + 60 * MS)
    taken += take(sender, 3 * S)
    keys = sorted({packet.due for packet in taken if packet.stamp["flags"] & KEYFRAME})
    assert len(keys) == 3
    assert S <= keys[1] <= S + 34 * MS
    assert 300 * MS <= keys[2] - keys[1] <= 334 * MS
    assert (sender.totals()["keyframes"], sender.totals()["keyframe_requests"]) == (3, 3)


def test_encodings_share_frames_and_count_for_themselves() -> None:
    packets = stream(SIMULCAST, 2 * S)
    layers = {number: [packet for packet in packets if packet.stamp["layer"] == number] for number in range(3)}
    for number, own in layers.items():
        assert {rtp_parse(packet.data)["ssrc"] for packet in own} == {SIMULCAST["layers"][number]["ssrc"]}
        assert [packet.counter for packet in own] == list(range(len(own)))
        assert sorted({packet.stamp["frame"] for packet in own}) == list(range(own[-1].stamp["frame"] + 1))
    assert len(layers[0]) < len(layers[1]) < len(layers[2])
    by_frame = {(packet.stamp["frame"], packet.due) for packet in packets}
    assert len(by_frame) == len({frame for frame, _ in by_frame})


def test_an_encoding_that_nobody_wants_pauses_and_comes_back_with_a_keyframe() -> None:
    sender = peer.Sender(SIMULCAST, 0)
    sender.take(S)
    before = sender.totals()["counters"]
    sender.layers(0b011, S)
    assert {packet.stamp["layer"] for packet in take(sender, 2 * S)} == {0, 1}
    sender.layers(0b100, 2 * S)
    back = take(sender, 3 * S)
    assert {packet.stamp["layer"] for packet in back} == {2}
    assert back[0].counter == before[2]
    assert back[0].stamp["flags"] & KEYFRAME
    sender.layers(0, 3 * S)
    assert take(sender, 4 * S) == []


def test_names_are_said_until_the_server_was_heard() -> None:
    sender = peer.Sender(SIMULCAST, 0)
    early = [data for data, *_ in sender.take(4 * S) if rtp_parse(data)["ssrc"] == 104]
    assert len(early) > 200
    assert all(rtp_extension(data, 4) == b"1" and rtp_extension(data, 10) == b"f" for data in early)
    block = dict.fromkeys(("fraction_lost", "cumulative_lost", "highest_seq", "jitter", "lsr", "dlsr"), 0)
    sender.heard(block | {"ssrc": 104, "cumulative_lost": 12}, 0, 4 * S)
    sender.heard(block | {"ssrc": 100, "cumulative_lost": 3}, 0, 4 * S)
    assert sender.totals()["reported_lost"] == 15
    later = [data for data, *_ in sender.take(5 * S) if rtp_parse(data)["ssrc"] == 104]
    assert [rtp_extension(data, 4) for data in later] == [None] * len(later)
    sender.keyframe(104, 5 * S)
    key = [opened(VP8, taken) for taken in sender.take(5 * S + 40 * MS)]
    named = [packet for packet in key if rtp_extension(packet.data, 10) == b"f"]
    assert named
    assert all(packet.stamp["flags"] & KEYFRAME for packet in named)
    # Encoding h was never heard of.
    assert all(rtp_extension(packet.data, 4) for packet in key if packet.stamp["layer"] == 1)


def test_extensions_that_need_two_bytes_get_them() -> None:
    packet = stream(camera(ext={"mid": 15, "abs-send-time": 200}), 100 * MS)[0]
    assert rtp_parse(packet.data)["ext_profile"] == 0x1000
    assert [number for number, _ in rtp_extensions(packet.data)] == [15, 200]
    plain = stream(camera(ext={}), 100 * MS)[0]
    assert (rtp_parse(plain.data)["ext_profile"], plain.header_size) == (0, 12)


def test_abs_send_time_is_when_it_leaves() -> None:
    sender = peer.Sender(camera(), 0)
    data, *_ = sender.take_one(12_345_678)
    value = int.from_bytes(rtp_extension(data, 2), "big")
    assert value == 12_345_678 * 2**18 // S % 2**24


def test_speech_has_a_packet_every_20_ms_around_the_bitrate() -> None:
    packets = stream(MICROPHONE, 30 * S)
    assert len(packets) == 1500
    assert {later.due - sooner.due for sooner, later in itertools.pairwise(packets)} == {20 * MS}
    assert sum(len(packet.payload) for packet in packets) * 8 / 30 == pytest.approx(32_000, rel=0.02)
    assert len({len(packet.payload) for packet in packets}) > 20
    assert {rtp_extension(packet.data, 1) for packet in packets} == {bytes([0x80 | 30])}
    stamps = [rtp_parse(packet.data)["timestamp"] for packet in packets]
    assert {(later - sooner) % 2**32 for sooner, later in itertools.pairwise(stamps)} == {960}
    assert all(packet.stamp["flags"] == LAST and packet.stamp["parts"] == 1 for packet in packets)


def test_silence_is_comfort_noise() -> None:
    packets = stream(MICROPHONE | {"talk": 0}, 10 * S)
    assert len(packets) == pytest.approx(25, abs=1)
    assert {later.due - sooner.due for sooner, later in itertools.pairwise(packets)} == {400 * MS}
    assert all(packet.stamp["flags"] == LAST | SILENCE and len(packet.payload) == 49 for packet in packets)
    assert {rtp_extension(packet.data, 1) for packet in packets} == {b"\x7f"}
    sender = peer.Sender(MICROPHONE | {"talk": 0}, 0)
    sender.take(S)
    assert sender.report(S, 0)
    assert sender.deadline > S + 100 * MS  # nobody is woken for packets that do not leave


def test_without_dtx_silence_is_a_packet_every_20_ms() -> None:
    packets = stream(MICROPHONE | {"talk": 0, "dtx": 0}, 5 * S)
    assert len(packets) == 250
    assert {rtp_extension(packet.data, 1) for packet in packets} == {b"\x7f"}
    assert not any(packet.stamp["flags"] & SILENCE for packet in packets)


def test_talk_spurts_come_and_go() -> None:
    packets = stream(MICROPHONE | {"talk": 2, "talk_ms": 1000, "silence_ms": 1500}, 120 * S)
    assert [packet.counter for packet in packets] == list(range(len(packets)))
    spoken = [packet for packet in packets if not packet.stamp["flags"] & SILENCE]
    assert 0.25 < len(spoken) / (120 * 50) < 0.55
    marked = [packet for packet in packets if rtp_parse(packet.data)["marker"]]
    begins = [
        two for one, two in itertools.pairwise(packets) if one.stamp["flags"] & SILENCE > two.stamp["flags"] & SILENCE
    ]
    assert {packet.counter for packet in begins} <= {packet.counter for packet in marked}
    assert 20 < len(begins) < 100
    assert max(later.due - sooner.due for sooner, later in itertools.pairwise(packets)) <= 400 * MS
    first = rtp_parse(packets[0].data)["timestamp"]
    for packet in packets:
        ticks = (packet.due - packets[0].due) * 48_000 // S
        assert (rtp_parse(packet.data)["timestamp"] - first) % 2**32 == ticks % 2**32


def test_somebody_else_may_say_when_to_talk() -> None:
    sender = peer.Sender(MICROPHONE | {"talk": 0}, 0)
    silent = take(sender, S, MICROPHONE["codec"])
    sender.talk(True, S + 50 * MS)
    spoken = take(sender, 2 * S, MICROPHONE["codec"])
    sender.talk(False, 2 * S + 1)
    after = take(sender, 4 * S, MICROPHONE["codec"])
    begin = silent[0].due
    assert [packet.due - begin for packet in silent] == [0, 400 * MS, 800 * MS]
    assert [packet.due - begin for packet in spoken] == [S + number * 20 * MS for number in range(2, 50)]
    assert rtp_parse(spoken[0].data)["marker"]
    assert not any(packet.stamp["flags"] & SILENCE for packet in spoken)
    assert {later.due - sooner.due for sooner, later in itertools.pairwise(after)} == {400 * MS}
    assert after[0].due == spoken[-1].due + 20 * MS
    everything = [*silent, *spoken, *after]
    assert [packet.counter for packet in everything] == list(range(len(everything)))


def test_talking_in_the_same_moment_uses_no_time_twice() -> None:
    sender = peer.Sender(MICROPHONE | {"talk": 0}, 0)
    first = take(sender, 700 * MS, MICROPHONE["codec"])
    begin = first[0].due
    assert first[-1].due == begin + 400 * MS
    sender.talk(True, begin + 400 * MS)
    then = take(sender, begin + 500 * MS, MICROPHONE["codec"])
    assert [packet.due - begin for packet in then] == [number * 20 * MS for number in range(21, 26)]


def test_a_camera_does_not_talk() -> None:
    sender, other = peer.Sender(camera(), 0), peer.Sender(camera(), 0)
    sender.talk(False, 0)
    assert [packet.data for packet in take(sender, S)] == [packet.data for packet in take(other, S)]


def test_muted_means_silent_and_leaves_no_debt() -> None:
    sender = peer.Sender(camera(), 0)
    before = take(sender, S)
    sender.mute(True, False, S)
    assert take(sender, 20 * S) == []
    while sender.report(20 * S, 0):
        pass
    assert sender.deadline == 21 * S  # the next report
    sender.mute(False, False, 20 * S)
    after = take(sender, 20 * S + 34 * MS)
    assert len({packet.due for packet in after}) == 1
    assert after[0].due >= 20 * S
    assert after[0].stamp["flags"] & KEYFRAME
    assert after[0].counter == before[-1].counter + 1
    assert after[0].index == before[-1].index + 1
    assert after[0].stamp["frame"] == before[-1].stamp["frame"] + 1


def test_what_is_forbidden_goes_on_and_says_so() -> None:
    sender = peer.Sender(camera(), 0)
    before = take(sender, S)
    sender.mute(True, True, S)
    forbidden = take(sender, 2 * S)
    assert len({packet.due for packet in forbidden}) == 30
    assert all(packet.stamp["flags"] & FORBIDDEN for packet in forbidden)
    assert {packet.counter for packet in forbidden} == {before[-1].counter + 1}
    assert sender.totals()["forbidden"] == len(forbidden)
    assert sender.totals()["counters"][0] == before[-1].counter + 1
    sender.mute(False, False, 2 * S)
    after = take(sender, 2 * S + 40 * MS)
    assert after[0].stamp["flags"] & KEYFRAME
    assert not after[0].stamp["flags"] & FORBIDDEN
    assert after[0].counter == before[-1].counter + 1
    assert after[0].index == forbidden[-1].index + 1


def test_a_retransmission_is_rfc_4588s() -> None:
    info = SIMULCAST
    sender = peer.Sender(info, 0)
    packet = next(packet for packet in take(sender, S) if packet.stamp["layer"] == 2 and packet.counter == 5)
    data, header_size, index, due = sender.resend(104, packet.index % 2**16, S)
    view, original = rtp_parse(data), rtp_parse(packet.data)
    assert (view["ssrc"], view["payload_type"]) == (105, 97)
    assert (view["sequence"], index < 2**15) == (index % 2**16, True)
    assert (view["timestamp"], view["marker"]) == (original["timestamp"], original["marker"])
    assert data[header_size:] == struct.pack("!H", packet.index % 2**16) + packet.payload
    assert rtp_extension(data, 4) == b"1"
    assert rtp_extension(data, 11) == b"f"  # repaired-rid, not rid
    assert rtp_extension(data, 10) is None
    assert due == S
    again = sender.resend(104, packet.index % 2**16, S + 20 * MS)
    assert again[2] == index + 1


def test_retransmissions_are_limited() -> None:
    sender = peer.Sender(camera(), 0)
    packet = take(sender, S)[-1]
    sequence = packet.index % 2**16
    assert sender.resend(100, sequence, S)
    assert sender.resend(100, sequence, S + 19_999) is None
    again = [sender.resend(100, sequence, S + number * 20 * MS) for number in range(1, 20)]
    assert sum(each is not None for each in again) == 9
    assert sender.resend(100, (sequence + 1) % 2**16, S) is None  # not sent yet
    assert sender.resend(101, sequence, S) is None
    assert sender.totals()["resent"] == 10
    assert sender.totals()["nacks"] == 22
    plain = peer.Sender(camera() | {"layers": [LAYER | {"rtx_ssrc": 0}]}, 0)
    assert plain.resend(100, plain.take(S)[0][2] % 2**16, S) is None


@pytest.mark.parametrize("bitrate", [150_000, 1_500_000, 6_000_000])
def test_about_a_second_is_kept_for_retransmission_and_memory_is_bounded(bitrate: int) -> None:
    sender = peer.Sender(camera(bitrate_bps=bitrate, fps=30), 0)
    packets = take(sender, 10 * S)
    recent = [packet for packet in packets if packet.due > 9.2 * S]
    old = [packet for packet in packets if packet.due < 4 * S]
    assert all(sender.resend(100, packet.index % 2**16, 10 * S) for packet in recent)
    assert not any(sender.resend(100, packet.index % 2**16, 10 * S) for packet in old)
    whole, caches = sender.footprint()
    assert whole - caches < 4096
    assert caches < 4 * bitrate // 8 + 64 * 1024
    nothing = peer.Sender(camera() | {"layers": [LAYER | {"rtx_ssrc": 0, "bitrate_bps": bitrate}]}, 0)
    assert nothing.footprint()[1] == 0
    assert peer.Sender(MICROPHONE, 0).footprint()[0] < 4096


def test_reports_are_due_once_a_second_for_each_encoding() -> None:
    sender = peer.Sender(SIMULCAST, 0)
    reports = []
    assert sender.report(0, 0) is None  # nothing was sent yet
    for now in range(0, 10 * S, 50 * MS):
        sender.take(now)
        while (report := sender.report(now, now)) is not None:
            reports.append(report)
    assert {ssrc: sum(report["ssrc"] == ssrc for report in reports) for ssrc in (100, 102, 104)} == dict.fromkeys(
        (100, 102, 104), 10
    )
    last = reports[-1]
    assert last["packets"] < sender.totals()["packets"]
    assert last["octets"] > 0


def test_audio_and_video_have_one_capture_clock() -> None:
    now, ntp = 7 * S + 123, 0xE000000000000000
    for info in (camera(), MICROPHONE):
        sender = peer.Sender(info, 0)
        packets = take(sender, now, info["codec"])
        report = sender.report(now, ntp)
        assert report["ntp"] == ntp
        for packet in (packets[0], packets[-1]):
            ahead = (report["rtp_timestamp"] - rtp_parse(packet.data)["timestamp"]) % 2**32
            # What the receiver computes as the capture time of the packet, on the sender's clock, is when it was due.
            assert now - ahead * S / info["clock_rate"] == pytest.approx(packet.due, abs=25)


@pytest.mark.parametrize(
    "changes",
    [
        {"codec": 1},
        {"codec": 9},
        {"fps": 0},
        {"fps": 241},
        {"max_payload": 200},
        {"max_payload": 1400},
        {"payload_type": 128},
        {"clock_rate": 0},
        {"mid": "x" * 17},
        {"layers": []},
        {"layers": [LAYER] * 4},
        {"layers": [LAYER | {"ssrc": 0}]},
        {"layers": [LAYER | {"rtx_ssrc": 100}]},
        {"layers": [LAYER | {"width": 0}]},
        {"layers": [LAYER | {"height": 20_000}]},
        {"layers": [LAYER | {"bitrate_bps": 10}]},
        {"layers": [LAYER | {"rid": "y" * 17}]},
        {"rtx_payload_type": -1},
    ],
)
def test_settings_that_cannot_be_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="impossible"):
        peer.Sender(CAMERA | changes, 0)


@pytest.mark.parametrize("changes", [{"talk": 3}, {"talk": 2}, {"codec": VP8}, {"layers": MICROPHONE["layers"] * 2}])
def test_settings_that_no_microphone_has_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="impossible"):
        peer.Sender(MICROPHONE | changes, 0)


def test_nothing_is_due_for_ever_while_muted_from_the_start() -> None:
    sender = peer.Sender(camera(), 0)
    sender.mute(True, False, 0)
    assert sender.deadline == NEVER
    assert sender.take(100 * S) == []
    assert sender.report(100 * S, 0) is None
