"""What all rooms remember together, bounded: when it is too much, the largest logs are cut, to one size for all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

import structlog

LOOK_INTERVAL_S: Final = 5.0
"""Between two looks at how much it is: it takes a while to send much, and a look walks through all rooms."""

log = structlog.stdlib.get_logger("simplestchat.signaling")


class Log(Protocol):
    """Something that grows and can forget its oldest part."""

    @property
    def bytes(self) -> int:
        """How much it holds."""
        ...

    def cut(self, to: int) -> None:
        """Forget until it holds no more than this."""
        ...


class Owner(Protocol):
    """Something with logs, such as a room."""

    @property
    def remembered_bytes(self) -> int:
        """How much they hold."""
        ...

    def logs(self) -> list[Log]:
        """All of them."""
        ...


def bound(owners: Iterable[Owner], most: int) -> None:
    """Cut the logs to three quarters of ``most`` if they hold more than that together; small ones stay whole."""
    held = 0
    for owner in owners:
        held += owner.remembered_bytes
    if held <= most:
        return
    every = [one for owner in owners for one in owner.logs()]
    to = level(sorted(one.bytes for one in every), most * 3 // 4)
    for one in every:
        one.cut(to)
    log.warning("rooms remember too much", bytes=held, most=most, log_bytes=to)


def level(sizes: Sequence[int], most: int) -> int:
    """The size to which the larger ones must be cut, so that together they have no more than ``most``; ascending."""
    left = most
    for index, size in enumerate(sizes):
        share = left // (len(sizes) - index)
        if size > share:
            return share
        left -= size
    return max(sizes, default=0)
