"""Two hours of samples in bounded memory, and nothing judged otherwise for it."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from functools import cache

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import START_US, US, MadeUpRun

from simplestchat.load.coordinate import moments
from simplestchat.load.histogram import Histogram
from simplestchat.load.judge import assess
from simplestchat.load.link import decode, encode
from simplestchat.load.logbook import MAX_CELLS, MAX_KEPT, Logbook, Packed, fold_looks, fold_samples, packed
from simplestchat.load.messages import Sample
from simplestchat.load.plan import Plan
from simplestchat.load.record import ProcessSample, RunRecord, ServerSample
from simplestchat.load.scenario import Ramp
from simplestchat.load.strain import Strain
from simplestchat.load.voiding import void_reasons

RAMP_S, HOLD_S = 4, 7200
#: Of one generator and its server.
TWO_HOURS_MB = 40


def moments_us(record: RunRecord) -> list[int]:
    plan = Plan(record.scenario, record.seed)
    return [START_US + round(at_s * US) for at_s in moments(plan)]


class TwoHours:
    """A run of 40 s, repeated for two hours: all totals grow on, and one second in it stalls."""

    def __init__(self) -> None:
        made = MadeUpRun(ramp_s=RAMP_S, hold_s=40)
        self.template = made.record(parts=1)
        ramp = Ramp(joins_per_s=10, hold_s=HOLD_S, settle_s=2)
        self.scenario = msgspec.structs.replace(self.template.scenario, ramp=ramp)
        self.seconds = RAMP_S + HOLD_S + 2

    def samples(self, part: int) -> Iterator[Sample]:
        template = self.template.generators[part].samples
        repeated = template[10:40]
        grown = {name: template[39].totals[name] - template[9].totals[name] for name in template[9].totals}
        for second in range(self.seconds):
            rounds, place = divmod(max(0, second - 10), 30)
            one = template[second] if second < 10 else repeated[place]
            totals = {name: value + rounds * grown[name] for name, value in one.totals.items()}
            spent = {
                "cpu_s": 0.4 * second,
                "loop_cpu_s": 0.3 * second,
                "rss_bytes": one.generator["rss_bytes"] + (5e6 if second == 5001 else 0),
                "receive_drops": 0.0,
            }
            histograms = one.histograms
            if second == 5000:
                late = Histogram()
                for step in range(300):
                    late.add((step + 1) * 10_000)
                histograms = {**histograms, "lag": late.data()}
            yield msgspec.structs.replace(
                one,
                part=part,
                at_us=START_US + (second + 1) * US + 7_000 * (second % 3),
                totals=totals,
                generator=spent,
                histograms=histograms,
                phase="ramp" if second < RAMP_S else "hold" if second < RAMP_S + HOLD_S else "settle",
            )

    def looks(self) -> Iterator[ServerSample]:
        template = self.template.server
        for second in range(-1, self.seconds + 1):
            one = template[min(max(second, 0), 20)]
            worker = {name: value * max(1, second) for name, value in one.workers["0"].items()}
            born = 2 if second > 3333 else 1  # a worker died, and another one has its place
            processes = (
                ProcessSample(name="node", pid=10, cpu_s=0.05 * (second + 1), rss_bytes=60_000_000 + 3000 * second),
                ProcessSample(name="worker 0", pid=10 + born, cpu_s=0.4 * second / born, rss_bytes=40_000_000),
            )
            yield msgspec.structs.replace(
                one, at_us=START_US + second * US + 4_000, workers={"0": worker}, processes=processes
            )


def decoded(sample: Sample) -> Sample:
    """As it came over a link: nothing of it is shared with another."""
    found = decode(encode(sample))
    assert isinstance(found, Sample)
    return found


def kept_samples(run: TwoHours, part: int, marks_us: list[int]) -> tuple[Logbook[Sample], Strain]:
    log: Logbook[Sample] = Logbook(fold_samples)
    strain = Strain()
    log.begin(START_US, marks_us)
    for sample in run.samples(part):
        small = packed(decoded(sample))
        strain.take(small)
        log.add(small)
    return log, strain


def kept_looks(run: TwoHours, marks_us: list[int]) -> Logbook[ServerSample]:
    log: Logbook[ServerSample] = Logbook(fold_looks)
    looks = run.looks()
    log.add(next(looks))  # before the start
    log.begin(START_US, marks_us)
    for look in looks:
        log.add(look)
    return log


def record_of(run: TwoHours, *, folded: bool) -> RunRecord:
    end_us = START_US + run.seconds * US
    phases = tuple(
        (name, START_US + at * US) for name, at in (("ramp", 0), ("hold", RAMP_S), ("settle", RAMP_S + HOLD_S))
    )
    blank = msgspec.structs.replace(run.template, scenario=run.scenario, end_us=end_us, phases=phases)
    marks_us = moments_us(blank)
    generators = []
    for part, generator in enumerate(run.template.generators):
        if folded:
            log, strain = kept_samples(run, part, marks_us)
            generators.append(msgspec.structs.replace(generator, samples=tuple(log.entries), strain=strain))
        else:
            generators.append(msgspec.structs.replace(generator, samples=tuple(run.samples(part))))
    looks = kept_looks(run, marks_us).entries if folded else list(run.looks())
    return msgspec.structs.replace(blank, generators=tuple(generators), server=tuple(looks))


@cache
def both() -> tuple[RunRecord, RunRecord]:
    run = TwoHours()
    return record_of(run, folded=False), record_of(run, folded=True)


def test_two_hours_keep_few_points_and_are_judged_as_if_all_were_there() -> None:
    whole, folded = both()
    assert all(len(one.samples) == 7206 for one in whole.generators)
    assert all(len(one.samples) <= MAX_CELLS + 16 for one in folded.generators)
    assert len(folded.server) <= MAX_CELLS + 16
    reports = [assess(record) for record in (whole, folded)]
    assert reports[0].objectives == reports[1].objectives
    for name in reports[0].summary.__struct_fields__:
        first, second = (getattr(report.summary, name) for report in reports)
        assert first == (pytest.approx(second, rel=1e-9) if isinstance(first, float) else second), name
    assert reports[0].histograms == reports[1].histograms
    for report in reports:
        assert report.resolution_s == 4
        assert len(report.seconds) == len(report.series[0].values) <= MAX_CELLS
    percentiles = [{one.name: one.values for one in report.series if one.name.endswith("_p99")} for report in reports]
    assert percentiles[0]["latency_audio_p99"] == percentiles[1]["latency_audio_p99"]
    reasons = [list(void_reasons(one.scenario.generator, one.generators, START_US)) for one in (whole, folded)]
    assert reasons[0] == reasons[1]
    assert len(reasons[0]) == 1
    assert "from second 4991 to 5001 a tenth" in reasons[0][0]


def test_what_two_hours_keep_is_bounded_and_small(capsys: pytest.CaptureFixture[str]) -> None:
    _, folded = both()
    kept = folded.generators[0].samples
    loose = [decoded(sample) for sample, _ in zip(TwoHours().samples(0), range(60), strict=False)]
    loose_b, kept_b, looks_b = weight(loose[30:]) / 30, weight(kept), weight(folded.server)
    with capsys.disabled():
        print(
            f"\n  a sample: {loose_b:.0f} bytes as it comes, {kept_b / len(kept):.0f} as it is kept; two hours of a "
            f"generator: {7206 * loose_b / 1e6:.0f} MB, folded {kept_b / 1e6:.0f} MB; of the server "
            f"{looks_b / 1e6:.0f} MB"
        )
    assert kept_b / len(kept) < loose_b
    assert kept_b < 0.25 * 7206 * loose_b
    assert kept_b + looks_b < TWO_HOURS_MB * 1e6


def weight(whole: object) -> int:
    """Bytes of something and of all that it holds, each counted once."""
    seen: set[int] = set()
    found, left = 0, [whole]
    while left:
        one = left.pop()
        if id(one) not in seen:
            seen.add(id(one))
            found += sys.getsizeof(one)
            left += gc.get_referents(one) if not isinstance(one, type) else []
    return found


def look(at_us: int, cpu_s: float = 0.0, pid: int = 1) -> ServerSample:
    return ServerSample(
        at_us=at_us,
        metrics={"n": float(at_us)},
        processes=(ProcessSample(name="node", pid=pid, cpu_s=cpu_s, rss_bytes=1),),
    )


@given(st.lists(st.integers(0, 20_000_000_000), max_size=300), st.lists(st.integers(0, 20_000_000_000), max_size=6))
def test_entries_next_to_a_mark_stay(times: list[int], marks: list[int]) -> None:
    log: Logbook[ServerSample] = Logbook(fold_looks)
    log.begin(1, marks)
    times = sorted(set(times))
    for at_us in times:
        log.add(look(at_us))
    kept = [one.at_us for one in log.entries]
    assert kept == sorted(kept)
    for mark in marks:
        before = [at_us for at_us in times if at_us <= mark][-1:]
        after = [at_us for at_us in times if at_us > mark][:1]
        if before and after:
            assert set(before + after) <= set(kept)
    if times:
        assert kept[-1] == times[-1]


def test_no_flood_of_samples_and_no_time_of_day_makes_it_grow() -> None:
    log: Logbook[ServerSample] = Logbook(fold_looks)
    log.begin(1, [5 * US])
    for number in range(20_000):
        log.add(look(5 * US + number // 2, pid=number))
    assert len(log.entries) <= MAX_KEPT
    log.add(look(2**62))
    log.add(look(3))
    assert len(log.entries) <= MAX_KEPT


@given(st.dictionaries(st.integers(0, 1023), st.integers(1, 2**40)))
def test_packed_buckets_are_what_they_were(buckets: dict[int, int]) -> None:
    small = Packed(buckets)
    assert dict(small) == dict(small.items()) == buckets
    assert len(small) == len(buckets)
    assert 2000 not in small
    assert decoded_buckets(small) == buckets


def decoded_buckets(small: Packed) -> dict[int, int]:
    whole = Histogram()
    whole.merge((sum(small.values()), 1, 1, 1, small))
    return whole.buckets
