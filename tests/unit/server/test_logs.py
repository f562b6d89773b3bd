from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from simplestchat.server import logs

SECRETS = [
    "192.0.2.77",
    "2001:db8::77",
    "::ffff:192.0.2.77",
    "fe80::1",
    "sWTrmrDEVUKQMMcP-swUM5SJum0a0iaTFwRIjKoBKPM",
    "bearer.abcdef",
    "Bearer abc-def",
]


@pytest.fixture
def clock() -> Iterator[list[float]]:
    now = [0.0]
    configured = structlog.get_config()
    yield now
    structlog.configure(**configured)
    logging.getLogger().handlers.clear()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().err.splitlines()]


@pytest.mark.parametrize("log_format", ["json", "text"])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_secret_gets_through(
    capsys: pytest.CaptureFixture[str], clock: list[float], log_format: str, secret: str
) -> None:
    logs.configure("info", log_format, lambda: clock[0])
    log = structlog.get_logger()
    log.info(f"connect from {secret} port 80")
    log.info("field", problem=f"cannot reach {secret}.", nested={"a": [secret]}, raw=secret.encode())
    try:
        raise OSError(f"no route to {secret}")
    except OSError:
        log.exception("failed")
    logging.getLogger("library").error("peer %s said no", secret)
    try:
        raise ValueError(secret)
    except ValueError:
        logging.getLogger("library").exception("oops")
    output = capsys.readouterr().err
    assert "failed" in output
    assert "OSError" in output
    assert secret not in output


def test_fields_that_are_secret_by_name_are_hidden(capsys: pytest.CaptureFixture[str], clock: list[float]) -> None:
    logs.configure("info", "json", lambda: clock[0])
    structlog.get_logger().info("joined", token="short", name="Alice", text="hello", password="x", worker=3)
    (line,) = lines(capsys)
    assert {line[field] for field in ("token", "name", "text", "password")} == {"[hidden]"}
    assert line["worker"] == 3


@pytest.mark.parametrize(
    "text", ["12:34:56", "at 2026-11-22T19:00:00.123456Z", "a::b::c", "version 1.2.3", "std::vector"]
)
def test_what_is_no_address_stays(text: str) -> None:
    assert logs.scrub(text) == text


def test_a_line_stays_a_line(capsys: pytest.CaptureFixture[str], clock: list[float]) -> None:
    logs.configure("info", "json", lambda: clock[0])
    structlog.get_logger().info("method", method="x\r\nfake line\x1b[31m\x00%s%n")
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_few_lines_per_second_of_each_cause(capsys: pytest.CaptureFixture[str], clock: list[float]) -> None:
    logs.configure("info", "json", lambda: clock[0])
    log = structlog.get_logger()
    for _ in range(1000):
        log.info("flood")
    log.info("rare")
    clock[0] = 1.0
    log.info("flood")
    seen = lines(capsys)
    assert [line["event"] for line in seen] == ["flood"] * 10 + ["rare", "flood"]
    assert seen[-1]["left_out"] == 990


def test_causes_do_not_pile_up(capsys: pytest.CaptureFixture[str], clock: list[float]) -> None:
    limiter = logs.LinesPerCause(lambda: clock[0])
    for number in range(10 * limiter.MAX_CAUSES):
        limiter(None, "info", {"event": f"cause {number}"})
    assert len(limiter._causes) <= limiter.MAX_CAUSES


def test_the_level_is_kept(capsys: pytest.CaptureFixture[str], clock: list[float]) -> None:
    logs.configure("warning", "json", lambda: clock[0])
    structlog.get_logger().info("quiet")
    structlog.get_logger().warning("loud")
    assert [line["event"] for line in lines(capsys)] == ["loud"]
