"""What is sampled every second, in bounded memory: as a run grows, neighbouring seconds become one.

Rules:
 - An entry stands for a cell of the run's time, a second wide at first and twice as wide whenever there would be more
   than ``MAX_CELLS``: the cells of ``Timeline``, so that a curve loses nothing that it would show.
 - Entries are merged by their ``fold``, which keeps every total and every span. None is merged across a mark: a moment
   at which figures are read off stays between the two looks that were next to it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, ItemsView, Iterator, Mapping, Sequence
from typing import Final, Generic, Protocol, TypeVar

import msgspec

from simplestchat.load.histogram import Histogram, HistogramData
from simplestchat.load.messages import Sample
from simplestchat.load.record import ServerSample

SECOND_US: Final = 1_000_000
#: Half an hour of seconds and more; two hours have a value every four.
MAX_CELLS: Final = 2000
#: What cannot be folded is kept, but not without end.
MAX_KEPT: Final = 2 * MAX_CELLS
#: A gauge and a figure of which the peak is asked.
_PEAK_GAUGE: Final = "users"
_PEAK_FIGURE: Final = "rss_bytes"


class _Timed(Protocol):
    @property
    def at_us(self) -> int: ...


Entry = TypeVar("Entry", bound=_Timed)


def width_of(span_us: int) -> int:
    """How wide a cell is, in microseconds, so that there are not too many in a span."""
    width_us = SECOND_US
    while -(-span_us // width_us) > MAX_CELLS:
        width_us *= 2
    return width_us


class Logbook(Generic[Entry]):
    """Entries by rising time. ``fold`` makes one of two neighbours, or None where both must stay."""

    def __init__(self, fold: Callable[[Entry, Entry], Entry | None]) -> None:
        self.entries: list[Entry] = []
        self._fold = fold
        self._start_us = 0
        self._marks_us: tuple[int, ...] = ()
        self._width_us = SECOND_US

    def begin(self, start_us: int, marks_us: Sequence[int]) -> None:
        """The run's time begins, and these are moments at which figures will be read off."""
        self._start_us, self._marks_us = start_us, tuple(sorted(marks_us))

    def add(self, entry: Entry) -> None:
        """Put an entry at the end."""
        width_us = width_of(entry.at_us - self._start_us) if self._start_us else SECOND_US
        if width_us > self._width_us:
            self._width_us = width_us
            entries, self.entries = self.entries, []
            for one in entries:
                self._add(one)
        self._add(entry)

    def _add(self, entry: Entry) -> None:
        if self.entries and (self._foldable(entry) or len(self.entries) >= MAX_KEPT):
            merged = self._fold(self.entries[-1], entry)
            if merged is not None or len(self.entries) >= MAX_KEPT:
                self.entries[-1] = merged or entry
                return
        self.entries.append(entry)

    def _foldable(self, entry: Entry) -> bool:
        last = self.entries[-1]
        if self._cell(entry) > self._cell(last):
            return False
        before_us = self.entries[-2].at_us if len(self.entries) > 1 else self._start_us
        place = bisect_left(self._marks_us, before_us)
        marked = place < len(self._marks_us) and self._marks_us[place] <= entry.at_us
        return not marked or last.at_us >= entry.at_us

    def _cell(self, entry: Entry) -> int:
        """By the middle of the second that ends with it."""
        return max(-1, (entry.at_us - SECOND_US // 2 - self._start_us) // self._width_us)


class Packed(Mapping[int, int]):
    """The buckets of a histogram in a tenth of a dictionary's memory."""

    __slots__ = ("_pairs",)

    def __init__(self, buckets: Mapping[int, int]) -> None:
        pairs = [one for pair in sorted(buckets.items()) for one in pair]
        self._pairs = array("I" if max(pairs, default=0) < 2**32 else "Q", pairs)

    def __getitem__(self, bucket: int) -> int:
        for known, count in self.items():
            if known == bucket:
                return count
        raise KeyError(bucket)

    def __iter__(self) -> Iterator[int]:
        return iter(self._pairs[::2])

    def __len__(self) -> int:
        return len(self._pairs) // 2

    def items(self) -> ItemsView[int, int]:
        """As a dictionary's."""
        return _Pairs(self)

    def pairs(self) -> Iterator[tuple[int, int]]:
        """Buckets and their counts, by rising bucket."""
        numbers = iter(self._pairs)
        return zip(numbers, numbers, strict=True)


class _Pairs(ItemsView[int, int]):
    """Without looking each of them up."""

    def __init__(self, packed: Packed) -> None:
        super().__init__(packed)
        self._packed = packed

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return self._packed.pairs()


def packed(sample: Sample) -> Sample:
    """A sample as it is kept."""
    histograms = {name: _packed(data) for name, data in sample.histograms.items()}
    return msgspec.structs.replace(sample, histograms=histograms)


def fold_samples(before: Sample, after: Sample) -> Sample:
    """Two neighbours of one generator: totals and gauges are the later one's, histograms of both together. Of memory
    and users the peak is kept, by which memory for a user is reckoned.
    """
    histograms = dict(before.histograms)
    for name, data in after.histograms.items():
        if name in histograms:
            whole = Histogram()
            whole.merge(histograms[name])
            whole.merge(data)
            data = _packed(whole.data())
        histograms[name] = data
    gauges, generator = dict(after.gauges), dict(after.generator)
    if _PEAK_GAUGE in gauges:
        gauges[_PEAK_GAUGE] = max(gauges[_PEAK_GAUGE], before.gauges.get(_PEAK_GAUGE, 0))
    if _PEAK_FIGURE in generator:
        generator[_PEAK_FIGURE] = max(generator[_PEAK_FIGURE], before.generator.get(_PEAK_FIGURE, 0.0))
    at_us = max(before.at_us, after.at_us)
    return msgspec.structs.replace(after, at_us=at_us, gauges=gauges, generator=generator, histograms=histograms)


def fold_looks(before: ServerSample, after: ServerSample) -> ServerSample | None:
    """Two looks at the server: the later one, unless a process began anew between them and counts from zero."""
    known = {(one.name, one.pid): one.cpu_s for one in before.processes}
    same = all(known.get((one.name, one.pid), one.cpu_s + 1) <= one.cpu_s for one in after.processes)
    return after if same and len(known) == len(after.processes) else None


def _packed(data: HistogramData) -> HistogramData:
    return (*data[:4], data[4] if isinstance(data[4], Packed) else Packed(data[4]))
