from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import msgspec
import pytest

from simplestchat.load.histogram import Histogram, HistogramData
from simplestchat.load.messages import Sample
from simplestchat.load.record import ClockRecord, GeneratorRecord
from simplestchat.load.scenario import GeneratorLimits
from simplestchat.load.strain import LEAST_SPANS, Strain
from simplestchat.load.voiding import void_reasons

US = 1_000_000
LIMITS = GeneratorLimits()


@cache
def spans(value_us: int, count: int = 100) -> HistogramData:
    histogram = Histogram()
    for _ in range(count):
        histogram.add(value_us)
    return histogram.data()


def sample(second: float, *, cpu_s: float = 0.0, drops: float = 0.0, phase: str = "hold", **lags: int) -> Sample:
    lags = {"lag": 300, "wake": 200, "loop_lag": 1000, **lags}
    return Sample(
        part=0,
        at_us=int(second * US),
        totals={},
        gauges={},
        histograms={name: spans(value) for name, value in lags.items()},
        generator={"loop_cpu_s": cpu_s, "cpu_s": cpu_s, "receive_drops": drops},
        phase=phase,
    )


def reasons(*samples: Sample, limits: GeneratorLimits = LIMITS, **changes: Any) -> list[str]:
    record = GeneratorRecord(part=changes.pop("part", 0), users=1, machine={}, samples=samples, **changes)
    return list(void_reasons(limits, [record]))


def busiest(samples: Sequence[Sample]) -> float:
    return Strain.of(samples).cpu


def test_a_generator_that_kept_up_voids_nothing() -> None:
    assert reasons(*(sample(second, cpu_s=0.5 * second) for second in range(1, 20))) == []


@pytest.mark.parametrize(
    ("name", "value_us", "limit", "words"),
    [
        ("lag", 80_000, "lag_p99_ms", "sent media late: 99 % within 80"),
        ("wake", 150_000, "wake_p99_ms", "read late what had arrived"),
        ("loop_lag", 400_000, "signaling_lag_p99_ms", "ran its timers late"),
    ],
)
def test_spans_past_a_limit_void(name: str, value_us: int, limit: str, words: str) -> None:
    (reason,) = reasons(sample(1, **{name: value_us}))
    assert reason.startswith("generator 0 " + words)
    assert reason.endswith(f"({limit})")
    raised = GeneratorLimits(**{limit: 1000.0})
    assert reasons(sample(1, **{name: value_us}), limits=raised) == []


def test_a_percentile_is_of_all_seconds_together() -> None:
    # One slow second in a hundred and fifty is under the hundredth part of all; one in ten is not.
    calm = [sample(second) for second in range(1, 150)]
    assert reasons(*calm, sample(150, lag=80_000)) == []
    assert len(reasons(*calm[:9], sample(10, lag=80_000))) == 1


def test_what_happens_after_media_ended_does_not_void() -> None:
    assert reasons(sample(1), sample(2, lag=900_000, phase="settle"), sample(3, wake=900_000, phase="done")) == []


def test_a_full_core_over_five_seconds_voids() -> None:
    def burst(seconds: int) -> list[Sample]:
        """Idle for ten seconds, then so many with the whole core, then idle again."""
        used = [min(max(second - 10, 0), seconds) for second in range(30)]
        return [sample(second, cpu_s=float(cpu)) for second, cpu in enumerate(used)]

    assert busiest(burst(5)) == pytest.approx(1.0)
    assert busiest(burst(2)) == pytest.approx(0.4)
    (reason,) = reasons(*burst(5))
    assert reason == "generator 0 used 100% of a core over 5 s, allowed 98% (cpu)"
    assert reasons(*burst(4)) == []


def test_a_hold_shorter_than_five_seconds_counts_as_a_whole() -> None:
    assert busiest([sample(0, cpu_s=0), sample(2, cpu_s=1.99)]) == pytest.approx(0.995)
    assert busiest([sample(0, cpu_s=0), sample(0.5, cpu_s=0.5)]) == 0.0
    assert busiest([]) == 0.0


def test_the_ramp_may_use_the_whole_core() -> None:
    ramp = [sample(second, cpu_s=float(second), phase="ramp") for second in range(10)]
    assert reasons(*ramp) == []


def test_dropped_datagrams_void() -> None:
    (reason,) = reasons(sample(1, drops=0), sample(2, drops=3))
    assert "lost 3 datagrams to full sockets of its own" in reason
    assert reasons(sample(2, drops=3), limits=GeneratorLimits(socket_drops=3)) == []


