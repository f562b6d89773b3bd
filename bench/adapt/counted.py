"""A call of which callgrind counts what the engine does: ``python -m adapt.counted MARKS`` under valgrind."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any, cast

from adapt.call import Call
from adapt.network import thin
from adapt.room import LADDER, OTHER_VIEW, SPEAKER_VIEW

PEOPLE = 10
CAPACITY_BPS = 4e6
WARM_S, COUNTED_S = 8, 2
GATHER_US = 1000  # a worker with something to do finds several packets at a time


class Counted:
    """A shard whose turns are counted."""

    def __init__(self, shard: Any, toggle: Callable[[], None]) -> None:
        self._shard = shard
        self._toggle = toggle

    def __getattr__(self, name: str) -> Any:
        return getattr(self._shard, name)

    def feed(self, batch: list[Any], now: int) -> None:
        """Count what datagrams lead to."""
        self._toggle()
        self._shard.feed(batch, now)
        self._toggle()

    def tick(self, now: int) -> None:
        """Count what time leads to."""
        self._toggle()
        self._shard.tick(now)
        self._toggle()


def conference() -> Call:
    """Everybody sends three encodings and a voice and sees all others, one of them large."""
    call = Call(17)
    people = [call.publisher() for _ in range(PEOPLE)]
    viewers = [call.viewer(thin(CAPACITY_BPS)) for _ in range(PEOPLE)]
    call.run(2)
    call.sim.gather_us = GATHER_US
    call.follow_wishes()
    videos = [call.camera(person, LADDER) for person in people]
    voices = [call.publish(person) for person in people]
    for at, viewer in enumerate(viewers):
        for of in range(PEOPLE):
            if of != at:
                shown = call.watch(viewer, videos[of])
                call.watch(viewer, voices[of])
                call.sim.control("set_view", shown, *(SPEAKER_VIEW if of == (at + 1) % PEOPLE else OTHER_VIEW))
    return call


def main() -> int:
    """Run."""
    marks = ctypes.CDLL(sys.argv[1])
    call = conference()
    call.run(WARM_S)
    call.sim.shard = cast("Any", Counted(call.sim.shard, marks.mark_toggle))
    marks.mark_begin()
    call.run(COUNTED_S)
    marks.mark_end(b"conference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
