"""Verdicts: a small record whose answers are known by hand, and every way in which a run can be missed or void."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.runs import START_US, US, MadeUpRun, quality_of

from simplestchat.load.curves import curves, quantile
from simplestchat.load.evidence import Evidence
from simplestchat.load.histogram import Histogram
from simplestchat.load.judge import assess
from simplestchat.load.messages import Finished, Sample, StreamResult, UserResult
from simplestchat.load.objectives import RULES, judge, meets, told
from simplestchat.load.record import GeneratorRecord, ProcessSample, RunRecord, ServerSample
from simplestchat.load.report import Report
from simplestchat.load.scenario import Objectives, Publish, Scenario, Shape
from simplestchat.load.streams import faults
from simplestchat.load.summary import measure, spread_ms

SCENARIO = Scenario(name="small", shape=Shape(clients=4, room_size=4), publish=Publish(video="360p30"))


def spans(*values: int) -> tuple[int, int, int, int, dict[int, int]]:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram.data()


def stream(subscriber: int, publisher: int, track: int = 1, **totals: int) -> StreamResult:
    return StreamResult(
        subscriber=subscriber, publisher=publisher, track=track, room=0, seconds=10, totals={"delivered": 100, **totals}
    )


def generator(part: int, at_s: int = 12, streams: tuple[StreamResult, ...] = (), **totals: int) -> GeneratorRecord:
    """Half of the users, one sample at the beginning and one at the end."""
    everything = {
        "joins_tried": 2,
        "joins": 2,
        "transports": 4,
        "transports_connected": 4,
        "delivered": 990,
        "lost": 10,
    }
    samples = tuple(
        Sample(
            part=part,
            at_us=START_US + second * US,
            totals={name: value * second // at_s for name, value in {**everything, **totals}.items()},
            gauges={"users": 2},
            histograms={"signaling": spans(1000 * (part + 1), 3000), "latency_audio": spans(20_000)},
            generator={"cpu_s": 0.5 * second, "rss_bytes": 50e6 + second},
            phase="hold",
        )
        for second in (1, at_s)
    )
    users = tuple(
        UserResult(
            user=2 * part + index,
            room=0,
            received_bytes=1_000_000 * (2 * part + index + 1),
            sent_bytes=0,
            receiving_s=10,
            joins=1,
            reconnects=0,
        )
        for index in range(2)
    )
    finished = Finished(part=part, users=users, streams=streams, quality=quality_of(streams).data(), faults={})
    return GeneratorRecord(part=part, users=2, machine={}, samples=samples, finished=finished)


def server(seconds: int = 12) -> tuple[ServerSample, ...]:
    """A node that uses a tenth of a core and a worker that uses half of one, forwarding 1000 packets a second."""
    return tuple(
        ServerSample(
            at_us=START_US + second * US,
            workers={"0": {"packets_forwarded": 1000.0 * second, "transports": 8.0 * (second < seconds)}},
            processes=(
                ProcessSample(
                    name="node", pid=1, cpu_s=0.1 * second, rss_bytes=50_000_000 + 1_000_000 * min(second, 4)
                ),
                ProcessSample(
                    name="worker 0", pid=2, cpu_s=0.5 * second, rss_bytes=20_000_000 + 3_000_000 * min(second, 4)
                ),
            ),
        )
        for second in range(seconds + 1)
    )


def run(**changes: Any) -> RunRecord:
    """Two generators of two users each; two seconds of ramp, then the hold from 2 to 10."""
    phases = ((name, START_US + second * US) for name, second in (("ramp", 0), ("hold", 2), ("settle", 10)))
    known: dict[str, Any] = {
        "run": "word",
        "scenario": SCENARIO,
        "seed": 7,
        "command": "simplestchat load small.toml",
        "started": "2026-03-01T10:00:00Z",
        "start_us": START_US,
        "end_us": START_US + 12 * US,
        "phases": tuple(phases),
        "generators": (generator(0), generator(1)),
        "server": server(),
        "server_local": True,
        "pinning": "",
        "machine": {"cpu": "a"},
        "versions": {},
        "version": "0.1.0",
        "commit": "",
    }
    return RunRecord(**{**known, **changes})


def objective(report: Report, name: str) -> tuple[float | None, bool]:
    (found,) = [one for one in report.objectives if one.name == name]
    return found.value, found.ok


def test_a_small_run_has_the_figures_that_one_reckons_by_hand() -> None:
    report = assess(run())
    summary = report.summary
    assert report.verdict == "pass"
    assert report.reasons == ()
    assert (summary.clients, summary.connection_success, summary.errors) == (4, 1.0, 0)
    assert summary.delivered == 1980
    assert summary.packet_loss == 20 / 2000
    assert objective(report, "packet_loss") == (0.01, True), "a value at its limit is good"
    assert summary.kbytes_per_s_per_participant == 250, "the median of 100, 200, 300 and 400"
    # 4 MB a second over the ramp and the two seconds in which memory settles.
    assert summary.server_mb_per_participant == pytest.approx(4.0)
    assert summary.server_cpu_cores == pytest.approx(0.6)
    assert summary.server_cpu_us_per_packet == pytest.approx(500)
    assert summary.generator_cpu_cores == pytest.approx(1.0)
    assert summary.server_objects_left == 0
    assert summary.signaling_ms.count == 8
    assert summary.signaling_ms.p50 == pytest.approx(2, rel=1 / 32)
    assert summary.signaling_ms.max == 3
    assert summary.audio_latency_ms.p99 == pytest.approx(20, rel=1 / 32)


def test_series_share_one_clock() -> None:
    report = assess(run())
    assert report.seconds == [float(second) for second in range(12)]
    assert {len(one.values) for one in report.series} == {12}
    curves = {one.name: one.values for one in report.series}
    assert curves["server_cpu"] == pytest.approx([0.6] * 12)
    assert curves["cpu_worker_0"] == pytest.approx([0.5] * 12)
    assert curves["server_packets_forwarded"] == pytest.approx([1000] * 12)
    assert curves["users"][-1] == 4
    assert report.phases == [("ramp", 0), ("hold", 2), ("settle", 10)]


def test_loss_is_told_of_the_second_in_which_packets_were_due() -> None:
    # 100 packets a second for four seconds, of which every tenth is given up two seconds later.
    counts = [(0, 0, 0), (90, 10, 0), (180, 20, 0), (270, 30, 10), (360, 40, 20), (360, 40, 30), (360, 40, 40)]
    samples = tuple(
        Sample(
            part=0,
            at_us=START_US + second * US,
            totals={"delivered": delivered, "missed": missed, "lost": lost},
            gauges={},
            histograms={},
            generator={},
            phase="hold",
        )
        for second, (delivered, missed, lost) in enumerate(counts)
    )
    found = Evidence(
        run(generators=(msgspec.structs.replace(generator(0), samples=samples),), end_us=START_US + 6 * US)
    )
    curve = next(one.values for one in curves(found) if one.name == "loss_lost")
    assert curve == pytest.approx([0.1, 0.1, 0.1, 0.1, None, None])


@pytest.mark.parametrize("length_us", [1, US // 2, US, 2 * US, 3 * US])
def test_a_run_that_ended_at_once_has_a_report_too(length_us: int) -> None:
    report = assess(run(end_us=START_US + length_us))
    assert {len(one.values) for one in report.series} == {len(report.seconds)}


def test_reasons_to_void_win_over_failures() -> None:
    bad = generator(0, lost=500)
    report = assess(run(generators=(bad, generator(1)), void=("the generator was late",), failures=("it broke",)))
    assert report.verdict == "void"
    assert report.reasons == ("the generator was late",)
    assert not objective(report, "packet_loss")[1], "objectives are told all the same"


def test_a_missed_objective_fails_and_says_by_how_much() -> None:
    report = assess(run(generators=(generator(0, lost=500), generator(1))))
    assert report.verdict == "fail"
    assert report.reasons == ("Packets lost, after repair: 20.482 %, at most 1 % wanted.",)


def test_what_failed_beside_the_objectives_fails_the_run() -> None:
    assert assess(run(failures=("the server ended with status 1",))).reasons == ("the server ended with status 1",)
    unfinished = msgspec.structs.replace(generator(1), finished=None)
    report = assess(run(generators=(generator(0), unfinished)))
    assert report.verdict == "fail"
    assert "Generator 1 never finished." in report.reasons


def test_a_run_of_which_nothing_came_back_is_not_passed() -> None:
    report = assess(run(generators=(), server=()))
    assert report.verdict == "fail"
    assert not any(one.ok for one in report.objectives)
    assert {one.value for one in report.objectives} == {None}
    assert report.summary.clients == 4
    assert figures(report) == {None}, "what was not measured reads as null and never as 0"


def figures(report: Report) -> set[float | None]:
    """Every figure of a summary beside how many clients and how many of a kind there were."""
    told = msgspec.to_builtins(report.summary)
    spreads = [one for one in told.values() if isinstance(one, dict)]
    single = {value for name, value in told.items() if name != "clients" and not isinstance(value, dict)}
    return single | {value for one in spreads for name, value in one.items() if name != "count"}


def test_what_the_workers_hold_at_the_end_is_told() -> None:
    whole = server()
    held = ({"transports": 2.0, "sources": 3.0, "cache_bytes": 1e6}, {"dtls_associations": 1.0}, {"cpu_seconds": 1.0})
    workers = {str(index): one for index, one in enumerate(held)}
    last = msgspec.structs.replace(whole[-1], workers=workers)
    assert assess(run(server=(*whole[:-1], last))).summary.server_objects_left == 6
    silent = msgspec.structs.replace(whole[-1], workers={})
    assert assess(run(server=(*whole[:-1], silent))).summary.server_objects_left is None


def test_what_a_run_has_nothing_of_is_null_beside_what_it_has() -> None:
    summary = assess(run(server=())).summary
    assert summary.server_cpu_cores is None
    assert summary.server_mb_per_participant is None
    assert summary.packet_loss == 0.01
    assert summary.corrupt == 0
    assert summary.reconnect_ms.count == 0
    assert summary.reconnect_ms.p99 is None


def test_users_who_never_came_and_transports_that_never_connected_count() -> None:
    half = generator(0, joins_tried=1, joins=1)
    assert assess(run(generators=(half, generator(1)))).summary.connection_success == 0.75
    broken = generator(0, transports_connected=3)
    assert assess(run(generators=(broken, generator(1)))).summary.connection_success == 0.75


def test_who_got_what_of_whom_is_named() -> None:
    streams = (stream(1, 3, misdelivered=7), stream(0, 2, track=0, corrupt=1), stream(0, 1))
    report = assess(run(generators=(generator(0, streams=streams, misdelivered=7, corrupt=1), generator(1))))
    assert report.verdict == "fail"
    assert "User 1 should not have got 7 packets of user 3's camera (room 0)." in report.reasons
    assert "User 0 got corrupt 1 packet of user 2's microphone (room 0)." in report.reasons
    assert [one["subscriber"] for one in report.worst_streams] == ["user 1", "user 0"]
    assert report.worst_streams[0]["misdelivered"] == 7


def test_whom_an_error_concerns_is_named() -> None:
    one = generator(0)
    assert one.finished is not None
    told = [f"not-announced (user 1): that user {other} has a camera" for other in range(9)]
    finished = msgspec.structs.replace(
        one.finished,
        faults={"not-announced": 9, "generator-error": 1},
        details={"not-announced": told, "generator-error": ["a traceback"]},
    )
    report = assess(run(generators=(msgspec.structs.replace(one, finished=finished), generator(1))))
    assert report.verdict == "fail"
    assert report.reasons[1:] == tuple(told[:5])


def test_freezes_and_audio_are_judged_by_stream() -> None:
    streams = (
        stream(0, 1, freeze_us=500_000),
        stream(1, 0),
        stream(0, 1, track=0, lost=0),
        stream(1, 0, track=0, lost=100),
    )
    summary = assess(run(generators=(generator(0, streams=streams), generator(1)))).summary
    assert summary.freeze_share == pytest.approx(0.5 / 20)
    assert summary.mos.count == 2
    assert summary.mos.p50 < 2 < 4 < summary.mos.max


def test_two_chat_messages_of_one_number_are_a_fault_of_the_room() -> None:
    one, other = generator(0), generator(1)
    assert one.finished is not None
    assert other.finished is not None
    acked = msgspec.structs.replace(one.finished, acked={"a": [(1, "x"), (2, "y")]})
    also = msgspec.structs.replace(other.finished, acked={"a": [(2, "z"), (3, "w")], "b": [(1, "v")]})
    record = run(
        generators=(msgspec.structs.replace(one, finished=acked), msgspec.structs.replace(other, finished=also))
    )
    assert faults(Evidence(record)) == {"chat-twice-numbered": 1}
    assert assess(record).summary.chat_disorder == 1
    anew = msgspec.structs.replace(also, acked={"a": [(2, "z"), (1, "u"), (2, "t")]})
    again = run(
        generators=(msgspec.structs.replace(one, finished=acked), msgspec.structs.replace(other, finished=anew))
    )
    assert faults(Evidence(again)) == {}, "the numbering began anew"


def test_every_objective_has_its_rule() -> None:
    assert set(RULES) == set(Objectives.__struct_fields__)


@given(st.sampled_from(sorted(RULES)), st.floats(0, 1e6), st.floats(0, 1e6))
def test_limits_hold_at_and_not_over(name: str, limit: float, value: float) -> None:
    comparison = RULES[name].comparison
    assert meets(limit, limit, comparison)
    assert meets(value, limit, comparison) == (value <= limit if comparison == "<=" else value >= limit)
    assert not meets(None, limit, comparison)
    assert not meets(float("nan"), limit, comparison)


def test_only_what_a_scenario_can_measure_is_asked_of_it() -> None:
    measured = measure(Evidence(run()))
    silent = msgspec.structs.replace(SCENARIO, publish=Publish(audio=False))
    names = {one.name for one in judge(silent, measured)}
    assert "packet_loss" not in names
    assert "misdelivered" in names
    remote = measure(Evidence(run(server=(), server_local=False)))
    assert "server_mb_per_participant" not in {one.name for one in judge(SCENARIO, remote, server_local=False)}
    assert not next(one for one in judge(SCENARIO, remote) if one.name == "server_mb_per_participant").ok


def test_not_quite_all_does_not_read_as_all() -> None:
    assert told(0.9999999, "share") == "99.999 %"
    assert told(1, "share") == "100 %"
    assert told(0, "count") == "0"
    assert told(12.345, "ms") == "12.35 ms"


@given(
    st.lists(st.lists(st.integers(0, 5_000_000), max_size=60), min_size=1, max_size=6),
    st.sampled_from([0.5, 0.95, 0.99, 1]),
)
def test_merged_percentiles_are_those_of_all_values(parts: list[list[int]], share: float) -> None:
    merged = Histogram()
    for part in parts:
        one = Histogram()
        for value in part:
            one.add(value)
        merged.merge(one.data())
    everything = sorted(value for part in parts for value in part)
    if not everything:
        assert spread_ms(merged).count == 0
        return
    true = everything[-(-int(share * 100) * len(everything) // 100) - 1]
    assert merged.percentile(share) == pytest.approx(true, rel=1 / 32, abs=1)
    assert spread_ms(merged).max == everything[-1] / 1000


def test_scraped_percentiles_go_straight_between_bounds() -> None:
    bounds = [0.001, 0.01, float("inf")]
    assert quantile(bounds, [50, 100, 100], 0.5) == pytest.approx(1)
    assert quantile(bounds, [50, 100, 100], 0.75) == pytest.approx(5.5)
    assert quantile(bounds, [0, 0, 10], 0.5) == pytest.approx(10), "over the last bound is told as it"
    assert quantile(bounds, [0, 0, 0], 0.5) is None
    assert quantile(bounds, [None, None, None], 0.5) is None


def test_a_report_survives_json() -> None:
    report = assess(MadeUpRun(clients=20, hold_s=5).record())
    assert report.verdict == "pass"
    encoded = msgspec.json.encode(report)
    assert msgspec.json.decode(encoded, type=Report) == report
    assert msgspec.json.encode(assess(MadeUpRun(clients=20, hold_s=5).record())) == encoded, "pure"
