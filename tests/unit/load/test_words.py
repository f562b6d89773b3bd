"""No fault passes: every word that the code can count is in the table, and every word there spoils the verdict."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import msgspec
import pytest
from support.repository import ROOT
from support.runs import MadeUpRun

from simplestchat.load.judge import assess
from simplestchat.load.record import RunRecord
from simplestchat.load.scenario import Behaviour
from simplestchat.load.voiding import void_reasons
from simplestchat.load.words import WORDS, judged

#: Words whose totals stand for them: what a generator counts beside each.
TOTALS = {
    "corrupt": "corrupt",
    "misdelivered": "misdelivered",
    "media-after-leave": "misdelivered",
    "silent-stream": "silent_streams",
    "chat-lost": "chat_lost",
    "chat-duplicate": "chat_duplicate",
    "chat-disorder": "chat_disorder",
    "chat-changed": "chat_disorder",
    "join-failed": "join_failures",
    "refused-*": "request_errors",
    "connection-lost": "connections_lost",
    "transport-failed": "transports_failed",
}
_WORD = re.compile(r"[a-z]+(-[a-z]+)+\Z|corrupt\Z|misdelivered\Z")


def told(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """The words that one function counts; a word in a variable may be any that its function names."""
    for call in ast.walk(function):
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
            continue
        if call.func.attr not in ("fault", "_count", "_accuse") or not call.args:
            continue
        word = call.args[1 if call.func.attr == "_count" else 0]
        if isinstance(word, ast.Constant):
            yield str(word.value)
        elif isinstance(word, ast.JoinedStr):
            first = word.values[0]
            assert isinstance(first, ast.Constant)
            assert isinstance(first.value, str)
            yield first.value + "*"
        elif function.name != "_count":
            texts = [one.value for one in ast.walk(function) if isinstance(one, ast.Constant)]
            yield from (text for text in texts if isinstance(text, str) and _WORD.match(text))


def counted() -> set[str]:
    """All words that the load tester's code can count."""
    found: set[str] = set()
    for path in sorted((ROOT / "simplestchat" / "load").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                found.update(told(node))
    return found


def with_faults(word: str, total: str = "") -> RunRecord:
    """A run that is perfect but for one fault."""
    record = MadeUpRun(clients=4, hold_s=5).record()
    first, *others = record.generators
    assert first.finished is not None
    last = first.samples[-1]
    totals = {**last.totals, total: last.totals.get(total, 0) + 1} if total else last.totals
    first = msgspec.structs.replace(
        first,
        finished=msgspec.structs.replace(first.finished, faults={word: 1}),
        samples=(*first.samples[:-1], msgspec.structs.replace(last, totals=totals)),
    )
    return msgspec.structs.replace(record, generators=(first, *others))


def test_every_word_that_the_code_counts_is_in_the_table() -> None:
    found = counted()
    assert {
        "not-announced",
        "not-subscribed",
        "ghost",
        "silent-stream",
        "no-picture",
        "stream-stopped",
        "corrupt",
        "refused-*",
        "put-out",
        "chat-lost",
    } <= found, "the search finds nothing"
    assert found - set(WORDS) - {"stranger-not-connected"} == set()


def test_a_run_without_faults_passes() -> None:
    assert assess(MadeUpRun(clients=4, hold_s=5).record()).verdict == "pass"


@pytest.mark.parametrize("word", sorted(word for word, where in WORDS.items() if where in ("errors", "disorder")))
def test_each_word_spoils_the_verdict_by_itself(word: str) -> None:
    report = assess(with_faults(word.replace("*", "unknown")))
    assert report.verdict == "fail"
    (missed,) = [one for one in report.objectives if not one.ok]
    assert (missed.name, missed.value) == ("errors" if WORDS[word] == "errors" else "chat_disorder", 1)


@pytest.mark.parametrize("word", sorted(word for word, where in WORDS.items() if where == "counted"))
def test_a_word_with_a_total_is_counted_once(word: str) -> None:
    report = assess(with_faults(word.replace("*", "unknown"), TOTALS[word]))
    assert report.verdict == "fail"
    (missed,) = [one for one in report.objectives if not one.ok]
    assert missed.value == 1


def test_a_fault_of_the_generator_itself_voids() -> None:
    record = with_faults("generator-error")
    (reason,) = void_reasons(record.scenario.generator, record.generators)
    assert "what it should not" in reason
    assert assess(msgspec.structs.replace(record, void=(reason,))).verdict == "void"


def with_behaviour(totals: dict[str, int], reconnects: int = 0, **behaviour: float) -> RunRecord:
    """A perfect run of a scenario with this behaviour, of which generators tell these totals."""
    record = MadeUpRun(clients=4, hold_s=5).record(parts=1)
    (one,) = record.generators
    assert one.finished is not None
    users = tuple(msgspec.structs.replace(user, reconnects=reconnects) for user in one.finished.users)
    one = msgspec.structs.replace(
        one,
        finished=msgspec.structs.replace(one.finished, users=users),
        samples=tuple(msgspec.structs.replace(each, totals={**each.totals, **totals}) for each in one.samples),
    )
    scenario = msgspec.structs.replace(record.scenario, behaviour=Behaviour(**behaviour))  # type: ignore[arg-type]
    return msgspec.structs.replace(record, scenario=scenario, generators=(one,))


@pytest.mark.parametrize(("refusals", "missing"), [(6, 0), (5, 1), (4, 1), (0, 3)])
def test_strangers_who_never_tried_are_errors(refusals: int, missing: int) -> None:
    report = assess(with_behaviour({"refusals": refusals}, refused=3))
    assert report.summary.errors == missing
    assert report.faults == ({"stranger-not-tried": missing} if missing else {})
    assert report.verdict == ("fail" if missing else "pass")


def test_a_stranger_whose_fault_is_told_is_not_missing_too() -> None:
    record = with_behaviour({"refusals": 3}, refused=3)
    (one,) = record.generators
    assert one.finished is not None
    faults = {"stranger-not-connected": 1, "stranger-admitted": 1}
    one = msgspec.structs.replace(one, finished=msgspec.structs.replace(one.finished, faults=faults))
    assert assess(msgspec.structs.replace(record, generators=(one,))).faults == faults


@pytest.mark.parametrize(("reconnects", "missing"), [(1, 0), (0, 4)])
def test_cuts_that_never_happened_are_errors(reconnects: int, missing: int) -> None:
    report = assess(with_behaviour({}, reconnects, reconnect_at_s=2))
    assert report.summary.errors == missing
    assert report.faults == ({"not-reconnected": missing} if missing else {})


@pytest.mark.parametrize("acked", [0, 5])
def test_chat_that_nobody_sent_proves_nothing(acked: int) -> None:
    report = assess(with_behaviour({"chat_sent": acked, "chat_acked": acked}, chat_per_minute=60))
    assert report.verdict == ("pass" if acked else "fail")
    missed = [(one.name, one.value) for one in report.objectives if not one.ok]
    assert missed == ([] if acked else [("chat_lost", None), ("chat_disorder", None)])


def test_a_word_that_nobody_thought_of_is_an_error() -> None:
    assert judged("never-heard-of") == "errors"
    assert assess(with_faults("never-heard-of")).summary.errors == 1
