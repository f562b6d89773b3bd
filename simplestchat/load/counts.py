"""What a generator counts beside media: totals that only grow, histograms of the current second, faults by word."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import Counter, defaultdict

from simplestchat.load.histogram import Histogram, HistogramData

TOTALS = (
    "joins_tried", "joins", "join_failures", "requests", "request_errors", "races", "reconnects", "connections_lost",
    "transports", "transports_connected", "transports_failed", "chat_sent", "chat_acked", "chat_received", "chat_lost",
    "chat_duplicate", "chat_disorder", "silent_streams", "refusals", "notices",
    "pages_turned", "audio_only", "ice_restarts",
)  # fmt: skip
HISTOGRAMS = ("signaling", "join", "ready", "reconnect", "loop_lag", "chat", "link_queue")
_WORDS_KEPT = 500  # a word may end with one of the server's own
_SHOWN_FAULTS = 20  # of a word, with their details, on standard error
_KEPT_FAULTS = 5  # of a word, with their details, for the report
_KEPT_WORDS = 50
_LONGEST_DETAIL = 200


def now_us() -> int:
    """CLOCK_MONOTONIC in microseconds: the clock of stamps, schedules and samples."""
    return time.monotonic_ns() // 1000


class Tally:
    """One generator's counts."""

    def __init__(self) -> None:
        self.totals: dict[str, int] = dict.fromkeys(TOTALS, 0)
        self.faults: Counter[str] = Counter()
        self.by_user: defaultdict[int, set[str]] = defaultdict(set)
        self.details: dict[str, list[str]] = {}
        """The first ones of a word, told."""
        self._histograms = {name: Histogram() for name in HISTOGRAMS}

    def add(self, name: str, number: int = 1) -> None:
        """Let a total grow."""
        self.totals[name] += number

    def span(self, name: str, value_us: int) -> None:
        """Count a span in a histogram."""
        self._histograms[name].add(value_us)

    def fault(self, word: str, user: int | None = None, detail: str = "", number: int = 1) -> None:
        """Count something that went wrong; the first ones of a word are told on standard error."""
        if word not in self.faults and len(self.faults) >= _WORDS_KEPT:
            word = "other"
        self.faults[word] += number
        if user is not None:
            self.by_user[user].add(word)
        who = "" if user is None else f" (user {user})"
        told = f"{word}{who}: {detail}" if detail else f"{word}{who}"
        if self.faults[word] <= _SHOWN_FAULTS:
            with contextlib.suppress(OSError):  # nobody reads it
                print(told, file=sys.stderr)
        if word in self.details or len(self.details) < _KEPT_WORDS:
            kept = self.details.setdefault(word, [])
            if len(kept) < _KEPT_FAULTS:
                kept.append(told[:_LONGEST_DETAIL])

    def take_histograms(self) -> dict[str, HistogramData]:
        """Return what was counted since the last time."""
        taken = {name: one.data() for name, one in self._histograms.items() if one.count}
        for name in taken:
            self._histograms[name] = Histogram()
        return taken
