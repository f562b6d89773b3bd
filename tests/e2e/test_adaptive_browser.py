"""Pages and the server together: everyone gets the layer that tile and network can take, and no more is sent."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.call_page import WATCH, CallPage
from support.chromium import EXECUTABLE, Chromium, ChromiumPage, chromium
from support.firefox import firefox
from support.judge import expect_pictures
from support.launch import serve
from support.namespace import ADDRESS, Namespace
from support.ports import free_ports
from support.repository import ROOT
from support.server import Server
from support.thin_path import ThinPath, reroute, thin
from support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

#: As many streams as a stronger machine sends.
CORES = "Object.defineProperty(navigator, 'hardwareConcurrency', { get: () => 4 });"
LARGE = (1920, 1080)
SMALL = (340, 380)
CHANGE_S = 40.0
LOOK_S = 3.0
THIN_BPS = 400_000
BACK_MS = 2_000
SET_HIDDEN = """
(() => {{
  Object.defineProperty(document, "hidden", {{ configurable: true, get: () => {hidden} }});
  document.dispatchEvent(new Event("visibilitychange"));
}})()
"""
# Milliseconds from coming back into view until the next new picture.
BACK = """
(async () => {
  const video = document.querySelector('[data-testid="tile"] video');
  const pictures = () => video.getVideoPlaybackQuality().totalVideoFrames;
  const before = pictures();
  const start = performance.now();
  SHOW;
  while (pictures() === before && performance.now() - start < 10_000) await new Promise((done) => setTimeout(done, 20));
  return performance.now() - start;
})()
"""


@pytest.fixture(scope="module")
def rtc_port() -> int:
    return free_ports(1)


@pytest.fixture(scope="module")
def server(rtc_port: int) -> Iterator[Server]:
    with Server(RTC_PORT=str(rtc_port)) as process:
        yield process
        process.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as running:
        yield running


@contextmanager
def person(
    browser: Chromium, url: str, room: str, name: str, codec: str = "vp8", before: str = ""
) -> Iterator[CallPage]:
    page = browser.page(before=WATCH + CORES + before)
    try:
        caller = CallPage(page, name)
        caller.join(url, f"{room}?codec={codec}")
        yield caller
    except BaseException:
        page.screenshot(ROOT / "test-output" / f"failed-{name}.png")
        print(f"console of {name}:", *page.console, sep="\n  ")
        print("state:", page.evaluate("__simplestchat.state()"))
        raise
    finally:
        page.close()


def new_room() -> str:
    return f"adapt-{secrets.token_hex(4)}"


def look(caller: CallPage, size: tuple[int, int], *, pinned: str) -> None:
    """See someone as large as the window allows, or in a small tile of a small window."""
    assert isinstance(caller.page, ChromiumPage)
    large = "document.querySelector('.tile-large') !== null"
    caller.page.look(size, "light")
    if caller.page.evaluate(large) != (size == LARGE):
        caller.pin(pinned)


def height(caller: CallPage, name: str) -> int:
    seen = caller.seen().get(name)
    return seen.size[1] if seen else 0


def expect_height(caller: CallPage, name: str, *heights: int) -> None:
    """Someone is seen in one of these heights before long, and the pictures go on."""
    eventually(lambda: height(caller, name), lambda found: found in heights, CHANGE_S)
    expect_pictures(caller, name)


def bytes_of_streams(caller: CallPage) -> dict[str, int]:
    return {one.get("rid", ""): one["bytesSent"] for one in caller.streams("outbound", "video")}


def growth(caller: CallPage) -> dict[str, int]:
    """What each encoding sends in a while."""
    before = bytes_of_streams(caller)
    time.sleep(LOOK_S)
    return {rid: count - before[rid] for rid, count in bytes_of_streams(caller).items()}


def arriving(caller: CallPage) -> int:
    """The bytes of pictures that come in a while."""
    before = caller.received("video")
    time.sleep(LOOK_S)
    return caller.received("video") - before


def test_the_room_names_codecs_and_pages_send_layers(server: Server, browser: Chromium) -> None:
    with person(browser, server.url, new_room(), "Ada", codec="") as ada:
        eventually(lambda: bytes_of_streams(ada), lambda found: len(found) == 3)
        assert ada.page.evaluate("__simplestchat.state().codec") == "vp8"  # four cores


@pytest.mark.parametrize("codec", ["vp8", "vp9", "av1"])
def test_the_picture_follows_the_size_of_the_tile(server: Server, browser: Chromium, codec: str) -> None:
    room = new_room()
    with (
        person(browser, server.url, room, "Ada", codec) as ada,
        person(browser, server.url, room, "Ben", codec) as ben,
    ):
        look(ben, LARGE, pinned="Ada")
        expect_height(ben, "Ada", 720)
        modes = {one.get("scalabilityMode") for one in ada.streams("outbound", "video")}
        assert modes == ({"L1T3"} if codec == "vp8" else {"L3T3_KEY"})
        look(ben, SMALL, pinned="Ada")
        expect_height(ben, "Ada", 180, 360)
        look(ben, LARGE, pinned="Ada")
        expect_height(ben, "Ada", 720)


def test_encodings_that_nobody_takes_are_switched_off_and_come_back(server: Server, browser: Chromium) -> None:
    room = new_room()
    with person(browser, server.url, room, "Ada") as ada, person(browser, server.url, room, "Ben") as ben:
        look(ben, LARGE, pinned="Ada")
        expect_height(ben, "Ada", 720)
        assert len(bytes_of_streams(ada)) == 3
        look(ben, SMALL, pinned="Ada")
        expect_height(ben, "Ada", 180, 360)
        eventually(ada.active, lambda found: found[0] and not found[2], CHANGE_S)
        eventually(lambda: growth(ada), lambda found: found["r2"] == 0 and found["r0"] > 0, CHANGE_S)
        look(ben, LARGE, pinned="Ada")
        eventually(ada.active, lambda found: found[2], CHANGE_S)
        expect_height(ben, "Ada", 720)
        assert growth(ada)["r2"] > 0


def test_nothing_comes_to_a_page_that_is_not_seen(server: Server, browser: Chromium) -> None:
    room = new_room()
    with person(browser, server.url, room, "Ada"), person(browser, server.url, room, "Ben") as ben:
        expect_pictures(ben, "Ada")
        ben.page.evaluate(SET_HIDDEN.format(hidden="true"))
        eventually(lambda: arriving(ben), lambda found: found == 0, CHANGE_S)
        back_ms = ben.page.evaluate(BACK.replace("SHOW", SET_HIDDEN.format(hidden="false").strip()))
        assert back_ms < BACK_MS
        expect_pictures(ben, "Ada")


def test_a_thin_link_gets_the_low_layer_and_recovers(server: Server, browser: Chromium, rtc_port: int) -> None:
    room = new_room()
    with (
        ThinPath(rtc_port) as path,
        person(browser, server.url, room, "Ada") as ada,
        person(browser, server.url, room, "Ben", before=reroute(path.port)) as ben,
    ):
        look(ben, LARGE, pinned="Ada")
        expect_height(ben, "Ada", 720)
        path.down.link = thin(THIN_BPS)
        expect_height(ben, "Ada", 180)
        dropped, sent = path.down.counters.queue_drops, path.down.counters.sent
        time.sleep(LOOK_S)
        assert path.down.counters.queue_drops - dropped < (path.down.counters.sent - sent) / 5
        ben.page.screenshot(ROOT / "test-output" / "thin-link.png")
        path.down.link = thin(20 * THIN_BPS)
        expect_height(ben, "Ada", 720)
        assert len(bytes_of_streams(ada)) == 3


def test_firefox_sends_streams_and_takes_layers(tmp_path: Path) -> None:
    room = new_room()
    listen = ["--host", "0.0.0.0", "--tls", "self-signed", "--workers", "1"]
    with Namespace() as network, serve(tmp_path, *listen, wrapper=network.enter) as server:
        url = f"https://{ADDRESS}:{urlsplit(server.url).port}"
        with (
            firefox(network, tmp_path, before=WATCH + CORES) as fox,
            chromium(network.script(tmp_path, str(EXECUTABLE))) as browser,
            person(browser, url, room, "Carl") as carl,
        ):
            fiona = CallPage(fox, "Fiona")
            fiona.join(url, f"{room}?codec=vp8")
            expect_pictures(fiona, "Carl")
            expect_pictures(carl, "Fiona")
            assert len(bytes_of_streams(fiona)) >= 2
            look(carl, LARGE, pinned="Fiona")
            large = eventually(lambda: max(size[1] for size in fiona.sent_sizes()), lambda found: found > 0)
            expect_height(carl, "Fiona", large)
            look(carl, SMALL, pinned="Fiona")
            eventually(lambda: height(carl, "Fiona"), lambda found: 0 < found < large, CHANGE_S)
            fiona.pin("Carl")
            sizes = carl.sent_sizes()
            eventually(lambda: height(fiona, "Carl"), lambda found: found in {size[1] for size in sizes}, CHANGE_S)
