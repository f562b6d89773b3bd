"""Decode targets that a receiver is told are active, and streams that are not as they should be."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.codec_writers import L1T3, S2T2, descriptor
from support.layered import Plan, Source

from simplestchat._native.testing.probe_select import FORWARD, MASK, SIZE, Selector


def fed(plan: Plan, aim: tuple[int, int]) -> tuple[Selector, list[int]]:
    """A selector that has seen the whole stream with one aim, and its verdicts."""
    source = Source(plan)
    selector = Selector("av1")
    selector.aim(*aim)
    selector.begin(source.packets[0].payload)
    return selector, [selector.packet(packet.payload, packet.marker, packet.index) for packet in source.packets]


@pytest.mark.parametrize(
    ("mode", "aim", "mask"),
    [
        ("L", (2, 2), 0b111_111_111),
        ("L", (1, 1), 0b000_011_011),
        ("L", (0, 0), 0b000_000_001),
        ("K", (1, 2), 0b000_111_000),
        ("S", (2, 0), 0b001_000_000),
    ],
)
def test_what_is_whole_is_told(mode: str, aim: tuple[int, int], mask: int) -> None:
    selector, verdicts = fed(Plan("av1", 3, 3, mode=mode), aim)
    assert selector.mask == mask
    assert selector.current == aim
    forwarded = [verdict for verdict in verdicts[50:] if verdict & FORWARD]
    assert forwarded
    assert all(bool(verdict & MASK) == (mask != 0b111_111_111) for verdict in forwarded)


def test_what_the_source_does_not_send_is_not_aimed_at() -> None:
    selector = Selector("av1")
    selector.begin(descriptor(0, 0, brings=L1T3))
    # Target 0 is 30 pictures a second, target 2 is 7.5; only the lower ones are active.
    assert selector.packet(descriptor(0, 0, brings=L1T3, active=0b110), True) & FORWARD
    assert selector.current == (0, 1)
    assert not selector.wants_keyframe
    assert not selector.packet(descriptor(3, 1), True)
    assert selector.packet(descriptor(2, 2), True) & FORWARD


def test_another_structure_takes_the_place_of_the_first() -> None:
    selector = Selector("av1")
    selector.begin(descriptor(0, 0, brings=L1T3))
    selector.packet(descriptor(0, 0, brings=L1T3), True)
    assert selector.current == (0, 2)
    selector.packet(descriptor(7, 5, brings=S2T2))
    assert selector.current == (0, 1)
    assert selector.packet(descriptor(10, 6, fdiffs=[]), True) & FORWARD
    assert selector.current == (1, 1)


def test_a_frame_of_no_decode_target_goes_to_nobody() -> None:
    selector = Selector("av1")
    selector.begin(descriptor(0, 0, brings=L1T3))
    assert selector.packet(descriptor(0, 0, brings=L1T3), True) & FORWARD
    assert selector.packet(descriptor(1, 1, dtis=[0, 0, 0]), True) == 0
    assert selector.packet(descriptor(1, 2, fdiffs=[2]), True) & FORWARD


def test_before_a_structure_all_is_forwarded() -> None:
    selector = Selector("av1")
    selector.begin(descriptor(5, 7))
    assert selector.packet(descriptor(5, 7)) == FORWARD
    selector.aim(-1, 0)
    assert selector.packet(descriptor(5, 8)) == 0


def test_layers_that_nobody_can_tell() -> None:
    selector = Selector("all")
    assert selector.packet(b"\x10\x01") == FORWARD
    assert selector.current == (0, 0)
    selector.aim(-1, 0)
    assert selector.packet(b"\x10\x01") == 0
    assert not selector.wants_keyframe


def test_pictures_without_numbers() -> None:
    selector = Selector("vp8")
    selector.aim(0, 0)
    # X with T alone: temporal layers 0, 2, 1.
    frames = [(0x00, 0x00), (0x80, 0x01), (0x40, 0x01)]
    found = []
    for index, (tid, body) in enumerate(frames * 3):
        body = body if index else 0
        found.append(selector.packet(bytes([0x90, 0x20, tid, body]), True, index))
    assert found == [1, 0, 0] * 3


def test_a_keyframe_is_asked_for_where_no_switching_point_comes() -> None:
    source = Source(replace(Plan("vp8", 1, 2, sticky=1000), pictures=200))
    selector = Selector("vp8")
    selector.aim(0, 0)
    wanted = []
    for packet in source.packets:
        if packet.frame[0] == 6:
            selector.aim(0, 1)
        selector.packet(packet.payload, packet.marker, packet.index)
        wanted.append(selector.wants_keyframe)
    assert not wanted[100]
    assert wanted[-1]


def test_the_state_is_small() -> None:
    assert SIZE <= 128
