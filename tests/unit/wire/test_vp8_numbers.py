"""VP8: the numbers of a descriptor written anew, against aiortc's descriptor and by hand."""

from __future__ import annotations

from random import Random

import pytest
from aiortc.codecs.vpx import VpxPayloadDescriptor
from hypothesis import given
from hypothesis import strategies as st

from simplestchat._native.core.errors import PeerError
from simplestchat._native.testing import probe_codecs as probe
from simplestchat._native.testing import probe_wire

FRAME = bytes.fromhex("d10200aabbccdd")
COUNT = 20_000


def ids(picture_id: int = 0, tl0picidx: int = 0, keyidx: int = 0) -> dict[str, int]:
    return {"picture_bits": 15, "picture_id": picture_id, "tl0picidx": tl0picidx, "keyidx": keyidx}


def hexed(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("90 80 8123", "90 80 d234"),  # 15 bits keep their mark
        ("90 80 05", "90 80 34"),  # seven bits stay seven: the low ones are written
        ("90 c0 05 11", "90 c0 34 77"),
        ("90 f0 8123 11 e5", "90 f0 d234 77 eb"),  # the layer and its Y bit beside KEYIDX stay
        ("90 10 05", "90 10 0b"),
        ("90 30 e5", "90 30 eb"),
        ("90 20 e5", "90 20 e5"),  # no KEYIDX: its bits are not ours
        ("90 40 05", "90 40 77"),
        ("10", "10"),
        ("90 00", "90 00"),
    ],
)
def test_by_hand(before: str, after: str) -> None:
    wanted = ids(0x5234, 0x77, 0xCB)  # bits above each width are dropped
    assert probe.vp8_rewrite(hexed(before) + FRAME, wanted) == hexed(after) + FRAME


def test_against_aiortc() -> None:
    rng = Random(8)
    for _ in range(COUNT):
        theirs = VpxPayloadDescriptor(
            rng.getrandbits(1),
            rng.randrange(8),
            rng.choice((None, rng.getrandbits(15))),
            rng.choice((None, rng.getrandbits(8))),
            rng.choice((None, (rng.randrange(4), rng.getrandbits(1)))),
            rng.choice((None, rng.randrange(32))),
        )
        payload = bytes(theirs) + FRAME
        found = probe_wire.vp8_parse(payload)
        assert (found["partition_start"], found["partition"]) == (theirs.partition_start, theirs.partition_id)
        assert (found["picture_id"] if found["has_picture_id"] else None) == theirs.picture_id
        assert ((found["tid"], found["layer_sync"]) if found["has_tid"] else None) == theirs.tid
        wanted = ids(rng.getrandbits(15), rng.getrandbits(8), rng.randrange(32))
        again, rest = VpxPayloadDescriptor.parse(probe.vp8_rewrite(payload, wanted))
        assert rest == FRAME
        assert (again.partition_start, again.partition_id, again.tid) == (
            *(theirs.partition_start, theirs.partition_id),
            theirs.tid,
        )
        for name in ("picture_id", "tl0picidx", "keyidx"):
            assert getattr(again, name) == (None if getattr(theirs, name) is None else wanted[name])


@given(st.binary(min_size=1, max_size=12), st.integers(0, 2**15 - 1), st.integers(0, 255), st.integers(0, 31))
def test_nothing_but_the_numbers_changes(payload: bytes, picture_id: int, tl0picidx: int, keyidx: int) -> None:
    try:
        before = probe_wire.vp8_parse(payload)
    except PeerError:
        return
    changed = probe.vp8_rewrite(payload, ids(picture_id, tl0picidx, keyidx))
    after = probe_wire.vp8_parse(changed)
    numbers = {
        "picture_id": picture_id & (0x7FFF if before["wide_picture_id"] else 0x7F) if before["has_picture_id"] else 0,
        "tl0picidx": tl0picidx if before["has_tl0picidx"] else 0,
        "keyidx": keyidx if before["has_keyidx"] else 0,
    }
    assert after == before | numbers
    assert probe.vp8_rewrite(changed, probe.vp8_ids(payload)) == payload


def test_facts() -> None:
    keyframe = probe.vp8_facts(hexed("90 e0 8123 05 a0 d002009d012a80026801"))
    assert keyframe == keyframe | {"keyframe": 1, "begins_frame": 1, "ends_frame": 0, "switch_in": 1, "switch_up": 1}
    assert keyframe == keyframe | {
        "picture_bits": 15,
        "picture_id": 0x123,
        "temporal_id": 2,
        "width": 640,
        "height": 360,
    }
    assert keyframe["predicted"] == 0
    # The third temporal layer with its Y bit, a frame that nobody refers to, its last packet.
    last = probe.vp8_facts(hexed("a0 20 a0") + FRAME, marker=True)
    assert last == last | {"begins_frame": 0, "ends_frame": 1, "ends_picture": 1, "discardable": 1, "switch_in": 1}
    assert last == last | {"picture_bits": 0, "temporal_id": 2, "keyframe": 0, "switch_up": 0}
    # Without the Y bit the layer cannot be entered; the lowest is not entered but by a keyframe.
    assert probe.vp8_facts(hexed("90 20 80") + FRAME)["switch_in"] == 0
    assert probe.vp8_facts(hexed("90 20 20") + FRAME)["switch_in"] == 0
    assert probe.vp8_facts(b"\x10" + FRAME)["predicted"] == 1
