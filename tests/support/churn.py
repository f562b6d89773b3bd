"""People who join and leave in virtual time. As a program: how much the native heap has grown by that, in bytes."""

from __future__ import annotations

import gc
import sys

from support.simulation import SealCheck
from support.swarm_call import SwarmCall

from simplestchat.media.footprint import Meter

VIDEO_MAP, AUDIO_MAP = (96, 120, 121), (111, 100, -1)
CENSUS = (
    "transports",
    "producers",
    "consumers",
    "tuples",
    "credentials",
    "srtp_contexts",
    "dtls_associations",
    "dtls_handshakes",
    "sources",
    "sent_ssrcs",
    "cache_bytes",
    "sent_bytes",
    "adaptation_bytes",
    "handshakes_waiting",
    "handshakes_waiting_bytes",
)


def stay(call: SwarmCall, number: int) -> None:
    """A publisher and a viewer join and leave after some media, the viewer without goodbye every third time."""
    publisher, viewer = call.join(), call.join()
    call.run(0.05)
    camera, voice = call.publish(publisher, "vp8"), call.publish(publisher)
    for source, kind in ((camera, VIDEO_MAP), (voice, AUDIO_MAP)):
        consumer = call.sim.new_id()
        ssrcs = (call.sim.rng.randrange(1, 1 << 32) for _ in range(2))
        call.sim.control("create_consumer", consumer, viewer, source, *ssrcs, [kind], {}, "", False)
    call.run(0.25)
    if number % 3:
        call.leave(viewer)
    else:
        call.do("silence", viewer)
    call.leave(publisher)
    call.run(0.02)
    for transport in (publisher, viewer):
        call.sim.control("close_transport", transport)
    if number % 3 == 0:
        call.leave(viewer)
    call.run(0.02)
    call.events.clear()
    call.sent.clear()
    call.sim.events.all.clear()
    call.sim.sockets.clear()
    call.sim.seals = SealCheck()
    call.sim.oversize.clear()


def heap_used() -> int:
    gc.collect()
    return Meter().take().heap_used_bytes


def main(stays: int) -> None:
    call = SwarmCall(306)
    for number in range(100):
        stay(call, number)
    before = heap_used()
    for number in range(stays):
        stay(call, number)
    print(heap_used() - before)


if __name__ == "__main__":
    main(int(sys.argv[1]))
