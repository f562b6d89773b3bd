"""Generators as processes of this machine."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import trio

from simplestchat.load.cores import Pinning
from simplestchat.load.crew import Member
from simplestchat.load.process import Child, python

GENERATOR = tuple(python("-m", "simplestchat.load.generator"))
STOP_S = 5.0  # one that has finished has nothing left to do
OBITUARY_S = 2.0


class LocalStaff:
    """One generator process for each share of the pinning; ``words`` is another command that generates."""

    def __init__(self, pinning: Pinning, words: Sequence[str] = ()) -> None:
        self._cores = pinning.generators
        self._words = words or GENERATOR
        self._children: list[Child] = []

    async def hire(self, nursery: trio.Nursery) -> list[Member]:
        """Start them all."""
        members = []
        for part, own in enumerate(self._cores):
            child = Child(f"generator {part}", self._words, own, linked=True)
            self._children.append(child)
            nursery.start_soon(child.read_lines)
            assert child.link is not None
            members.append(Member(part=part, link=child.link, cores=own, obituary=partial(obituary, child)))
        return members

    async def dismiss(self) -> None:
        """End those that still run."""
        async with trio.open_nursery() as nursery:
            for child in self._children:
                nursery.start_soon(child.stop, STOP_S)


async def obituary(child: Child) -> str:
    """How a process ended, in words; empty while it runs on with its link closed."""
    with trio.move_on_after(OBITUARY_S):
        status = await child.wait()
        how = f"ended by signal {-status}" if status < 0 else f"ended with status {status}"
        words = child.last_words(3)
        return f"{how}: {words}" if words else how
    return ""
