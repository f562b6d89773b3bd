"""Waiting for something to become true, with a bound and a message that says what was seen last."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

POLL_S = 0.1

Value = TypeVar("Value")


def eventually(look: Callable[[], Value], accept: Callable[[Value], bool], timeout_s: float = 20.0) -> Value:
    """The first value that is accepted."""
    deadline = time.monotonic() + timeout_s
    while not accept(value := look()):
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout_s} s it is still {value!r}")
        time.sleep(POLL_S)
    return value
