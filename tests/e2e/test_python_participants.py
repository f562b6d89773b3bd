"""mediasoup's client in Python over aiortc sends and receives decoded media, with its like and with a browser."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import participant
from support.call_page import WATCH, CallPage
from support.chromium import EXECUTABLE, chromium
from support.judge import expect_pictures
from support.launch import serve
from support.namespace import Namespace
from support.process import ServerProcess
from support.reporter import Reporter
from support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

FRAMES = 30


@pytest.fixture(scope="module")
def network() -> Iterator[Namespace]:
    """aioice offers no loopback candidates, so there must be another interface."""
    with Namespace() as namespace:
        yield namespace


@pytest.fixture(scope="module")
def server(network: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with serve(tmp_path_factory.mktemp("server"), "--workers", "1", wrapper=network.enter) as process:
        yield process


def take_part(network: Namespace, url: str, room: str, name: str) -> Reporter:
    return Reporter([*network.enter, sys.executable, participant.__file__, url, room, name])


def decodes(name: str, size: tuple[int, int] | None, report: dict[str, Any]) -> bool:
    """Whether a report shows flowing pictures of a size, and sound that is no silence."""
    seen = report.get(name)
    return (
        seen is not None
        and seen["video"] >= FRAMES
        and (size is None or tuple(seen["size"]) == size)
        and seen["audio"] >= FRAMES
        and seen["loudness"] > 0.01
    )


def test_two_of_them(network: Namespace, server: ServerProcess) -> None:
    room = f"snakes-{secrets.token_hex(4)}"
    with take_part(network, server.url, room, "Ann") as ann, take_part(network, server.url, room, "Bob") as bob:
        ann.wait_for(lambda report: decodes("Bob", participant.SIZE, report))
        bob.wait_for(lambda report: decodes("Ann", participant.SIZE, report))


def test_one_with_a_browser(network: Namespace, server: ServerProcess, tmp_path: Path) -> None:
    room = f"zoo-{secrets.token_hex(4)}"
    with (
        take_part(network, server.url, room, "Ann") as ann,
        chromium(network.script(tmp_path, str(EXECUTABLE))) as browser,
    ):
        carl = CallPage(browser.page(before=WATCH), "Carl")
        carl.join(server.url, room)
        expect_pictures(carl, "Ann")
        assert carl.seen()["Ann"].size == participant.SIZE
        eventually(carl.heard, lambda voices: len(voices) == 1 and voices[0] > 0)
        ann.wait_for(lambda report: decodes("Carl", None, report))
