"""Simulated calls on the sanitized modules: attacks by strangers and by members, and the ends of things."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import sanitized

UNIT = Path(__file__).parents[1] / "unit"
LIVE = (
    UNIT / "io/test_crowd.py",
    UNIT / "peer/test_link.py::test_nothing_appears_or_vanishes_uncounted",
    UNIT / "peer/test_link.py::test_no_more_is_in_flight_than_the_cap",
)
FILES = ("test_strangers.py", "test_hostile_publisher.py", "test_lifecycle.py", "test_swarm_connect.py", "test_pipe.py")


@pytest.mark.timeout(sanitized.BUILD_TIMEOUT_S + 600)
def test_calls_under_the_sanitizers() -> None:
    sanitized.build()
    calls = (Path(__file__).with_name(name) for name in FILES)
    sanitized.run_tests(*calls, *LIVE)  # in one process: its start takes seconds
