"""Which video codecs a room prefers: the server's order, restricted to what everybody in it can receive.

Rules:

- A member counts once it has said what it can receive, with its first word on that; who has not restricts nobody, and
  neither does who can receive no video at all.
- The room's codecs are those that everybody who counts can receive, in the server's order.
- Where there is no such codec, they are those that the fewest lack, so there is always one.
- Whoever goes counts for a while longer, and who comes meanwhile with the same codecs takes that place: everybody
  publishes anew when the order changes, which nobody is to bring about by coming and going.
- The last to leave leaves nothing behind.
- Coming and going costs the same in a room of two and of two thousand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, TypeAlias

from simplestchat.ortc import ROUTER_CAPABILITIES
from simplestchat.ortc.matching import find_codec, is_rtx, kind_of, name_of
from simplestchat.ortc.parameters import CodecCapability, RtpCapabilities

Codecs: TypeAlias = frozenset[str]

#: Of each video codec the form that publishers are to send: of two of one name the first.
_FORMS: Final[dict[str, CodecCapability]] = {
    name_of(one): one
    for one in reversed(ROUTER_CAPABILITIES.codecs or ())
    if kind_of(one) == "video" and not is_rtx(one)
}


def receivable(capabilities: RtpCapabilities) -> Codecs:
    """The names of the video codecs that an endpoint can receive."""
    known = capabilities.codecs or ()
    return frozenset(name for name, form in _FORMS.items() if find_codec(known, form) is not None)


class CodecOrder:
    """The preference of one room."""

    __slots__ = ("_free", "_lacking", "_until", "order")

    def __init__(self, preferred: Sequence[str]) -> None:
        self._lacking = dict.fromkeys(preferred, 0)
        self._free: Counter[Codecs] = Counter()
        """How many who are gone still count, by what they could receive; there are few such sets, however many come."""
        self._until: dict[Codecs, float] = {}
        """When those are forgotten."""
        self.order: tuple[str, ...] = tuple(preferred)

    def came(self, codecs: Codecs) -> bool:
        """Somebody can receive these and no others; whether the order changed."""
        known = codecs.intersection(self._lacking)
        if self._free[known] > 0:
            self._free[known] -= 1
            return False
        self._count(known, 1)
        return self._reorder()

    def went(self, codecs: Codecs, until: float) -> None:
        """Somebody who could receive these is gone, and counts until then."""
        known = codecs.intersection(self._lacking)
        self._free[known] += 1
        self._until[known] = until

    def next(self) -> float | None:
        """When to call ``release``."""
        return min(self._until.values(), default=None)

    def release(self, now: float) -> bool:
        """Forget those whose time is over; whether the order changed."""
        for known in [known for known, until in self._until.items() if until <= now]:
            del self._until[known]
            self._count(known, -self._free.pop(known, 0))
        return self._reorder()

    def forget(self) -> None:
        """Nobody is there any more."""
        self._free.clear()
        self._until.clear()
        self._lacking = dict.fromkeys(self._lacking, 0)
        self._reorder()

    def _count(self, known: Codecs, step: int) -> None:
        for name in self._lacking:
            if name not in known:
                self._lacking[name] += step

    def _reorder(self) -> bool:
        fewest = min(self._lacking.values(), default=0)
        before, self.order = self.order, tuple(name for name, count in self._lacking.items() if count == fewest)
        return self.order != before
