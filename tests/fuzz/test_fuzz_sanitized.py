"""Every fuzz target under the address and undefined-behaviour sanitizers, and proof that those would say something."""

from __future__ import annotations

import re
import subprocess

import pytest
from support import sanitized
from support.fuzzing import find_targets

pytestmark = pytest.mark.timeout(sanitized.BUILD_TIMEOUT_S + 600)

NAMES = [target.name for target in find_targets()]


@pytest.fixture(scope="session", autouse=True)
def _sanitized_build() -> None:
    sanitized.build()


def call(function: str, argument: str) -> subprocess.CompletedProcess[str]:
    return sanitized.run(["-c", f"from simplestchat._native.testing.exact import {function} as f; f({argument})"])


@pytest.mark.parametrize("name", NAMES)
def test_target(name: str) -> None:
    done = sanitized.run(["-m", "support.fuzzing", "--seed", "1", name])
    assert done.returncode == 0, done.stdout
    assert re.search(rf"^{re.escape(name)}: \d+ inputs, [1-9]\d* accepted", done.stdout, re.MULTILINE)
    assert "runtime error" not in done.stdout


def test_a_read_past_the_end_is_caught() -> None:
    done = call("read_past_end", "bytes(13)")
    assert done.returncode != 0
    assert "heap-buffer-overflow" in done.stdout
    assert "0 bytes to the right of 13-byte region" in done.stdout or "0 bytes after 13-byte region" in done.stdout


def test_undefined_arithmetic_is_caught() -> None:
    assert call("overflow", "1").returncode == 0
    done = call("overflow", "2**31 - 1")
    assert done.returncode != 0
    assert "signed integer overflow" in done.stdout
