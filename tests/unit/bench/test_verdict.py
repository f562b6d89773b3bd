"""What fails a comparison, and the table that says so."""

from __future__ import annotations

from compare.callgrind import Profile
from compare.counting import Count
from compare.table import last_words, table
from compare.timing import Timed
from compare.verdict import SHORT_NS, judge


def count(instructions: float, calls: float = 0) -> Count:
    return Count(instructions, calls, Profile(), 1000)


def timed(ratio: float, ns: float = 500, spread: float = 0.001) -> Timed:
    return Timed([ratio * (1 - spread), ratio, ratio, ratio * (1 + spread)], [ns], [ns * ratio])


def test_the_same_passes() -> None:
    assert not judge("same", count(1000), count(1000), timed(1.0)).failed


def test_six_per_cent_more_instructions_fail_whatever_the_time_says() -> None:
    assert judge("slower", count(1000), count(1060), timed(0.9)).reasons == ["6.0 % more instructions"]
    assert judge("slower", count(1000), count(1060), None).failed


def test_four_per_cent_do_not() -> None:
    assert not judge("a little slower", count(1000), count(1040), timed(1.04)).failed


def test_more_time_fails_without_more_instructions() -> None:
    (reason,) = judge("cache misses", count(1000), count(1000), timed(1.2)).reasons
    assert reason.endswith("% more time")


def test_time_that_is_not_certain_does_not() -> None:
    assert not judge("noise", count(1000), count(1000), timed(1.2, spread=0.3)).failed


def test_time_of_a_few_nanoseconds_does_not() -> None:
    assert not judge("short loop", count(10), count(10), timed(1.5, ns=SHORT_NS / 2)).failed


def test_more_calls_to_the_kernel_fail() -> None:
    assert judge("syscalls", count(1000, 0.5), count(1000, 0.6), None).reasons == ["20.0 % more system calls"]
    assert judge("a first one", count(1000, 0), count(1000, 0.1), None).failed


def test_the_allocators_calls_do_not() -> None:
    assert not judge("memory", count(1000, 0.0001), count(1000, 0.0002), None).failed
    assert judge("more than that", count(1000, 0.0001), count(1000, 0.02), None).failed


def test_new_and_gone_are_no_failures() -> None:
    assert not judge("new", None, count(1000), None).failed
    assert not judge("gone", count(1000), None, None).failed


def test_the_table_says_which_and_by_how_much() -> None:
    verdicts = [
        judge("parse", count(100), count(100), timed(1.0)),
        judge("seal", count(1000, 1), count(1070, 1), timed(1.06)),
        judge("made since", None, count(5), None),
        judge("left out", count(5), None, None),
    ]
    lines = {line.split("  ")[0]: line for line in table(verdicts).splitlines()}
    assert "+7.0 %" in lines["seal"]
    assert "1000.0 -> 1070.0" in lines["seal"]
    assert "FAILS: 7.0 % more instructions, at least" in lines["seal"]
    assert "FAILS" not in lines["parse"]
    assert lines["made since"].endswith("new")
    assert lines["left out"].endswith("gone")
    assert last_words(verdicts) == "1 of 2 workloads are more than 5 % worse: seal"
    assert last_words(verdicts[:1]) == "none of 1 workloads is more than 5 % worse"
