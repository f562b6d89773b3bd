"""Frames whose packets arrive together leave with equal packets, and what is lost of them comes again as it was."""

from __future__ import annotations

import pytest
from support.netem import Link
from support.swarm_call import SwarmCall

from simplestchat._native.peer.swarm import EVENT_FIRST_FRAME

GATHER_US = 8_000
LOSSY = Link(delay_us=10_000, loss=0.05)


@pytest.mark.parametrize("rtx", [True, False], ids=["rtx", "resealed"])
@pytest.mark.parametrize("link", [Link(delay_us=10_000), LOSSY], ids=["clean", "lossy"])
def test_padding_changes_nothing_for_who_watches(rtx: bool, link: Link) -> None:
    call = SwarmCall(77)
    publisher, viewer = call.join(), call.join(down=link)
    call.run(3)
    call.sim.gather_us = GATHER_US
    camera = call.publish(publisher, "vp8", max_payload=1000)
    receiver = call.subscribe(viewer, camera, rtx=rtx)
    call.run(8)
    call.do("mute", camera, True)
    call.run(1)
    got, stats = call.receiver(receiver), call.sim.shard.stats()
    assert call.of(EVENT_FIRST_FRAME, receiver)
    assert got["delivered"] > 400
    assert got["lost"] == got["corrupt"] == got["misdelivered"] == got["duplicate"] == 0
    assert 0 < stats["padding_out"] < stats["forwarded"] * 1000 / 32
    assert stats["dropped_seal"] == 0
    if link is LOSSY:
        assert stats["resent"] > 10
        assert (call.sim.seals.resealed > 10) == (not rtx)
