"""Each promise at the top of ``_native/peer/receiver.pxd``, by itself."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from support.synthetic import (
    AV1,
    CAMERA,
    FORBIDDEN,
    H264,
    KEYFRAME,
    LAYER,
    MICROPHONE,
    MS,
    NEVER,
    VP8,
    VP9,
    Listener,
    Packet,
    S,
    damaged,
    listener,
    opened,
    rtx,
    stream,
)

from simplestchat._native.testing import probe_peer as peer

DELAY = 20 * MS
SMALL: dict[str, Any] = CAMERA | {"fps": 15, "layers": [LAYER | {"bitrate_bps": 200_000}]}
VIDEO = stream(SMALL, 3 * S)
AUDIO = stream(MICROPHONE, 3 * S)


def give(to: Listener, packets: list[Packet], delay: int = DELAY) -> None:
    for packet in packets:
        to.receiver.packet(packet.data, packet.index, packet.due + delay)


def rewritten(packet: Packet, **changes: int) -> Packet:
    """The packet with another stamp, whole and right."""
    stamp = packet.stamp | changes
    offset, _ = peer.payload_read(SMALL["codec"], packet.payload)
    at = packet.header_size + offset
    data = packet.data[:at] + peer.stamp_write(len(packet.data) - at, stamp)
    return replace(packet, data=data, stamp=stamp)


def counts(totals: dict[str, int], *names: str) -> tuple[int, ...]:
    return tuple(totals[name] for name in names)


LOSSES = ("delivered", "lost", "missed", "repaired", "reordered", "duplicate")


def test_the_count_begins_with_the_first_packet_of_a_keyframe() -> None:
    to = Listener(SMALL)
    key = next(packet.counter for packet in VIDEO if not packet.stamp["flags"] & KEYFRAME)
    give(to, VIDEO[key:])
    totals = to.settled()
    assert counts(totals, "packets", "delivered", "lost", "frames") == (len(VIDEO) - key, 0, 0, 0)
    assert totals["first_packet_us"] == VIDEO[key].due + DELAY
    assert totals["first_frame_us"] == 0
    late = Listener(SMALL)
    give(late, VIDEO[2:])  # a keyframe whose beginning nobody sent us: not lost, and not shown
    assert counts(late.settled(), *LOSSES) == (len(VIDEO) - 2, 0, 0, 0, 0, 0)


def test_the_count_of_audio_begins_with_any_packet() -> None:
    to = Listener(MICROPHONE)
    give(to, AUDIO[40:])
    totals = to.settled()
    assert counts(totals, *LOSSES) == (len(AUDIO) - 40, 0, 0, 0, 0, 0)
    assert totals["frames"] == len(AUDIO) - 40
    assert totals["first_frame_us"] == totals["first_packet_us"] == AUDIO[40].due + DELAY


def test_a_beginning_that_comes_out_of_order_is_whole() -> None:
    to = Listener(SMALL)
    give(to, [VIDEO[3], VIDEO[0], VIDEO[2], VIDEO[1], *VIDEO[4:]])
    totals = to.settled()
    assert counts(totals, *LOSSES) == (len(VIDEO), 0, 0, 0, 3, 0)
    assert totals["frames"] == len({packet.stamp["frame"] for packet in VIDEO})


def closed_up(packets: list[Packet], first: int, over: int) -> list[Packet]:
    """Without those of ``first`` up to ``over``, and with numbers that do not tell so: a server left them out."""
    gone = over - first
    return packets[:first] + [replace(packet, index=packet.index - gone) for packet in packets[over:]]


def with_a_second_keyframe() -> tuple[list[Packet], int]:
    """A video, and which of its packets is the first of another keyframe."""
    sender = peer.Sender(SMALL, 0)
    taken = sender.take(2 * S)
    sender.keyframe(SMALL["layers"][0]["ssrc"], 2 * S)
    key = len(taken)
    packets = [opened(SMALL["codec"], one) for one in [*taken, *sender.take(4 * S)]]
    while not packets[key].stamp["flags"] & KEYFRAME:
        key += 1
    return packets, key


def test_what_the_server_leaves_out_up_to_a_keyframe_is_withheld() -> None:
    to = Listener(SMALL)
    video, key = with_a_second_keyframe()
    give(to, closed_up(video, key - 12, key))
    totals = to.settled()
    assert counts(totals, *LOSSES, "withheld") == (len(video) - 12, 0, 0, 0, 0, 0, 12)


def test_what_it_leaves_out_elsewhere_is_lost() -> None:
    to = Listener(SMALL)
    video, key = with_a_second_keyframe()
    give(to, closed_up(video, key - 12, key - 3))
    assert counts(to.settled(), *LOSSES, "withheld") == (len(video) - 9, 9, 9, 0, 0, 0, 0)


def test_losses_around_what_was_withheld_are_told_apart() -> None:
    to = Listener(SMALL)
    video, key = with_a_second_keyframe()
    come = closed_up(video, key - 12, key)
    del come[key - 12]  # the first packet of the keyframe
    give(to, come)
    assert counts(to.settled(), *LOSSES, "withheld") == (len(come), 1, 1, 0, 0, 0, 12)
    whole = Listener(SMALL)
    give(whole, [*video[: key - 12], *video[key:]])  # with a gap in the numbers, they were lost on the way
    assert counts(whole.settled(), *LOSSES, "withheld") == (len(video) - 12, 12, 12, 0, 0, 0, 0)


def test_sound_is_withheld_from_any_packet_on() -> None:
    to = Listener(MICROPHONE)
    give(to, closed_up(AUDIO, 40, 60))
    assert counts(to.settled(), *LOSSES, "withheld") == (len(AUDIO) - 20, 0, 0, 0, 0, 0, 20)


def test_what_is_lost_or_late_beside_withheld_sound_is_no_more_than_that() -> None:
    lost, late = Listener(MICROPHONE), Listener(MICROPHONE)
    come = closed_up(AUDIO, 40, 60)
    give(lost, [*come[:40], *come[43:]])
    assert counts(lost.settled(), *LOSSES, "withheld") == (len(come) - 3, 3, 3, 0, 0, 0, 20)
    give(late, [*come[:40], come[41], come[40], *come[42:]])
    assert counts(late.settled(), *LOSSES, "withheld") == (len(come), 0, 0, 0, 1, 0, 20)


def test_it_ends_at_the_highest_counter_seen_or_where_we_are_told() -> None:
    seen, told = Listener(SMALL), Listener(SMALL)
    for to in (seen, told):
        give(to, VIDEO[:-10])
    seen.receiver.end(4 * S)
    told.receiver.end(4 * S, len(VIDEO))
    assert counts(seen.settled(), *LOSSES) == (len(VIDEO) - 10, 0, 0, 0, 0, 0)
    assert counts(told.settled(), *LOSSES) == (len(VIDEO) - 10, 10, 10, 0, 0, 0)
    told.receiver.end(9 * S, len(VIDEO) + 50)  # a second end changes nothing
    assert told.settled()["lost"] == 10


def test_the_last_count_decides_what_is_not_under_way() -> None:
    known, told = Listener(SMALL), Listener(SMALL)
    come = [packet for packet in VIDEO[:-10] if packet.counter not in (20, len(VIDEO) - 13)]
    end = VIDEO[-11].due + DELAY
    for to in (known, told):
        give(to, come)
    known.receiver.end(end)
    told.receiver.end(end, len(VIDEO))
    for to in (known, told):
        to.receiver.close(end)
    # One is missing for long, and one was sent a moment ago: it may be on its way, unless we know that it is not.
    assert counts(known.receiver.totals(), *LOSSES) == (len(come), 1, 1, 0, 0, 0)
    assert counts(told.receiver.totals(), *LOSSES) == (len(come), 12, 12, 0, 0, 0)
    assert told.receiver.totals()["lost_uplink"] == 12
    for to in (known, told):
        before = to.receiver.totals()
        to.receiver.close(end + 9 * S)
        give(to, [VIDEO[-13], VIDEO[20]], 9 * S)
        assert counts(to.receiver.totals(), *LOSSES) == counts(before, *LOSSES)


def test_what_misses_for_half_a_second_at_the_last_count_is_lost() -> None:
    for age, lost in ((400 * MS, 0), (800 * MS, 1)):
        to = Listener(SMALL)
        give(to, [packet for packet in VIDEO[:40] if packet.counter != 20])
        end = VIDEO[21].due + DELAY + age
        to.receiver.end(end)
        to.receiver.close(end)
        assert counts(to.receiver.totals(), "lost", "missed") == (lost, lost)


def test_what_was_told_but_never_began_is_not_lost() -> None:
    to = Listener(SMALL)
    to.receiver.end(4 * S, 100)
    assert counts(to.settled(), *LOSSES) == (0, 0, 0, 0, 0, 0)


def test_lost_is_what_is_missing_for_two_seconds() -> None:
    to = Listener(SMALL)
    some = [packet for packet in VIDEO[:40] if packet.counter != 20]
    give(to, some)
    noticed = VIDEO[21].due + DELAY
    to.receiver.settle(noticed + 2 * S)
    assert to.receiver.totals()["lost"] == 0
    assert to.receiver.totals()["missed"] == 1
    to.receiver.settle(noticed + 2 * S + 263 * MS)
    assert to.receiver.totals()["lost"] == 1
    to.receiver.repair(rtx(VIDEO[20], SMALL), noticed + 3 * S)  # too late to matter
    assert counts(to.settled(), *LOSSES) == (len(some), 1, 1, 0, 0, 0)


def test_a_packet_that_comes_late_but_in_time_is_delivered() -> None:
    to = Listener(SMALL)
    some = VIDEO[:40]
    give(to, [packet for packet in some if packet.counter not in (20, 21)])
    at = VIDEO[22].due + DELAY + 1900 * MS
    to.receiver.repair(rtx(VIDEO[20], SMALL), at)
    to.receiver.packet(VIDEO[21].data, VIDEO[21].index, at)
    totals = to.settled()
    # One was missing and is repaired; the other was merely late.
    assert counts(totals, *LOSSES) == (len(some), 0, 1, 1, 1, 0)


def test_losses_are_told_by_hop() -> None:
    here, there = Listener(SMALL), Listener(SMALL)
    there.ledger = here.ledger
    there.__post_init__()
    give(here, [packet for packet in VIDEO[:40] if packet.counter not in (10, 11, 12)])
    give(there, [packet for packet in VIDEO[:40] if packet.counter not in (11, 30)])
    assert counts(here.settled(), "lost", "lost_uplink") == (3, 1)
    assert counts(there.settled(), "lost", "lost_uplink") == (2, 1)


def test_twice_is_a_duplicate_however_late_and_however_it_came() -> None:
    to = Listener(SMALL)
    give(to, [*VIDEO, VIDEO[0], VIDEO[30], VIDEO[-1]])
    to.receiver.repair(rtx(VIDEO[30], SMALL), 4 * S)
    totals = to.settled()
    assert counts(totals, *LOSSES) == (len(VIDEO), 0, 0, 0, 0, 3)
    assert totals["repeated"] == 1  # over RTX a server may repeat what came, to find out what the path carries


def test_what_is_not_meant_for_us_is_misdelivered() -> None:
    to = Listener(SMALL)
    give(to, VIDEO[:20])
    wrong = [rewritten(VIDEO[20], user=4), rewritten(VIDEO[20], track=2), rewritten(VIDEO[20], flags=FORBIDDEN)]
    flags = VIDEO[20].stamp["flags"]
    wrong[2] = rewritten(VIDEO[20], flags=flags | FORBIDDEN)
    give(to, wrong)
    assert counts(to.receiver.totals(), "misdelivered", "delivered", "corrupt") == (3, 20, 0)
    to.receiver.repair(rtx(rewritten(VIDEO[21], user=9), SMALL), 2 * S)
    assert to.receiver.totals()["misdelivered"] == 4


def test_what_was_due_after_the_end_is_misdelivered() -> None:
    to = Listener(SMALL)
    end = VIDEO[30].due
    give(to, VIDEO[:25])
    to.receiver.end(end)
    give(to, VIDEO[25:])
    before = sum(packet.due <= end for packet in VIDEO)
    totals = to.settled()
    assert counts(totals, "delivered", "misdelivered", "lost") == (before, len(VIDEO) - before, 0)
    assert to.receiver.deadline == NEVER


@pytest.mark.parametrize("codec", [VP8, H264, VP9, AV1])
def test_damage_is_corrupt_wherever_it_is(codec: int) -> None:
    info = SMALL | {"codec": codec}
    packets = stream(info, S)
    to = Listener(info)
    give(to, packets)
    wanted = to.receiver.totals()["delivered"]
    packet = packets[0]
    harm = 0
    for at in range(packet.header_size, len(packet.data)):
        broken = packet.data[:at] + bytes([packet.data[at] ^ 0x11]) + packet.data[at + 1 :]
        to.receiver.packet(broken, packet.index, 2 * S)
        harm += 1
    # The stamp does not tell the picture's number, which a server may write anew, nor its size.
    untold = {VP8: 2 + 4, VP9: 2, AV1: 5}.get(codec, 0)
    totals = to.receiver.totals()
    assert totals["delivered"] == wanted
    assert totals["corrupt"] + totals["duplicate"] == harm
    assert totals["corrupt"] >= harm - untold


def test_other_kinds_of_damage() -> None:
    to = Listener(SMALL)
    packet = VIDEO[0]
    at = packet.header_size
    broken = [
        packet.data[:at] + packet.payload[:30],
        packet.data[:-1],
        packet.data + b"x",
        packet.data[:1] + bytes([packet.data[1] ^ 2]) + packet.data[2:],  # another payload type
        bytes([packet.data[0] | 0x20]) + packet.data[1:-1] + b"\xff",  # padding longer than there is room for
        packet.data[:at] + b"\x90\x80\x80\x00" + bytes(60),
        rewritten(VIDEO[0], part=3).data,
        rewritten(VIDEO[0], parts=0).data,
        rewritten(VIDEO[0], flags=0).data,
        rewritten(VIDEO[1], part=0).data,
    ]
    for each in broken:
        to.receiver.packet(each, packet.index, S)
    assert counts(to.receiver.totals(), "corrupt", "delivered") == (len(broken), 0)
    view = to.info | {"rtx_payload_type": 98}
    for each in (rtx(packet, view), rtx(replace(packet, data=packet.data[:at] + b"", header_size=at), SMALL)[:-1]):
        to.receiver.repair(each, S)
    assert counts(to.receiver.totals(), "corrupt", "packets") == (len(broken) + 2, len(broken) + 2)


def test_a_corrupt_packet_is_missing_too() -> None:
    to = Listener(SMALL)
    for packet in VIDEO:
        data = damaged(packet) if packet.counter == 20 else packet.data
        to.receiver.packet(data, packet.index, packet.due + DELAY)
    assert counts(to.settled(), "corrupt", "delivered", "lost") == (1, len(VIDEO) - 1, 1)
    assert to.receiver.nacks(S) == []  # its number came


def test_padding_is_passed_over() -> None:
    to = Listener(SMALL)
    give(to, VIDEO[:10])
    probe = bytes([0xA0, 97]) + rtx(VIDEO[3], SMALL)[2:12] + bytes(9) + b"\x0a"
    to.receiver.repair(probe, S)
    media = bytes([0xA0, 96]) + VIDEO[9].data[2:12] + bytes(3) + b"\x04"
    to.receiver.packet(media, VIDEO[9].index + 1, S)
    give(to, [replace(packet, index=packet.index + 1) for packet in VIDEO[10:]])
    totals = to.settled()
    assert counts(totals, *LOSSES) == (len(VIDEO), 0, 0, 0, 0, 0)
    assert counts(totals, "corrupt", "packets") == (0, len(VIDEO) + 2)
    assert to.receiver.nacks(4 * S) == []


def test_a_server_may_number_as_it_likes() -> None:
    to = Listener(SMALL)
    middle = len(VIDEO) // 2
    give(to, [replace(packet, index=65_530 + number) for number, packet in enumerate(VIDEO[:middle])])
    give(to, [replace(packet, index=3 + number) for number, packet in enumerate(VIDEO[middle:])])
    totals = to.settled()
    assert counts(totals, *LOSSES) == (len(VIDEO), 0, 0, 0, 0, 0)
    assert counts(totals, "nacks", "frames_broken") == (0, 0)
    assert to.receiver.nacks(4 * S) == []
    assert to.receiver.report(4 * S)["cumulative_lost"] == 0


def test_gaps_of_numbers_alone_are_nobodys_loss() -> None:
    to = Listener(SMALL)
    give(to, [replace(packet, index=packet.index + packet.counter // 20) for packet in VIDEO])
    assert counts(to.settled(), *LOSSES) == (len(VIDEO), 0, 0, 0, 0, 0)


def test_a_jump_over_everything_is_lost_at_once() -> None:
    to = Listener(SMALL)
    give(to, VIDEO[:10])
    far = 100_000
    give(to, [rewritten(packet, counter=packet.counter + far) for packet in VIDEO[10:]])
    totals = to.settled()
    assert counts(totals, *LOSSES) == (len(VIDEO), far, far, 0, 0, 0)
    assert totals["highest_counter"] == far + len(VIDEO) - 1


def test_pause_and_resume_begin_anew() -> None:
    to = Listener(SMALL)
    sender = peer.Sender(SMALL, 0)
    first = [opened(VP8, taken) for taken in sender.take(2 * S)]
    give(to, [packet for packet in first if packet.counter != 10])
    to.receiver.end(2 * S)
    assert to.receiver.deadline == NEVER
    assert not to.receiver.wants_keyframe(3 * S)
    sender.take(6 * S)  # forwarded to nobody
    to.receiver.resume(6 * S)
    assert counts(to.receiver.totals(), "first_packet_us", "first_frame_us") == (0, 0)
    assert to.receiver.deadline == 6 * S + 500 * MS
    delta = [opened(VP8, taken) for taken in sender.take(6 * S + 200 * MS)]
    sender.keyframe(100, 6 * S + 200 * MS)
    second = [opened(VP8, taken) for taken in sender.take(8 * S)]
    numbers = range(first[-1].index + 1, 10**6)
    give(to, [replace(packet, index=number) for number, packet in zip(numbers, delta + second, strict=False)])
    totals = to.settled()
    assert counts(totals, *LOSSES) == (len(first) - 1 + len(second), 1, 1, 0, 0, 0)
    assert totals["misdelivered"] == 0
    assert totals["first_packet_us"] == delta[0].due + DELAY
    assert totals["first_frame_us"] == second[0].due + DELAY
    assert totals["keyframes"] == 2
    assert totals["freezes"] == 0


def test_a_short_pause_of_speech_loses_nothing() -> None:
    to = Listener(MICROPHONE)
    pause, resume = AUDIO[50].due, AUDIO[80].due
    give(to, AUDIO[:48])
    to.receiver.end(pause)
    give(to, [AUDIO[48], AUDIO[50]])  # were on their way; one between them is lost
    to.receiver.resume(resume - 10 * MS)
    rest = [replace(packet, index=packet.index - 29) for packet in AUDIO[80:]]
    give(to, [rest[1], rest[0], *rest[2:]])
    give(to, AUDIO[:1], 2 * S)
    totals = to.settled()
    assert counts(totals, *LOSSES) == (50 + len(rest), 1, 1, 0, 1, 1)
    assert totals["misdelivered"] == 0


def test_resuming_what_never_ended_changes_nothing() -> None:
    to = Listener(SMALL)
    give(to, VIDEO[:20])
    to.receiver.resume(S)
    give(to, VIDEO[20:])
    assert counts(to.settled(), *LOSSES) == (len(VIDEO), 0, 0, 0, 0, 0)


def test_gaps_are_asked_for_again_and_again_but_not_for_ever() -> None:
    to = Listener(SMALL)
    give(to, [packet for packet in VIDEO[:31] if packet.counter not in (20, 21, 25)])
    missing = [VIDEO[number].index % 2**16 for number in (20, 21, 25)]
    now = VIDEO[30].due + DELAY
    assert to.receiver.deadline <= now
    asked: list[list[int]] = []
    times: list[int] = []
    while now < VIDEO[30].due + 3 * S:
        if wanted := to.receiver.nacks(now):
            asked.append(wanted)
            times.append(now)
        now += MS
    assert asked[0] == missing
    assert len(asked) == 10
    assert all(later - sooner >= 20 * MS for sooner, later in itertools.pairwise(times))
    assert to.receiver.totals()["nacks"] == sum(map(len, asked))


def test_what_came_again_is_not_asked_for_any_more() -> None:
    to = Listener(SMALL)
    give(to, [packet for packet in VIDEO[:30] if packet.counter not in (20, 21)])
    now = VIDEO[29].due + DELAY
    to.receiver.repair(rtx(VIDEO[21], SMALL), now)
    assert to.receiver.nacks(now) == [VIDEO[20].index % 2**16]


def test_without_rtx_what_was_asked_for_comes_as_a_repair() -> None:
    info = SMALL | {"rtx_payload_type": -1, "layers": [SMALL["layers"][0] | {"rtx_ssrc": 0}]}
    to = Listener(info)
    give(to, [packet for packet in VIDEO[:30] if packet.counter not in (20, 21)])
    late = VIDEO[29].due + DELAY
    give(to, [VIDEO[20]], delay=DELAY + late - VIDEO[20].due)
    assert to.receiver.nacks(late) == [VIDEO[21].index % 2**16]
    to.receiver.packet(VIDEO[21].data, VIDEO[21].index, late + 40 * MS)
    assert counts(to.settled(), *LOSSES) == (30, 0, 1, 1, 1, 0)


def test_audio_without_rtx_asks_for_nothing() -> None:
    to = Listener(MICROPHONE)
    give(to, AUDIO[::2])
    assert to.receiver.deadline == NEVER
    assert to.receiver.nacks(3 * S) == []


def test_a_keyframe_is_wanted_when_none_comes() -> None:
    to = Listener(SMALL, now=S)
    assert to.receiver.deadline == S + 500 * MS
    assert not to.receiver.wants_keyframe(S + 499 * MS)
    asked = [now for now in range(S, 5 * S, 10 * MS) if to.receiver.wants_keyframe(now)]
    assert asked == [S + 500 * MS, 2 * S + 500 * MS, 3 * S + 500 * MS, 4 * S + 500 * MS]
    assert to.receiver.totals()["keyframe_requests"] == 4
    assert not Listener(MICROPHONE).receiver.wants_keyframe(100 * S)


def test_a_keyframe_is_wanted_when_nothing_else_helps() -> None:
    to = Listener(SMALL)
    number = next(packet.counter for packet in VIDEO if packet.stamp["frame"] == 10)
    asked = []
    for packet in VIDEO:
        now = packet.due + DELAY
        if packet.counter != number:
            to.receiver.packet(packet.data, packet.index, now)
        to.receiver.nacks(now)
        if to.receiver.wants_keyframe(now):
            asked.append(now)
    blocked = next(packet.due for packet in VIDEO if packet.stamp["frame"] == 11) + DELAY
    # As long as it is asked for again nobody gives up; then at once, and each second.
    assert blocked + 500 * MS <= asked[0] <= blocked + 1100 * MS
    assert all(later - sooner >= S for sooner, later in itertools.pairwise(asked))
    assert to.receiver.totals()["frames"] == 10


def test_a_frame_that_nobody_can_send_again_is_not_waited_for() -> None:
    to = Listener(SMALL)
    asked = []
    for packet in VIDEO:
        now = packet.due + DELAY
        to.receiver.packet(damaged(packet) if packet.stamp["frame"] == 10 else packet.data, packet.index, now)
        if to.receiver.wants_keyframe(now):
            asked.append(now)
    blocked = next(packet.due for packet in VIDEO if packet.stamp["frame"] == 11) + DELAY
    assert blocked + 200 * MS <= asked[0] <= blocked + 300 * MS


def test_frames_count_when_whole_and_shown_in_order() -> None:
    to = Listener(SMALL)
    hole = [packet for packet in VIDEO if packet.stamp["frame"] == 10]
    give(to, [packet for packet in VIDEO if packet.stamp["frame"] < 30 and packet not in hole])
    assert to.receiver.totals()["frames"] == 10
    for packet in hole:
        to.receiver.repair(rtx(packet, SMALL), VIDEO[0].due + 2 * S + DELAY)
    totals = to.receiver.totals()
    assert counts(totals, "frames", "frames_broken", "keyframes") == (30, 0, 1)
    assert counts(totals, "freezes") == (1,)


def test_what_a_keyframe_leaves_behind_is_broken() -> None:
    sender = peer.Sender(SMALL, 0)
    packets = [opened(VP8, taken) for taken in sender.take(S)]
    sender.keyframe(100, S)
    packets += [opened(VP8, taken) for taken in sender.take(2 * S)]
    to = Listener(SMALL)
    frames = {packet.stamp["frame"] for packet in packets}
    key = max(packet.stamp["frame"] for packet in packets if packet.stamp["flags"] & KEYFRAME)
    give(to, [packet for packet in packets if packet.stamp["frame"] != 10])
    totals = to.settled()
    assert counts(totals, "frames", "keyframes") == (10 + len(frames) - key, 2)
    assert totals["frames_broken"] == key - 11


def test_a_freeze_is_a_long_wait_for_the_next_frame() -> None:
    to = Listener(SMALL)
    give(to, [packet for packet in VIDEO if packet.stamp["frame"] < 20])
    # 15 fps: 66.7 ms between frames, so 216.7 ms is the limit.
    rest = [packet for packet in VIDEO if packet.stamp["frame"] >= 20]
    give(to, [packet for packet in rest if packet.stamp["frame"] == 20], DELAY + 149 * MS)
    assert to.receiver.totals()["freezes"] == 0
    give(to, [packet for packet in rest if packet.stamp["frame"] == 21], DELAY + 149 * MS + 160 * MS)
    totals = to.receiver.totals()
    assert totals["freezes"] == 1
    assert totals["freeze_us"] == pytest.approx(227 * MS, abs=MS)


def test_a_freeze_that_lasts_at_the_end_counts_up_to_the_last_packet() -> None:
    frozen, silent, brief = Listener(SMALL), Listener(SMALL), Listener(SMALL)
    whole = [packet for packet in VIDEO if packet.stamp["frame"] < 20]
    behind = [packet for packet in VIDEO if 20 < packet.stamp["frame"] < 30]
    give(frozen, whole + behind)  # the 20th is missing, so none behind it is shown
    give(silent, whole)
    give(brief, whole + [packet for packet in behind if packet.stamp["frame"] == 21])
    for to in (frozen, silent, brief):
        assert to.receiver.totals()["freezes"] == 0
        to.receiver.end(5 * S)
    assert silent.receiver.totals()["freezes"] == brief.receiver.totals()["freezes"] == 0
    length = behind[-1].due - whole[-1].due
    assert counts(frozen.receiver.totals(), "freezes", "freeze_us") == (1, length)
    frozen.receiver.end(6 * S)
    frozen.receiver.close(6 * S)
    give(frozen, [packet for packet in VIDEO if packet.stamp["frame"] == 20], 2 * S)  # no second one
    assert counts(frozen.receiver.totals(), "freezes", "freeze_us") == (1, length)


def test_a_freeze_before_a_pause_is_not_one_of_the_time_behind_it() -> None:
    to = Listener(SMALL)
    give(to, [packet for packet in VIDEO if packet.stamp["frame"] < 10])
    to.receiver.end(S)
    to.receiver.resume(2 * S)
    give(to, [packet for packet in VIDEO if packet.stamp["frame"] >= 30])  # no keyframe: nothing is shown
    to.receiver.end(4 * S)
    assert to.receiver.totals()["freezes"] == 0


def test_latencies_are_from_due_to_arrival() -> None:
    to, ear = Listener(SMALL), Listener(MICROPHONE)
    give(to, VIDEO, 30 * MS)
    ear.measures = to.measures
    ear.__post_init__()
    give(ear, AUDIO[:50], 7 * MS)
    give(ear, AUDIO[50:], 9 * MS)
    taken = to.measures.take()
    assert taken["latency_video"][:4] == (len(VIDEO), len(VIDEO) * 30 * MS, 30 * MS, 30 * MS)
    assert taken["frame_latency"][2:4] == (30 * MS, 30 * MS)
    assert taken["latency_audio"][:4] == (len(AUDIO), 50 * 7 * MS + (len(AUDIO) - 50) * 9 * MS, 7 * MS, 9 * MS)
    assert to.receiver.totals()["latency_us"] == len(VIDEO) * 30 * MS, "a stream knows its own"
    assert ear.receiver.totals()["latency_us"] == taken["latency_audio"][1]
    assert taken["jitter"][0] == len(VIDEO) - 1 + len(AUDIO) - 1
    assert taken["jitter"][3] == 2 * MS


def test_reports_are_rfc_3550s() -> None:
    to = Listener(MICROPHONE)
    give(to, [packet for packet in AUDIO if packet.counter % 10])
    to.receiver.sender_report(200, 0x1234_5678_9ABC_DEF0, 3 * S)
    block = to.receiver.report(3 * S + 500 * MS)
    assert block["ssrc"] == 200
    assert block["cumulative_lost"] == sum(packet.counter % 10 == 0 for packet in AUDIO[1:])
    assert block["highest_seq"] == AUDIO[-1].index
    assert (block["lsr"], block["dlsr"]) == (0x5678_9ABC, 32768)
    assert block["jitter"] == to.receiver.totals()["jitter_us"] == 0


def test_memory_is_small() -> None:
    ear, eye = Listener(MICROPHONE), Listener(SMALL)
    give(ear, AUDIO[::3])
    give(eye, VIDEO)
    assert ear.receiver.footprint() <= 4096
    assert eye.receiver.footprint() <= 6 * 1024  # before anything was missing
    give(eye, VIDEO[::3])
    lossy = Listener(SMALL)
    give(lossy, VIDEO[::3])
    assert lossy.receiver.footprint() <= 16 * 1024


@pytest.mark.parametrize("changes", [{"codec": 1}, {"codec": 0}, {"clock_rate": 0}, {"video": 0}])
def test_settings_that_cannot_be_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="impossible"):
        peer.Receiver(listener(SMALL) | changes, 0, peer.Ledger(), peer.Measures())
