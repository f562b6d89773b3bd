"""What a user's page looks like: how large each video stands on its screen, told to the server.

Rules:
 - ``gallery``: all videos share a screen of 1280 by 720 pixels in a grid. ``speaker``: the first one wanted has all of
   it, the others have tiles of 320 by 180.
 - The server is told of all tiles at once, ``SOON_S`` after the last change of them. One that does not know the request
   is not asked again.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from simplestchat.load.client import Pending
from simplestchat.ortc.parameters import Wire

if TYPE_CHECKING:
    from simplestchat.load.scenario import Layout
    from simplestchat.load.stay import Stay

METHOD: Final = "consumer.setViews"
SCREEN: Final = (1280, 720)
TILE: Final = (320, 180)
SOON_S: Final = 0.2
NOT_KNOWN: Final = "method_not_found"


class View(Wire, frozen=True, kw_only=True):
    """One video on the screen, in device pixels; 0, 0: out of view."""

    consumer_id: str
    width: int
    height: int


class Views(Wire, frozen=True, kw_only=True):
    """All of them."""

    views: list[View]


def tiles(layout: Layout, count: int) -> list[tuple[int, int]]:
    """The sizes of so many videos, in the order in which they were wanted."""
    if layout == "speaker":
        return [SCREEN, *[TILE] * (count - 1)][:count]
    columns = math.ceil(math.sqrt(count)) or 1
    return [(SCREEN[0] // columns, SCREEN[1] // columns)] * count


class Screen:
    """One stay's."""

    __slots__ = ("_due", "_known", "_shown", "_stay")

    def __init__(self, stay: Stay) -> None:
        self._stay = stay
        self._due = False
        self._known = True
        self._shown: list[str] = []

    def show(self, consumers: Sequence[str]) -> None:
        """These videos are on it, by their consumers."""
        layout = self._stay.world.scenario.subscribe.layout
        if layout and self._known and list(consumers) != self._shown:
            self._shown = list(consumers)
            if not self._due:
                self._due = True
                self._stay.world.agenda.after(SOON_S, self._tell)

    def _tell(self) -> None:
        self._due = False
        stay = self._stay
        if stay.gone or stay.world.silent or not self._shown or not stay.client.is_open:
            return
        sizes = tiles(stay.world.scenario.subscribe.layout, len(self._shown))
        views = [
            View(consumer_id=one, width=width, height=height)
            for one, (width, height) in zip(self._shown, sizes, strict=True)
        ]
        stay.client.send(METHOD, Views(views=views), callback=self._told)

    def _told(self, pending: Pending) -> None:
        if pending.failure is not None and pending.failure.reason == NOT_KNOWN:
            self._known = False
        elif pending.failure is not None:
            self._stay.refused(pending.failure, race="not_found")
