"""When a run proves nothing: the generator itself fell behind, so that what looks like the server's figure is its own.

Each generator is held to the limits by itself: a late one is not excused by others that were punctual. What is looked
at, and over which spans of time, is told by ``strain``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from simplestchat.load import words
from simplestchat.load.record import ClockRecord, GeneratorRecord
from simplestchat.load.scenario import GeneratorLimits
from simplestchat.load.strain import CPU_WINDOW_US, SECOND_US, WINDOW_US, Strain, Windows

MAX_SILENCE_US: Final = 5_000_000  # samples come every second
#: Histogram of a sample, limit, and what it means when it is past that.
_SPANS: Final = (
    ("lag", "lag_p99_ms", "sent media late"),
    ("wake", "wake_p99_ms", "read late what had arrived"),
    ("loop_lag", "signaling_lag_p99_ms", "ran its timers late"),
)
#: Counts of a sample that may not grow at all, and what it means when they do.
_OWN_FAULTS: Final = (
    ("send_failures", "could not send {} datagrams that its kernel would not take"),
    ("events_lost", "lost {} events of its media thread, which it read too late"),
)


def void_reasons(limits: GeneratorLimits, generators: Iterable[GeneratorRecord], start_us: int = 0) -> Iterator[str]:
    """Every reason, in words, why these generators' figures prove nothing; ``start_us`` is when their run began."""
    generators = tuple(generators)
    agents = {generator.agent for generator in generators}
    for generator in generators:
        name = f"generator {generator.part}" + (f" of agent {generator.agent}" if generator.agent else "")
        for reason in _reasons(limits, strain_of(generator), start_us):
            yield f"{name} {reason}"
        if generator.clock:
            for reason in _clock_reasons(limits, generator.clock, start_us, alone=len(agents) < 2):
                yield f"the clock of {name} {reason}"
        if generator.finished and (errors := words.number(generator.finished.faults, "void")):
            yield f"{name} did {errors} times what it should not: its standard error tells"


def strain_of(generator: GeneratorRecord) -> Strain:
    """How far a generator fell behind."""
    return generator.strain or Strain.of(generator.samples)


def _reasons(limits: GeneratorLimits, strain: Strain, start_us: int) -> Iterator[str]:
    if not strain.last_us:
        yield "never said how it was doing"
        return
    for histogram, limit, what in _SPANS:
        if late := _late(strain.spans[histogram], float(getattr(limits, limit)), start_us):
            yield f"{what}: {late} ({limit})"
    if strain.cpu > limits.cpu:
        yield f"used {strain.cpu:.0%} of a core over {CPU_WINDOW_US // SECOND_US} s, allowed {limits.cpu:.0%} (cpu)"
    if (drops := strain.counts["receive_drops"]) > limits.socket_drops:
        yield f"lost {drops} datagrams to full sockets of its own, allowed {limits.socket_drops} (socket_drops)"
    for figure, what in _OWN_FAULTS:
        if count := strain.counts[figure]:
            yield f"{what.format(count)}, allowed none ({figure})"
    if strain.silence_us > MAX_SILENCE_US:
        until_s = (strain.silent_until_us - start_us) / SECOND_US
        silence_s = strain.silence_us / SECOND_US
        yield f"was silent for {silence_s:.1f} s until second {until_s:.0f}, and samples are due every second"


def _clock_reasons(limits: GeneratorLimits, clock: ClockRecord, start_us: int, *, alone: bool) -> Iterator[str]:
    if clock.jump_us:
        at_s = (clock.jumped_at_us - start_us) / SECOND_US
        yield f"jumped by {clock.jump_us / 1000:.1f} ms at second {at_s:.0f}: latencies across machines mean nothing"
    if clock.error_us > limits.clock_error_ms * 1000 and not alone:  # with one machine, all latencies are of its clock
        error_ms = clock.error_us / 1000
        yield f"was known to {error_ms:.1f} ms only, allowed {limits.clock_error_ms:g} ms (clock_error_ms)"


def _late(spans: Windows, allowed_ms: float, start_us: int) -> str:
    """How late it was, in words; empty: not later than allowed."""
    whole_ms, window_ms = spans.whole.percentile(0.99) / 1000, spans.late_us / 1000
    found = []
    if whole_ms > allowed_ms:
        found.append(f"99 % within {whole_ms:.1f} ms")
    if window_ms > allowed_ms:
        until_s = (spans.until_us - start_us) / SECOND_US
        begin_s = until_s - WINDOW_US / SECOND_US
        found.append(f"from second {begin_s:.0f} to {until_s:.0f} a tenth by more than {window_ms:.0f} ms")
    return f"{', '.join(found)}, allowed {allowed_ms:g} ms" if found else ""
