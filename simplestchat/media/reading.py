"""What a worker tells of itself, all of one moment."""

from __future__ import annotations

import msgspec

from simplestchat.model.spans import Spans

from .footprint import Footprint

_US_PER_S = 1_000_000


class Reading(msgspec.Struct, frozen=True):
    """The answer to ``wire.Stats``."""

    counters: dict[str, int]
    """What the engine counts since its start, and a census of what is open, by its own names."""
    forwarding: tuple[list[int], list[int], int]
    """From a media packet's arrival until its last copy was sent: bounds, counts and sum, in microseconds."""
    footprint: Footprint
    ciphers: dict[str, str]
    """The library that encrypts media, by SRTP suite."""

    @property
    def forwarding_spans(self) -> Spans:
        """``forwarding`` in seconds."""
        bounds_us, counts, sum_us = self.forwarding
        return Spans([bound / _US_PER_S for bound in bounds_us], counts, sum_us / _US_PER_S)
