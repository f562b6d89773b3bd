"""How long to wait before a process that has ended is started again."""

from __future__ import annotations

STABLE_S = 30.0  # one that lived this long starts the pauses anew
FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 5.0


class Pauses:
    """None after a long life, growing ones after short lives."""

    def __init__(self) -> None:
        self._last_s = 0.0

    def after(self, lived_s: float) -> float:
        """Return the seconds to wait after a life of so many."""
        self._last_s = 0.0 if lived_s >= STABLE_S else min(max(FIRST_PAUSE_S, self._last_s * 2), LONGEST_PAUSE_S)
        return self._last_s
