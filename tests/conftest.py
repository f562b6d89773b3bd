"""Makes ``tests/support`` importable; everything else lives beside the tests that use it."""

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

TESTS = Path(__file__).parent
sys.path.insert(0, str(TESTS))

# The same examples every time, so that a run fails for what changed and not by luck; new ones are looked for with
# `--hypothesis-profile=explore`. A busy machine makes single examples slow; the whole test has a timeout of its own.
settings.register_profile("simplestchat", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", settings.get_profile("simplestchat"), derandomize=False, max_examples=2000)
settings.load_profile("simplestchat")

# Where rich is installed, structlog draws every exception with all variables, which takes seconds for one.
structlog.configure(
    processors=[
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)

#: What takes longest, in this order: begun first, so that no process is left alone with it at the end.
LONGEST = (
    "packaging/test_distribution.py",
    "fuzz/test_fuzz_sanitized.py",
    "sim/test_sim_sanitized.py",
    "e2e/test_load_scenarios.py",
    "e2e/test_http_abuse.py",
    "e2e/test_abuse.py",
    "e2e/test_load_faults.py",
    "e2e/test_load_announcements.py",
    "unit/peer/test_media_sanitized.py",
    "e2e/test_load_tls.py",
    "e2e/test_tls.py",
    "e2e/test_lifecycle.py",
)

#: What can encrypt media on a machine of this kind (scripts/packages.sh installs ipsec-mb where it exists).
BACKENDS = ("openssl", "ipsec-mb") if platform.machine() == "x86_64" else ("openssl",)


@pytest.fixture(scope="module", params=BACKENDS)
def srtp_backend(request: pytest.FixtureRequest) -> Iterator[str]:
    """What encrypts media in this process; a module that uses it runs once with each."""
    from simplestchat._native.crypto import srtp_backend

    srtp_backend.choose(request.param)
    yield request.param
    srtp_backend.choose("openssl")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Order the files for processes that share them out; a single process keeps pytest's order."""
    if hasattr(config, "workerinput"):
        rank = {TESTS / name: number for number, name in enumerate(LONGEST)}
        items.sort(key=lambda item: rank.get(item.path, len(LONGEST)))
