"""When a run proves nothing: the generator itself fell behind, so that what looks like the server's figure is its own.

Each generator is held to the limits by itself: a late one is not excused by others that were punctual. Lag and wakes
count from the first join to the end of media; processor time counts in the hold, over every 5 s of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from simplestchat.load import words
from simplestchat.load.histogram import Histogram
from simplestchat.load.messages import Sample
from simplestchat.load.record import GeneratorRecord
from simplestchat.load.scenario import GeneratorLimits

CPU_WINDOW_US = 5_000_000
MAX_SILENCE_US = 5_000_000  # samples come every second
_SECOND_US = 1_000_000
_MEDIA_PHASES = ("ramp", "hold")
#: Histogram of a sample, limit, and what it means when it is past that.
_SPANS = (
    ("lag", "lag_p99_ms", "sent media late"),
    ("wake", "wake_p99_ms", "read late what had arrived"),
    ("loop_lag", "signaling_lag_p99_ms", "ran its timers late"),
)
#: Counts of a sample that may not grow at all, and what it means when they do.
_OWN_FAULTS = (
    ("send_failures", "could not send {} datagrams that its kernel would not take"),
    ("events_lost", "lost {} events of its media thread, which it read too late"),
)


def void_reasons(limits: GeneratorLimits, generators: Iterable[GeneratorRecord]) -> Iterator[str]:
    """Every reason, in words, why these generators' figures prove nothing."""
    for generator in generators:
        name = f"generator {generator.part}" + (f" of agent {generator.agent}" if generator.agent else "")
        for reason in _reasons(limits, generator.samples):
            yield f"{name} {reason}"
        if generator.finished and (errors := words.number(generator.finished.faults, "void")):
            yield f"{name} did {errors} times what it should not: its standard error tells"


def _reasons(limits: GeneratorLimits, samples: Sequence[Sample]) -> Iterator[str]:
    if not samples:
        yield "never said how it was doing"
        return
    media = [sample for sample in samples if sample.phase in _MEDIA_PHASES]
    for histogram, limit, what in _SPANS:
        allowed = float(getattr(limits, limit))
        spans = merged(media, histogram)
        late = spans.percentile(0.99) / 1000
        if late > allowed:
            yield f"{what}: 99 % within {late:.1f} ms, allowed {allowed:g} ms ({limit})"
    cpu = busiest(sample for sample in samples if sample.phase == "hold")
    if cpu > limits.cpu:
        yield f"used {cpu:.0%} of a core over {CPU_WINDOW_US // _SECOND_US} s, allowed {limits.cpu:.0%} (cpu)"
    drops = int(max(sample.generator.get("receive_drops", 0) for sample in samples))
    if drops > limits.socket_drops:
        yield f"lost {drops} datagrams to full sockets of its own, allowed {limits.socket_drops} (socket_drops)"
    for figure, what in _OWN_FAULTS:
        count = int(max(sample.generator.get(figure, 0) for sample in samples))
        if count:
            yield f"{what.format(count)}, allowed none ({figure})"
    silence = max((after.at_us - before.at_us for before, after in pairwise(samples)), default=0)
    if silence > MAX_SILENCE_US:
        yield f"was silent for {silence / _SECOND_US:.1f} s, and samples are due every second"


def merged(samples: Iterable[Sample], name: str) -> Histogram:
    """One histogram of many seconds."""
    whole = Histogram()
    for sample in samples:
        if data := sample.histograms.get(name):
            whole.merge(data)
    return whole


def busiest(samples: Iterable[Sample]) -> float:
    """The most of a core that the media thread used over any 5 s, or over all when that is less; 0 for under 1 s."""
    points = [(sample.at_us, sample.generator.get("loop_cpu_s", 0.0)) for sample in samples]
    if len(points) < 2 or points[-1][0] - points[0][0] < _SECOND_US:
        return 0.0
    window = min(CPU_WINDOW_US, points[-1][0] - points[0][0])
    most, first = 0.0, 0
    for at_us, used_s in points:
        while first + 1 < len(points) and at_us - points[first + 1][0] >= window:
            first += 1
        span = at_us - points[first][0]
        if span >= window:
            most = max(most, (used_s - points[first][1]) * _SECOND_US / span)
    return most
