"""Rooms as people find, manage and leave them on the page, a shared screen, and what all of it looks like."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from support.call_page import TILES, WATCH, CallPage
from support.chromium import Chromium, ChromiumPage, chromium
from support.judge import FRAMES, expect_pictures
from support.launch import serve
from support.process import ServerProcess
from support.repository import ROOT
from support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

PICTURES = ROOT / "test-output"
PATIENCE_S = 40.0  # for a loaded machine; nothing here takes long on an idle one
NAMES = ("Book club", "Rehearsal of the string quartet", "Donaudampfschifffahrtsgesellschaft" + "s" * 25, "茶室")
WINDOWS = {"desktop": (1280, 800), "phone": (390, 844)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
WITHIN = """
document.documentElement.scrollWidth <= innerWidth
&& [...document.querySelectorAll('[data-testid]')].every((element) => {
  const { left, right, width } = element.getBoundingClientRect();
  return width <= 1 || getComputedStyle(element).opacity === '0' || (left >= -1 && right <= innerWidth + 1);
})
"""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ServerProcess]:
    with serve(tmp_path, "--workers", "1") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as running:
        yield running


@contextmanager
def person(browser: Chromium, name: str) -> Iterator[CallPage]:
    """Someone with a page of their own; when a test fails, its last picture and its console are kept."""
    page = browser.page(before=WATCH)
    try:
        yield CallPage(page, name)
    except BaseException:
        page.screenshot(PICTURES / f"failed-{name}.png")
        print(f"console of {name}:", *page.console, sep="\n  ")
        raise
    finally:
        page.close()


def tab_of(caller: CallPage) -> ChromiumPage:
    assert isinstance(caller.page, ChromiumPage)
    return caller.page


def wait_for_text(caller: CallPage, test_id: str, text: str) -> None:
    """Wait until an element says exactly this."""
    query = f"document.querySelector('[data-testid=\"{test_id}\"]')?.textContent.trim() === {json.dumps(text)}"
    caller.page.wait_until(query, PATIENCE_S)


def wait_until_gone(caller: CallPage, test_id: str) -> None:
    caller.page.wait_until(f"document.querySelector('[data-testid=\"{test_id}\"]') === null", PATIENCE_S)


def make_public_room(maker: CallPage, url: str, name: str) -> str:
    """Make a room on the first page and go in; its id."""
    maker.page.open(url)
    maker.page.fill("room-name-input", name)
    tab_of(maker).switch("visibility-public", on=True)
    maker.page.click("create-room")
    wait_for_text(maker, "prejoin-room", name)
    room: str = maker.page.evaluate("location.pathname.split('/').pop()")
    maker.go_in()
    return room


def find_and_join(guest: CallPage, url: str, name: str) -> None:
    """Search the first page's list for a room and go in."""
    guest.page.open(url)
    guest.page.fill("room-search", name)
    guest.page.wait_until(
        f"[...document.querySelectorAll('[data-testid=\"public-room\"]')].length === 1"
        f" && document.querySelector('[data-testid=\"public-room\"]').innerText.includes({json.dumps(name)})",
        PATIENCE_S,
    )
    guest.page.click("public-room")
    guest.go_in()


@contextmanager
def room_settings(maker: CallPage) -> Iterator[ChromiumPage]:
    """The dialog of the room's owner, open in the call."""
    tab = tab_of(maker)
    tab.click("call-menu")
    tab.click("menu-room")
    tab.wait_for("room-settings")
    yield tab
    tab.click("room-settings-close")
    wait_until_gone(maker, "room-settings")


def rename(maker: CallPage, guest: CallPage, name: str) -> None:
    with room_settings(maker) as tab:
        tab.fill("room-rename-input", name)
        tab.click("room-rename")
        for one in (maker, guest):
            wait_for_text(one, "room-name", name)


def without_pictures_for_a_while(maker: CallPage, guest: CallPage) -> None:
    """Audio only: the guest's camera goes, cannot be switched on, and can again afterwards."""
    expect_pictures(maker, guest.name, PATIENCE_S)
    with room_settings(maker) as tab:
        tab.switch("room-audio-only", on=True)
        maker.wait_for_state(guest.name, camera=False)
        guest.page.wait_for("tag-audio-only", PATIENCE_S)
    assert guest.name not in maker.seen()
    tab_of(guest).click_anyway("toggle-camera")
    eventually(
        lambda: " ".join(guest.page.texts("notice")), lambda said: "This room is audio only." in said, PATIENCE_S
    )
    assert not guest.tiles()[guest.name]["camera"]
    with room_settings(maker) as tab:
        tab.switch("room-audio-only", on=False)
        wait_until_gone(guest, "tag-audio-only")
    guest.page.click("toggle-camera")
    expect_pictures(maker, guest.name, PATIENCE_S)


def send_out(maker: CallPage, guest: CallPage) -> None:
    maker.page.click("toggle-people")
    maker.page.click("person-remove")
    wait_for_ending(guest, "kicked", "You were sent out")
    maker.wait_for_people()


