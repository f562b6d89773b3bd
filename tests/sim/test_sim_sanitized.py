"""Simulated calls on the sanitized modules: attacks by strangers and by members, and the ends of things."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import sanitized

FILES = ("test_strangers.py", "test_hostile_publisher.py", "test_lifecycle.py", "test_swarm_connect.py")


@pytest.mark.timeout(sanitized.BUILD_TIMEOUT_S + 600)
def test_calls_under_the_sanitizers() -> None:
    sanitized.build()
    sanitized.run_tests(*(Path(__file__).with_name(name) for name in FILES))  # in one process: its start takes seconds
