"""Which spatial layers of a producer are received by anyone: what all workers want, together.

Rules:

- A worker wants all layers of a producer that it has, its own or a piped one, until it says otherwise.
- The publisher's worker is told what the others want together whenever that changes.
- What is wanted of the publisher is what any worker wants.
"""

from __future__ import annotations

from collections.abc import Hashable

from simplestchat.model.media import ProducerSpec


class Wishes:
    """Those about one producer; a mask has bit i for spatial layer i."""

    __slots__ = ("_all", "_here", "_there", "_told", "_told_here")

    def __init__(self, spec: ProducerSpec) -> None:
        self._all = (1 << spec.spatial_layers) - 1
        self._here = self._all
        self._there: dict[Hashable, int] = {}
        self._told = self._all
        self._told_here = 0

    def here(self, mask: int) -> None:
        """The publisher's worker wants these."""
        self._here = mask & self._all

    def there(self, worker: Hashable, mask: int) -> None:
        """Another worker, to which it is piped, wants these."""
        if worker in self._there:
            self._there[worker] = mask & self._all

    def piped(self, worker: Hashable) -> None:
        """It is piped to another worker from now on."""
        self._there[worker] = self._all

    def ended(self, worker: Hashable) -> None:
        """It is not piped there any more."""
        self._there.pop(worker, None)

    def news_here(self) -> int | None:
        """What the publisher's worker has yet to hear of the others, if anything."""
        others = self._others()
        if others == self._told_here:
            return None
        self._told_here = others
        return others

    def news(self) -> int | None:
        """What is wanted altogether, if that is new."""
        wanted = self._here | self._others()
        if wanted == self._told:
            return None
        self._told = wanted
        return wanted

    def _others(self) -> int:
        wanted = 0
        for mask in self._there.values():
            wanted |= mask
        return wanted
