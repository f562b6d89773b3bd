"""Synthetic publishers and subscribers on the sanitized modules: every rule of theirs, and calls over bad paths."""

from __future__ import annotations

from pathlib import Path

import pytest
from support import sanitized

FILES = ("test_media_call.py", "test_receivers.py", "test_senders.py")


@pytest.mark.timeout(sanitized.BUILD_TIMEOUT_S + 600)
def test_media_under_the_sanitizers() -> None:
    sanitized.build()
    sanitized.run_tests(*(Path(__file__).with_name(name) for name in FILES))
