"""Structured logs that hold no addresses, tokens or keys, and no more than a few lines a second of one kind."""

from __future__ import annotations

import ipaddress
import logging
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

HIDDEN = "[hidden]"
#: Fields whose values are secrets or say who someone is, whatever they hold.
SECRET_FIELDS = frozenset({
    "address", "authorization", "candidate", "candidates", "cookie", "fingerprint", "ice_password", "ip", "key", "name",
    "owner_token", "password", "peer", "remote", "resume_token", "secret", "subprotocol", "text", "token", "ufrag",
    "url", "username_fragment",
})  # fmt: skip
_SECRETS = re.compile(r"(?i)\bbearer[. ][\w.~+/=-]+")
#: 20 and more characters of random ids and tokens, and what looks like an address.
_RANDOM = re.compile(r"(?<![\w/.-])(?=[\w-]*[0-9])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{20,}(?![\w/-]|\.\w)")
_MAYBE_ADDRESS = re.compile(
    r"(?<![\w.:])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f.]{0,15}){2,8})(?![\w:])"
)

LINES_PER_S = 10


def redact(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secrets: whole fields by name, and addresses and tokens inside of any text."""
    for field, value in event.items():
        if field in SECRET_FIELDS:
            event[field] = HIDDEN
        elif isinstance(value, str):
            event[field] = scrub(value)
        elif not isinstance(value, (bool, int, float, type(None))):
            event[field] = scrub(repr(value))
    return event


def scrub(text: str) -> str:
    """Return `text` without addresses and tokens, on one line unless it is a traceback."""
    text = _SECRETS.sub(HIDDEN, text)
    text = _RANDOM.sub(HIDDEN, text)
    return _MAYBE_ADDRESS.sub(_hide_address, text)


def _hide_address(match: re.Match[str]) -> str:
    try:
        ipaddress.ip_address(match[0].rstrip("."))
    except ValueError:
        return match[0]  # a time, a version
    return HIDDEN


class LinesPerCause:
    """Lets `LINES_PER_S` lines a second of each event through; the next line says how many were left out."""

    MAX_CAUSES = 1000

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._causes: dict[str, tuple[int, int, int]] = {}

    def __call__(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        """Count the line and drop it when there were too many of its kind."""
        cause = str(event.get("event"))
        second = int(self._clock())
        if cause not in self._causes and len(self._causes) >= self.MAX_CAUSES:
            self._causes.clear()
        began, lines, left_out = self._causes.get(cause, (second, 0, 0))
        if began != second:
            began, lines = second, 0
        if lines >= LINES_PER_S:
            self._causes[cause] = (began, lines, left_out + 1)
            raise structlog.DropEvent
        if left_out:
            event["left_out"] = left_out
        self._causes[cause] = (began, lines + 1, 0)
        return event


def configure(level: str, log_format: str, clock: Callable[[], float]) -> None:
    """Send the logs of the program and of its libraries to standard error."""
    renderer: Any
    if log_format == "json":
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=_plain_traceback)
    number = getattr(logging, level.upper())
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        LinesPerCause(clock),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        redact,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processor=renderer, foreign_pre_chain=shared))
    logging.basicConfig(handlers=[handler], level=max(number, logging.WARNING), force=True)


def _plain_traceback(stream: Any, exc_info: Any) -> None:
    """Write an exception that `format_exc_info` has not turned into text already."""
    stream.write("\n" + scrub(structlog.processors.format_exc_info(None, "", {"exc_info": exc_info})["exception"]))