@pytest.mark.parametrize(
    ("figure", "words"), [("send_failures", "could not send 3 "), ("events_lost", "lost 3 events")]
)
def test_what_a_generator_lost_on_its_own_side_voids(figure: str, words: str) -> None:
    first, last = sample(1), sample(2)
    last.generator[figure] = 3.0
    (reason,) = reasons(first, last)
    assert words in reason
    assert reason.endswith(f"({figure})")
    last.generator[figure] = 0.0
    assert reasons(first, last) == []


def test_silence_voids() -> None:
    (reason,) = reasons(sample(1), sample(9.5))
    assert "was silent for 8.5 s" in reason
    assert reasons() == ["generator 0 never said how it was doing"]


def test_a_remote_generator_is_told_by_its_agent() -> None:
    (reason,) = reasons(sample(1, lag=90_000), agent="garden", part=3)
    assert reason.startswith("generator 3 of agent garden sent media late")


def seconds(count: int, **stalled: Sample) -> list[Sample]:
    return [stalled.get(f"s{second}", sample(second)) for second in range(1, count + 1)]


def stall(second: int, stalled_s: int, name: str, *, spans_per_s: int = 100) -> Sample:
    """What is due in a stall is late by what is left of it; the second after it tells of all."""
    histogram = Histogram()
    for place in range(stalled_s * spans_per_s):
        histogram.add((place + 1) * US // spans_per_s)
    found = sample(second)
    found.histograms[name] = histogram.data()
    return found


@pytest.mark.parametrize(("name", "limit"), [("lag", "lag_p99_ms"), ("wake", "wake_p99_ms")])
def test_a_stall_of_seconds_in_two_hours_voids_and_is_told_by_its_moment(name: str, limit: str) -> None:
    run = seconds(7200, s4000=stall(4000, 3, name))
    (reason,) = reasons(*run)
    assert "from second 3990 to 4000 a tenth by more than " in reason
    assert reason.endswith(f"({limit})")
    late_ms = float(reason.partition("more than ")[2].partition(" ms")[0])
    assert 1500 < late_ms < 3000
    assert reasons(*seconds(7200)) == []


def test_a_loop_that_stood_still_is_late_although_it_measured_only_once() -> None:
    standing = Histogram()
    standing.add(3 * US)
    for _ in range(350):
        standing.add(1000)
    whole = sample(500)
    whole.histograms["loop_lag"] = standing.data()
    calm = [sample(second) for second in range(1, 500)]
    for one in calm:
        one.histograms["loop_lag"] = spans(1000, 50)
    (reason,) = reasons(*calm, whole)
    assert "ran its timers late: from second 490 to 500" in reason


def test_a_hiccup_is_no_stall() -> None:
    assert reasons(*seconds(100, s50=stall(50, 1, "lag", spans_per_s=50))) == []


def test_a_run_shorter_than_a_window_and_windows_with_little_in_them_are_judged_as_a_whole() -> None:
    # In its first second a tenth is quickly late; the hundredth of the whole run is what counts.
    first = Histogram()
    for place in range(1000):
        first.add(200 if place > 150 else 90_000)
    begun = sample(1)
    begun.histograms["lag"] = first.data()
    calm = [sample(second) for second in range(2, 8)]
    for one in calm:
        one.histograms["lag"] = spans(200, 20_000)
    assert reasons(begun, *calm) == []
    few = [sample(second) for second in range(1, 300)]
    for one in few:
        one.histograms["wake"] = spans(200, (LEAST_SPANS - 1) // 10)
    few[150].histograms["wake"] = spans(900_000, 8)
    assert reasons(*few) == []


def test_silence_is_told_by_its_moment() -> None:
    (reason,) = reasons(*(sample(second) for second in (1, 2, 3, 12, 13)))
    assert "was silent for 9.0 s until second 12," in reason


def agent(name: str, part: int, **clock: Any) -> GeneratorRecord:
    told = ClockRecord(**{"offset_us": 0, "end_offset_us": 0, "error_us": 200, **clock})
    return GeneratorRecord(part=part, users=1, machine={}, agent=name, clock=told, samples=(sample(1), sample(2)))


def test_a_clock_that_jumped_voids() -> None:
    (reason,) = void_reasons(LIMITS, [agent("oak", 0, jump_us=40_000, jumped_at_us=90 * US)])
    assert reason.startswith("the clock of generator 0 of agent oak jumped by 40.0 ms at second 90")


def test_a_clock_that_is_hardly_known_voids_where_media_crosses_machines() -> None:
    unsure = agent("oak", 0, error_us=51_000)
    (reason,) = void_reasons(LIMITS, [unsure, agent("elm", 1)])
    assert "oak was known to 51.0 ms only, allowed 50 ms (clock_error_ms)" in reason
    assert not list(void_reasons(LIMITS, [unsure]))
    raised = msgspec.structs.replace(LIMITS, clock_error_ms=60.0)
    assert not list(void_reasons(raised, [unsure, agent("elm", 1)]))
