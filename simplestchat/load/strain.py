"""How far one generator fell behind, found out while its samples arrive: they may be folded afterwards.

Rules:
 - Lag and wakes count from the first join to the end of media, over the whole run and over every 10 s of it: a stall of
   seconds is nothing among the hundredths of two hours.
 - A window is judged by its slowest tenth, which a stall of more than a second fills. Its slowest hundredth would be
   any hiccup of 100 ms.
 - A window that holds too little, or that the run is too short for, is not judged: the whole run is, by its hundredth.
 - Processor time counts in the hold, over every 5 s of it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from typing import Final, Self

from simplestchat.load.histogram import Histogram, HistogramData, middle_of
from simplestchat.load.messages import Sample

SECOND_US: Final = 1_000_000
WINDOW_US: Final = 10 * SECOND_US
WINDOW_SHARE: Final = 0.9
#: Of fewer the slowest tenth is the word of a handful.
LEAST_SPANS: Final = 100
CPU_WINDOW_US: Final = 5 * SECOND_US
#: Histograms of samples that are looked at, and how often each measures by itself (0: with every packet). A loop that
#: stands still measures nothing meanwhile: what it left out is put in.
SPANS: Final = {"lag": 0, "wake": 0, "loop_lag": 20_000}
#: Counts of samples that only grow.
COUNTS: Final = ("receive_drops", "send_failures", "events_lost")
_MEDIA_PHASES: Final = ("ramp", "hold")


class Windows:
    """One histogram over the run, and its worst 10 s."""

    def __init__(self, probe_us: int = 0) -> None:
        self.whole = Histogram()
        self.late_us = 0.0
        """In the worst window nine of ten were no later."""
        self.until_us = 0
        """When the worst window ended."""
        self._probe_us = probe_us
        self._recent: deque[tuple[int, HistogramData]] = deque()
        self._since_us = 0

    def take(self, at_us: int, data: HistogramData) -> None:
        """One more second."""
        self.whole.merge(data)
        if self._probe_us and data[3] >= 2 * self._probe_us:
            data = with_omitted(data, self._probe_us)
        self._since_us = self._since_us or at_us - SECOND_US
        self._recent.append((at_us, data))
        while self._recent[0][0] <= at_us - WINDOW_US:
            self._recent.popleft()
        if at_us - self._since_us < WINDOW_US or max(one[3] for _, one in self._recent) <= self.late_us:
            return
        window = Histogram()
        for _, one in self._recent:
            window.merge(one)
        late_us = window.percentile(WINDOW_SHARE)
        if window.count >= LEAST_SPANS and late_us > self.late_us:
            self.late_us, self.until_us = late_us, at_us


class Busy:
    """The most of a core that was used over any 5 s, or over all when that is less; 0 for under 1 s."""

    def __init__(self) -> None:
        self._most: float | None = None
        self._first: tuple[int, float] | None = None
        self._points: deque[tuple[int, float]] = deque()

    def take(self, at_us: int, used_s: float) -> None:
        """So much processor time had been used by then."""
        points = self._points
        points.append((at_us, used_s))
        self._first = self._first or points[0]
        while len(points) > 1 and at_us - points[1][0] >= CPU_WINDOW_US:
            points.popleft()
        if at_us - points[0][0] >= CPU_WINDOW_US:
            self._most = max(self._most or 0.0, _share(points[0], points[-1]))

    @property
    def most(self) -> float:
        """As a share of the core."""
        if self._most is not None:
            return self._most
        if self._first is None or self._points[-1][0] - self._first[0] < SECOND_US:
            return 0.0
        return _share(self._first, self._points[-1])


class Strain:
    """What one generator's samples say of the generator."""

    def __init__(self) -> None:
        self.spans = {name: Windows(probe_us) for name, probe_us in SPANS.items()}
        self.counts: Counter[str] = Counter()
        """Of what it did wrong, at most."""
        self.silence_us = 0
        """The longest time between two samples."""
        self.silent_until_us = 0
        self.last_us = 0
        """When the last sample came; 0: there was none."""
        self._busy = Busy()

    @classmethod
    def of(cls, samples: Iterable[Sample]) -> Self:
        """Of all samples at once."""
        strain = cls()
        for sample in samples:
            strain.take(sample)
        return strain

    def take(self, sample: Sample) -> None:
        """One more sample."""
        if self.last_us and sample.at_us - self.last_us > self.silence_us:
            self.silence_us, self.silent_until_us = sample.at_us - self.last_us, sample.at_us
        self.last_us = max(self.last_us, sample.at_us)
        for name in COUNTS:
            self.counts[name] = max(self.counts[name], int(sample.generator.get(name, 0)))
        if sample.phase in _MEDIA_PHASES:
            for name, windows in self.spans.items():
                if data := sample.histograms.get(name):
                    windows.take(sample.at_us, data)
        if sample.phase == "hold":
            self._busy.take(sample.at_us, sample.generator.get("loop_cpu_s", 0.0))

    @property
    def cpu(self) -> float:
        """The most of a core that the media thread used over 5 s of the hold."""
        return self._busy.most


def with_omitted(data: HistogramData, probe_us: int) -> HistogramData:
    """A histogram with what a loop that stood still would have measured meanwhile (Tene's correction)."""
    whole = Histogram()
    whole.merge(data)
    for bucket, count in data[4].items():
        missed = int(middle_of(bucket)) - probe_us
        while missed >= probe_us:
            whole.add(missed, count)
            missed -= probe_us
    return whole.data()


def _share(first: tuple[int, float], last: tuple[int, float]) -> float:
    return (last[1] - first[1]) * SECOND_US / (last[0] - first[0])
