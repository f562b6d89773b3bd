"""Whatever the network does to a stream, the native receiver counts it exactly as the slow reference does."""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from functools import cache
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.reference_receiver import ReferenceReceiver
from support.synthetic import (
    CAMERA,
    FOREVER,
    KEYFRAME,
    LAYER,
    MICROPHONE,
    MS,
    VP8,
    Listener,
    Packet,
    S,
    damaged,
    opened,
    rtx,
    stream,
)

from simplestchat._native.testing import probe_peer as peer

VIDEO: dict[str, Any] = CAMERA | {"fps": 15, "layers": [LAYER | {"bitrate_bps": 250_000}]}
AUDIO: dict[str, Any] = MICROPHONE | {
    "rtx_payload_type": 112,
    "layers": [MICROPHONE["layers"][0] | {"rtx_ssrc": 201}],
}
SIMULCAST: dict[str, Any] = VIDEO | {
    "layers": [
        LAYER | {"bitrate_bps": 150_000},
        LAYER | {"ssrc": 102, "rtx_ssrc": 103, "bitrate_bps": 350_000},
    ]
}

VIDEO_STREAM = stream(VIDEO, 4 * S)
AUDIO_STREAM = stream(AUDIO, 4 * S)

#: One arrival of a packet: how, and how long after it was sent in milliseconds.
ARRIVAL = st.tuples(
    st.sampled_from(["plain", "plain", "plain", "rtx", "damaged"]),
    st.one_of(st.integers(0, 40), st.integers(0, 400), st.integers(1800, 3500)),
)
FATES = st.dictionaries(st.integers(0, 250), st.lists(ARRIVAL, max_size=4), max_size=40)
HOLES = st.lists(st.tuples(st.integers(0, 250), st.integers(1, 60)), max_size=3)

Fates = dict[int, list[tuple[str, int]]]
Event = tuple[int, int, str, Packet | None]


def events(
    packets: list[Packet], fates: dict[int, list[tuple[str, int]]], holes: Iterable[tuple[int, int]]
) -> list[Event]:
    """In the order of arrival; what has no fate of its own arrives once, 20 ms after it was sent."""
    gone = {number for begin, length in holes for number in range(begin, begin + length)}
    queue: list[Event] = []
    for number, packet in enumerate(packets):
        usual = [] if number in gone else [("plain", 20)]
        for kind, delay in fates.get(number, usual):
            heapq.heappush(queue, (packet.due + delay * MS, len(queue), kind, packet))
    for second in range(8):
        heapq.heappush(queue, (second * S, len(queue), "settle", None))
    return [heapq.heappop(queue) for _ in range(len(queue))]


def compare(info: dict[str, Any], order: list[Event], known: set[tuple[int, int]]) -> dict[str, int]:
    listener = Listener(info)
    for layer, counter in known:
        listener.ledger.delivered(info["user"], info["track"], layer, counter)
    reference = ReferenceReceiver(info["user"], info["track"], bool(info["video"]), known)
    for at, _, kind, packet in order:
        if packet is None:
            listener.receiver.settle(at)
            reference.settle(at)
        elif kind == "damaged":
            listener.receiver.packet(damaged(packet), packet.index, at)
            reference.damaged()
        elif kind == "rtx":
            listener.receiver.repair(rtx(packet, info), at)
            reference.packet(packet.stamp, True, at, packet.index)
        else:
            listener.receiver.packet(packet.data, packet.index, at)
            reference.packet(packet.stamp, False, at, packet.index)
        counted = {name: value for name, value in listener.receiver.totals().items() if name in reference.result()}
        assert counted == reference.result()
    listener.receiver.settle(FOREVER)
    reference.settle(FOREVER)
    totals = listener.receiver.totals()
    assert {name: totals[name] for name in reference.result()} == reference.result()
    assert totals["missed"] == totals["lost"] + totals["repaired"]
    return totals


@settings(max_examples=80)
@given(FATES, HOLES, st.sets(st.integers(0, 250)))
@example({}, [], set())
@example({0: []}, [], set())
@example({0: [("plain", 200)], 1: [("rtx", 60)]}, [(10, 40)], set())
def test_video_is_counted_as_the_rules_say(fates: dict, holes: list, known: set[int]) -> None:
    compare(VIDEO, events(VIDEO_STREAM, fates, holes), {(0, counter) for counter in known})


@settings(max_examples=80)
@given(FATES, HOLES, st.sets(st.integers(0, 250)))
@example({0: [("plain", 200)]}, [], set())
def test_audio_is_counted_as_the_rules_say(fates: dict, holes: list, known: set[int]) -> None:
    compare(AUDIO, events(AUDIO_STREAM, fates, holes), {(0, counter) for counter in known})


@cache
def switching(*switches: int) -> list[Packet]:
    """What a server forwards that changes the encoding at these frames, each time at a keyframe."""
    sender = peer.Sender(SIMULCAST, 0)
    taken: list[Packet] = []
    for frame in range(60):
        if frame in switches:
            sender.keyframe(0, frame * S // 15)
        taken += [opened(VP8, each) for each in sender.take((frame + 1) * S // 15)]
    packets, layer = [], 0
    keys = {packet.stamp["frame"] for packet in taken if packet.stamp["flags"] & KEYFRAME}
    turns = [min((key for key in keys if key >= switch), default=1000) for switch in switches]
    for number in sorted({packet.stamp["frame"] for packet in taken}):
        layer ^= sum(turn == number for turn in turns) % 2
        packets += [each for each in taken if (each.stamp["frame"], each.stamp["layer"]) == (number, layer)]
    # The server's numbers are without gaps whatever it forwards.
    return [
        Packet(each.data, each.header_size, 500 + number, each.due, each.stamp) for number, each in enumerate(packets)
    ]


@settings(max_examples=60)
@given(st.sampled_from([[], [20], [12, 30], [5, 14, 40]]), FATES, HOLES)
def test_a_switch_of_encodings_is_counted_as_the_rules_say(switches: list[int], fates: dict, holes: list) -> None:
    compare(SIMULCAST, events(switching(*switches), fates, holes), set())


def test_a_switch_of_encodings_loses_nothing() -> None:
    packets = switching(12, 30)
    assert {packet.stamp["layer"] for packet in packets} == {0, 1}
    totals = compare(SIMULCAST, events(packets, {}, []), set())
    assert totals["delivered"] == len(packets)
    assert totals["missed"] == totals["duplicate"] == totals["frames_broken"] == 0
    assert totals["frames"] == len({packet.stamp["frame"] for packet in packets})
