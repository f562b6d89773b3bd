"""Which video codecs a room prefers: the server's order, restricted to what everybody in it can receive.

Rules:

- A member counts once it has said what it can receive, with its first word on that; who has not restricts nobody, and
  neither does who can receive no video at all.
- The room's codecs are those that everybody who counts can receive, in the server's order.
- Where there is no such codec, they are those that the fewest lack, so there is always one.
- Coming and going costs the same in a room of two and of two thousand.
"""

from __future__ import annotations

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

    __slots__ = ("_lacking", "order")

    def __init__(self, preferred: Sequence[str]) -> None:
        self._lacking = dict.fromkeys(preferred, 0)
        self.order: tuple[str, ...] = tuple(preferred)

    def came(self, codecs: Codecs) -> bool:
        """Somebody can receive these and no others; whether the order changed."""
        return self._count(codecs, 1)

    def went(self, codecs: Codecs) -> bool:
        """Somebody who could receive these is gone; whether the order changed."""
        return self._count(codecs, -1)

    def _count(self, codecs: Codecs, step: int) -> bool:
        for name in self._lacking:
            if name not in codecs:
                self._lacking[name] += step
        fewest = min(self._lacking.values(), default=0)
        before, self.order = self.order, tuple(name for name, count in self._lacking.items() if count == fewest)
        return self.order != before
