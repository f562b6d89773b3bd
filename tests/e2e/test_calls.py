"""People with Chromium in one room, through the very command that the README names."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from support.call_page import WATCH, CallPage
from support.chromium import Chromium, ChromiumPage, chromium
from support.judge import expect_everyone_sees_everyone, expect_pictures
from support.process import ServerProcess
from support.proxy import CuttableProxy
from support.repository import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

PICTURES = ROOT / "test-output"
BUILD_TIMEOUT_S = 600.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    settings = {"PORT": "0", "RTC_PORT": "0", "STATE_DIR": str(tmp_path_factory.mktemp("state"))}
    with ServerProcess(["make", "serve"], cwd=ROOT, settings=settings, ready_timeout_s=BUILD_TIMEOUT_S) as process:
        yield process
        process.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as running:
        yield running


@contextmanager
def person(browser: Chromium, url: str, room: str, name: str) -> Iterator[CallPage]:
    """Someone in a room, until the context ends; what their console said is shown when a test fails."""
    page = browser.page(before=WATCH)
    try:
        caller = CallPage(page, name)
        caller.join(url, room)
        yield caller
    except BaseException:
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(PICTURES / f"failed-{name}.png")
        print(f"console of {name}:", *page.console, sep="\n  ")
        raise
    finally:
        page.close()


def new_room() -> str:
    return f"call-{secrets.token_hex(4)}"


def take_picture(caller: CallPage, name: str) -> None:
    """Keep what a person sees, for people to look at."""
    path: Path = PICTURES / f"{name}.png"
    caller.page.screenshot(path)
    assert path.stat().st_size > 0


def test_two_then_three_people(server: ServerProcess, browser: Chromium) -> None:
    room = new_room()
    with ExitStack() as stack:
        ada = stack.enter_context(person(browser, server.url, room, "Ada"))
        ben = stack.enter_context(person(browser, server.url, room, "Ben"))
        expect_everyone_sees_everyone([ada, ben])
        take_picture(ada, "call-of-two")
        with person(browser, server.url, room, "Cleo") as cleo:
            expect_everyone_sees_everyone([ada, ben, cleo])
            take_picture(ada, "call-of-three")
            cleo.leave()
            for other in (ada, ben):
                other.wait_for_people("Ben" if other is ada else "Ada")
        expect_everyone_sees_everyone([ada, ben])


def test_a_closed_page_disappears(server: ServerProcess, browser: Chromium) -> None:
    room = new_room()
    with person(browser, server.url, room, "Ada") as ada:
        with person(browser, server.url, room, "Ben"):
            ada.wait_for_people("Ben")
        ada.wait_for_people()


def test_chat_goes_both_ways_in_order(server: ServerProcess, browser: Chromium) -> None:
    room = new_room()
    with person(browser, server.url, room, "Ada") as ada, person(browser, server.url, room, "Ben") as ben:
        said = []
        for number in range(4):
            speaker = (ada, ben)[number % 2]
            said.append(f"{speaker.name} says {number}")
            speaker.say(said[-1])
            for listener in (ada, ben):
                listener.wait_for_messages(said)
        take_picture(ben, "chat")
        with person(browser, server.url, room, "Cleo") as late:
            late.wait_for_messages(said)


def test_mute_and_camera_off_are_seen(server: ServerProcess, browser: Chromium) -> None:
    room = new_room()
    with person(browser, server.url, room, "Ada") as ada, person(browser, server.url, room, "Ben") as ben:
        expect_everyone_sees_everyone([ada, ben])
        ben.wait_for_state("Ada", muted=False, camera=True)
        ada.page.click("toggle-microphone")
        ben.wait_for_state("Ada", muted=True)
        ada.page.click("toggle-camera")
        ben.wait_for_state("Ada", camera=False)
        take_picture(ben, "muted-and-camera-off")
        ada.page.click("toggle-microphone")
        ada.page.click("toggle-camera")
        ben.wait_for_state("Ada", muted=False, camera=True)
        expect_pictures(ben, "Ada")


def test_a_lost_connection_comes_back(server: ServerProcess, browser: Chromium) -> None:
    room = new_room()
    with (
        CuttableProxy(server.url) as proxy,
        person(browser, proxy.url, room, "Ada") as ada,
        person(browser, server.url, room, "Ben") as ben,
    ):
        expect_everyone_sees_everyone([ada, ben])
        ada.say("before")
        ben.wait_for_messages(["before"])
        assert proxy.cut() > 0
        ben.say("meanwhile")
        ada.wait_for_messages(["before", "meanwhile"])
        ada.say("after")
        ben.wait_for_messages(["before", "meanwhile", "after"])
        expect_everyone_sees_everyone([ada, ben])
        assert ada.page.evaluate("window.neverReloaded")


def test_nothing_is_asked_of_other_hosts(server: ServerProcess, browser: Chromium) -> None:
    page: ChromiumPage = browser.page(before=WATCH)
    try:
        CallPage(page, "Ada").join(server.url, new_room())
        loaded = page.evaluate("performance.getEntriesByType('resource').map((entry) => new URL(entry.name).origin)")
        assert set(loaded) == {server.url}
        assert not [line for line in page.console if "Content Security Policy" in line or line.startswith("uncaught")]
    finally:
        page.close()
