"""Who speaks: the loudest, without flicker. Levels are decibels under full scale, so smaller is louder."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

SPEECH_LEVEL: Final = 55  # quieter than -55 dBov is breath and fans, not speech
MARGIN_DB: Final = 6  # how much louder one must be to be heard over another
TAKEOVER_S: Final = 0.4  # for so long: reports come twice a second, so two in a row
SILENCE_S: Final = 3.0  # pauses in speech are shorter


class SpeakerDetector:
    """The active speaker of one room; time is an argument, in seconds."""

    __slots__ = ("_challenger", "_challenger_since", "_heard", "active")

    def __init__(self) -> None:
        self.active: str | None = None
        self._heard = 0.0
        self._challenger: str | None = None
        self._challenger_since = 0.0

    def hear(self, levels: Mapping[str, int], now: float) -> bool:
        """Take one report of peers' levels; whether the active speaker changed."""
        spoken = {peer: level for peer, level in levels.items() if level < SPEECH_LEVEL}
        if not spoken:
            return self.expire(now)
        loudest = min(spoken, key=lambda peer: spoken[peer])
        active_level = spoken.get(self.active or "")
        if active_level is not None:
            self._heard = now
            if loudest == self.active or active_level - spoken[loudest] < MARGIN_DB:
                self._challenger = None
                return False
        elif self.active is None:
            return self._switch(loudest, now)
        if self._challenger != loudest:
            self._challenger, self._challenger_since = loudest, now
            return False
        return self._switch(loudest, now) if now - self._challenger_since >= TAKEOVER_S else False

    def expire(self, now: float) -> bool:
        """Notice silence; whether the active speaker changed."""
        if self.active is None or now - self._heard < SILENCE_S:
            return False
        self.active = self._challenger = None
        return True

    def forget(self, peer: str) -> bool:
        """A peer is gone; whether it was the active speaker."""
        if self._challenger == peer:
            self._challenger = None
        if self.active != peer:
            return False
        self.active = None
        return True

    def silent_at(self) -> float | None:
        """When ``expire`` will have something to say, if nothing is heard until then."""
        return None if self.active is None else self._heard + SILENCE_S

    def _switch(self, peer: str, now: float) -> bool:
        self.active, self._heard, self._challenger = peer, now, None
        return True
