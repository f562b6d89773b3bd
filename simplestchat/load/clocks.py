"""What another machine's clock reads more than ours, over a run: compared again and again, for clocks drift apart.

Rules:
 - A comparison asks for the time in a row. The shortest trip waited least, and half of it is the error at most.
 - One that waited much longer than others is passed over, unless there was none better for a while.
 - Between two comparisons the offset goes straight; after the last one it goes on as it went lately, and never beyond
   what the last one allows.
 - A step that no drift explains is a jump: a machine stood still, or was moved. Times on both sides of it mean nothing.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Final, NamedTuple

EVERY_S: Final = 10.0
ASKED: Final = 8
"""Times in one comparison."""
#: A clock that is disciplined may be slewed by so much; crystals differ by less.
MAX_DRIFT_PPM: Final = 500
PATIENCE_US: Final = 60_000_000
GOOD_ERROR_US: Final = 1000
_KEPT: Final = 1024
_LATELY: Final = 12
_MILLION: Final = 1_000_000


class Reading(NamedTuple):
    """One comparison."""

    at_us: int
    """On our clock."""
    offset_us: float
    """What the other clock read more."""
    error_us: int


class Jump(NamedTuple):
    """A step that no drift explains."""

    at_us: int
    by_us: float


class Course:
    """The offset of one machine's clock over time."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.jump: Jump | None = None
        """The largest."""
        self.error_us = 0
        """Of the comparison that was worst."""
        self.comparisons = 0
        self._round: Reading | None = None
        self._least_us = 0
        self._settled = 0

    def answered(self, asked_us: int, answered_us: int, now_us: int) -> None:
        """One question of the comparison under way: when it was asked, what the answer reads, and when that came."""
        trip_us = now_us - asked_us
        if trip_us >= 0 and (self._round is None or (trip_us + 1) // 2 < self._round.error_us):
            middle_us = asked_us + trip_us // 2
            self._round = Reading(middle_us, answered_us - middle_us, (trip_us + 1) // 2)

    @property
    def known_to_us(self) -> float:
        """What the comparison under way is good for so far."""
        return self._round.error_us if self._round else math.inf

    def compared(self) -> bool:
        """The comparison is over; whether it told anything."""
        found, self._round = self._round, None
        if found is None or not self._usable(found):
            return False
        if self.readings:
            self._look_for_jump(self.readings[-1], found)
        self._least_us = min(self._least_us or found.error_us, found.error_us)
        self.error_us = max(self.error_us, found.error_us)
        self.comparisons += 1
        self.readings.append(found)
        if len(self.readings) > _KEPT:
            half = len(self.readings) // 2
            self.readings[1:half] = self.readings[1:half:2]
            self._settled = 0 if not self._settled else min(self._settled, len(self.readings) - 1)
        return True

    def _usable(self, found: Reading) -> bool:
        if not self.readings or found.error_us <= max(2 * self._least_us, GOOD_ERROR_US):
            return True
        return found.at_us - self.readings[-1].at_us >= PATIENCE_US

    def _look_for_jump(self, before: Reading, found: Reading) -> None:
        by_us = found.offset_us - before.offset_us
        drift_us = (found.at_us - before.at_us) * MAX_DRIFT_PPM / _MILLION
        if abs(by_us) > drift_us + before.error_us + found.error_us:
            self._settled = len(self.readings)  # what was before says nothing of how it goes on
            if self.jump is None or abs(by_us) > abs(self.jump.by_us):
                self.jump = Jump(found.at_us, by_us)

    def offset_at(self, at_us: int) -> int:
        """What the other clock reads more than ours, at a moment of ours."""
        if not self.readings:
            return 0
        place = bisect_right(self.readings, at_us, key=lambda one: one.at_us)
        if place == 0:
            return round(self.readings[0].offset_us)
        before = self.readings[place - 1]
        if place < len(self.readings):
            after = self.readings[place]
            share = (at_us - before.at_us) / (after.at_us - before.at_us)
            return round(before.offset_us + (after.offset_us - before.offset_us) * share)
        room_us = before.error_us + (at_us - before.at_us) * MAX_DRIFT_PPM / _MILLION
        return round(min(max(self._line_at(at_us), before.offset_us - room_us), before.offset_us + room_us))

    def ours(self, theirs_us: int) -> int:
        """A moment of the other clock on ours."""
        last_us = self.readings[-1].offset_us if self.readings else 0
        return theirs_us - self.offset_at(round(theirs_us - last_us))

    @property
    def drift_ppm(self) -> float:
        """From the first comparison to the last."""
        if len(self.readings) < 2:
            return 0.0
        first, last = self.readings[0], self.readings[-1]
        return (last.offset_us - first.offset_us) * _MILLION / max(1, last.at_us - first.at_us)

    def _line_at(self, at_us: int) -> float:
        """The straight line through the latest comparisons, where it is at a moment; the surer ones count more."""
        lately = self.readings[max(self._settled, len(self.readings) - _LATELY) :]
        weights = [1 / max(1, one.error_us) ** 2 for one in lately]
        whole = sum(weights)
        middle = sum(weight * (one.at_us - at_us) for weight, one in zip(weights, lately, strict=True)) / whole
        offset = sum(weight * one.offset_us for weight, one in zip(weights, lately, strict=True)) / whole
        spread = bent = 0.0
        for weight, one in zip(weights, lately, strict=True):
            distance = one.at_us - at_us - middle
            spread += weight * distance * distance
            bent += weight * distance * (one.offset_us - offset)
        return offset - middle * bent / spread if spread else offset
