"""Histograms of spans in microseconds that add up, with buckets as ``_native/core/histogram.pxd`` cuts them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

HistogramData: TypeAlias = tuple[int, int, int, int, Mapping[int, int]]
"""(count, sum, minimum, maximum, {bucket: count}) in microseconds."""
EXACT = 64
SUB_BITS = 5
BUCKETS = 1024


def bucket_of(value: int) -> int:
    """The bucket of a value in microseconds."""
    if value < EXACT:
        return max(value, 0)
    shift = value.bit_length() - SUB_BITS - 1
    return min((shift << SUB_BITS) + (value >> shift), BUCKETS - 1)


def bounds_of(bucket: int) -> tuple[int, int]:
    """The least value of a bucket, and the least one of the next."""
    if bucket < EXACT:
        return bucket, bucket + 1
    shift = (bucket >> SUB_BITS) - 1
    low = (bucket - (shift << SUB_BITS)) << shift
    return low, low + (1 << shift)


def middle_of(bucket: int) -> float:
    """What its values are told as."""
    low, high = bounds_of(bucket)
    return (low + high - 1) / 2


@dataclass
class Histogram:
    """Counts by bucket, with the true extremes and sum."""

    count: int = 0
    sum: int = 0
    minimum: int = 0
    maximum: int = 0
    buckets: dict[int, int] = field(default_factory=dict)

    def add(self, value: int, times: int = 1) -> None:
        """Count one value in microseconds; a negative one counts as 0."""
        value = max(value, 0)
        self._extend(times, value * times, value, value)
        bucket = bucket_of(value)
        self.buckets[bucket] = self.buckets.get(bucket, 0) + times

    def merge(self, data: HistogramData) -> None:
        """Add what another histogram holds."""
        count, total, minimum, maximum, buckets = data
        if not count:
            return
        self._extend(count, total, minimum, maximum)
        for bucket, number in buckets.items():
            self.buckets[bucket] = self.buckets.get(bucket, 0) + number

    def percentile(self, share: float) -> float:
        """The value in microseconds under or at which ``share`` (0 to 1) of all lie; 0 when there are none."""
        if not self.count:
            return 0.0
        wanted = max(1, -(-int(share * self.count * 1_000_000) // 1_000_000))
        seen = 0
        for bucket in sorted(self.buckets):
            seen += self.buckets[bucket]
            if seen >= wanted:
                return float(min(max(middle_of(bucket), self.minimum), self.maximum))
        return float(self.maximum)

    @property
    def mean(self) -> float:
        """In microseconds; 0 when there are none."""
        return self.sum / self.count if self.count else 0.0

    def data(self) -> HistogramData:
        """For a message."""
        return self.count, self.sum, self.minimum, self.maximum, dict(self.buckets)

    def _extend(self, count: int, total: int, minimum: int, maximum: int) -> None:
        self.minimum = min(self.minimum, minimum) if self.count else minimum
        self.maximum = max(self.maximum, maximum)
        self.count += count
        self.sum += total