def wait_for_ending(caller: CallPage, kind: str, title: str) -> None:
    """Wait for the page after a call; it says why, and has a way out."""
    query = f"document.querySelector('[data-testid=\"ended\"]')?.dataset.kind === '{kind}'"
    caller.page.wait_until(query, PATIENCE_S)
    assert title in caller.page.texts("ended")[0]
    assert caller.page.count("ended-home") == 1


def test_a_room_from_its_making_to_its_end(server: ServerProcess, browser: Chromium) -> None:
    with person(browser, "Ada") as ada:
        room = make_public_room(ada, server.url, "Tea at four")
        with person(browser, "Ben") as ben:
            find_and_join(ben, server.url, "Tea at four")
            ada.wait_for_people("Ben")
            rename(ada, ben, "Cake at five")
            without_pictures_for_a_while(ada, ben)
            send_out(ada, ben)
        with room_settings(ada) as tab:
            tab.switch("room-lock", on=True)
            tab.wait_for("tag-locked", PATIENCE_S)
        with person(browser, "Cleo") as cleo:
            cleo.page.open(f"{server.url}/r/{room}")
            cleo.page.wait_for("preview-video", PATIENCE_S)
            cleo.page.fill("name-input", "Cleo")
            cleo.page.click("join")
            wait_for_ending(cleo, "room_locked", "The room is locked")
            cleo.page.click("ended-home")
            cleo.page.wait_for("public-rooms", PATIENCE_S)
        ada.page.click("call-menu")
        ada.page.click("menu-room")
        ada.page.click("room-close")
        ada.page.click("room-close-confirm")
        wait_for_ending(ada, "closed", "The room is closed")
        ada.page.click("ended-home")
        ada.page.wait_for("rooms-empty", PATIENCE_S)
        assert ada.page.count("owned-room") == 0
        assert tab_of(ada).errors == []


def test_a_shared_screen_is_decoded_beside_the_camera(server: ServerProcess, browser: Chromium) -> None:
    with person(browser, "Ada") as ada, person(browser, "Ben") as ben:
        ada.join(server.url, "screens")
        ben.join(server.url, "screens")
        expect_pictures(ben, "Ada", PATIENCE_S)
        ada.page.click("toggle-screen")
        eventually(lambda: ben.seen("screen"), lambda seen: "Ada" in seen and seen["Ada"].frames >= FRAMES, PATIENCE_S)
        expect_pictures(ben, "Ada", PATIENCE_S)
        tracks = {ben.seen(kind)["Ada"].track for kind in ("person", "screen")}
        assert len(tracks) == 2
        tab_of(ben).screenshot(PICTURES / "shared-screen.png")
        ada.page.click("toggle-screen")
        ben.page.wait_until(f"({TILES}).every((tile) => tile.kind === 'person')", PATIENCE_S)
        expect_pictures(ben, "Ada", PATIENCE_S)


def show(caller: CallPage, name: str) -> None:
    """Keep pictures of a page in each size and colour; nothing may stick out at the sides."""
    tab = tab_of(caller)
    for window, size in WINDOWS.items():
        for scheme in SCHEMES:
            tab.look(size, scheme)
            tab.wait_until(WITHIN)
            tab.whole_screenshot(PICTURES / f"page-{name}-{window}-{scheme}.png")
    tab.look(WINDOWS["desktop"], "light")


def prepare_rooms(url: str) -> None:
    """Public rooms with short and very long names."""
    for name in NAMES:
        body = json.dumps({"name": name, "public": True}).encode()
        wanted = urllib.request.Request(f"{url}/api/rooms", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(wanted, timeout=PATIENCE_S) as answer:
            assert answer.status == 201


def test_every_page_fits_and_nothing_is_complained_about(server: ServerProcess, browser: Chromium) -> None:
    with person(browser, "Ada") as ada:
        ada.page.open(server.url)
        ada.page.wait_for("rooms-empty", PATIENCE_S)
        show(ada, "first-empty")
        ada.page.open(f"{server.url}/r/garden")
        ada.page.wait_for("preview-video", PATIENCE_S)
        show(ada, "before-the-call")
        ada.go_in()
        show(ada, "alone")
        with person(browser, "Ben") as ben:
            ben.join(server.url, "garden")
            expect_pictures(ada, "Ben", PATIENCE_S)
            show(ada, "call")
            ada.say("Shall we begin? The plan is at https://example.org/plan")
            ada.wait_for_messages(["Shall we begin? The plan is at https://example.org/plan"])
            show(ada, "chat")
            ada.page.click("toggle-chat")
            with room_settings(ada):
                show(ada, "settings")
            assert tab_of(ben).errors == []
        ada.leave()
        ada.page.wait_for("ended", PATIENCE_S)
        assert ada.page.count("notice") == 0
        show(ada, "left")
        prepare_rooms(server.url)
        ada.page.click("ended-home")
        ada.page.wait_for("public-room", PATIENCE_S)
        show(ada, "first-with-rooms")
        assert tab_of(ada).errors == []
