"""Pages and the server together: everyone gets the layer that tile and network can take, and no more is sent."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from support.call_page import CallPage
from support.chromium import Chromium, chromium
from support.judge import expect_pictures
from support.layered_call import (
    CHANGE_S,
    LARGE,
    LOOK_S,
    SMALL,
    arriving,
    bytes_of_streams,
    expect_height,
    growth,
    look,
    new_room,
    person,
)
from support.ports import free_ports
from support.repository import ROOT
from support.server import Server
from support.thin_path import ThinPath, reroute, thin
from support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

THIN_BPS = 200_000  # less than any of the middle encoding's layers
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
        # A busy machine is slow, but not three times in a row.
        assert any(hidden_and_back_ms(ben) < BACK_MS for _ in range(3))
        expect_pictures(ben, "Ada")


def hidden_and_back_ms(caller: CallPage) -> float:
    """Hide a page until nothing comes to it, and show it again; how long that took until there was a new picture."""
    caller.page.evaluate(SET_HIDDEN.format(hidden="true"))
    eventually(lambda: arriving(caller), lambda found: found == 0, CHANGE_S)
    return float(caller.page.evaluate(BACK.replace("SHOW", SET_HIDDEN.format(hidden="false").strip())))


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
        path.down.link = thin(40 * THIN_BPS)
        expect_height(ben, "Ada", 720)
        assert len(bytes_of_streams(ada)) == 3
