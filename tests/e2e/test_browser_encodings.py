"""What a page sends and asks for by itself: its encodings, the sizes of its tiles, audio only, the card of figures."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.call_page import WATCH, CallPage
from support.chromium import Chromium, ChromiumPage, chromium
from support.judge import expect_pictures
from support.repository import ROOT
from support.server import Server
from support.waiting import eventually
from support.watched_socket import WATCH_SOCKET, said, tell

pytestmark = [pytest.mark.e2e, pytest.mark.alone]

#: As many streams as a stronger machine sends.
CORES = "Object.defineProperty(navigator, 'hardwareConcurrency', { get: () => 4 });"
QUIET_S = 2.0


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with Server() as process:
        yield process
        process.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with chromium() as running:
        yield running


@contextmanager
def person(browser: Chromium, server: Server, room: str, name: str, codec: str = "") -> Iterator[CallPage]:
    page = browser.page(before=WATCH + WATCH_SOCKET + CORES)
    try:
        caller = CallPage(page, name)
        caller.join(server.url, f"{room}?codec={codec}")
        yield caller
        assert page.errors == []
    except BaseException:
        page.screenshot(ROOT / "test-output" / f"failed-{name}.png")
        print(f"console of {name}:", *page.console, sep="\n  ")
        raise
    finally:
        page.close()


def new_room() -> str:
    return f"layers-{secrets.token_hex(4)}"


def heights(caller: CallPage) -> list[int]:
    """The heights of the encodings of which new pictures were made lately, the lowest first."""
    streams = [one for one in caller.streams("outbound", "video") if one.get("framesPerSecond")]
    return sorted(one.get("frameHeight", 0) for one in streams)


def camera_of(caller: CallPage) -> str:
    found: str = caller.page.evaluate("__simplestchat.state().producers.camera")
    return found


def modes(caller: CallPage) -> set[Any]:
    return {one.get("scalabilityMode") for one in caller.streams("outbound", "video")}


def test_streams_are_switched_off_and_on(server: Server, browser: Chromium) -> None:
    with person(browser, server, new_room(), "Ada", "vp8") as ada:
        eventually(lambda: heights(ada), lambda found: found == [180, 360, 720])
        for wanted, left in (([True, False, False], [180]), ([True, True, True], [180, 360, 720])):
            tell(ada.page, "producer.layers", {"producerId": camera_of(ada), "encodings": wanted})
            eventually(ada.active, lambda found, wanted=wanted: found == wanted)
            eventually(lambda: heights(ada), lambda found, left=left: found == left)


@pytest.mark.parametrize("codec", ["vp9", "av1"])
def test_upper_layers_inside_a_stream_are_left_out(server: Server, browser: Chromium, codec: str) -> None:
    with person(browser, server, new_room(), "Ada", codec) as ada:
        eventually(lambda: (heights(ada), modes(ada)), lambda found: found == ([720], {"L3T3_KEY"}))
        for top, height, mode in ((0, 180, "L1T3"), (1, 360, "L2T3_KEY"), (2, 720, "L3T3_KEY")):
            tell(ada.page, "producer.layers", {"producerId": camera_of(ada), "maxSpatialLayer": top})
            eventually(
                lambda: (heights(ada), modes(ada)),
                lambda found, height=height, mode=mode: found == ([height], {mode}),
            )
        tell(ada.page, "producer.layers", {"producerId": camera_of(ada), "encodings": [False, False, False]})
        eventually(lambda: heights(ada), lambda found: found == [])


def test_a_new_order_of_codecs_publishes_anew(server: Server, browser: Chromium) -> None:
    room = new_room()
    with person(browser, server, room, "Ada") as ada, person(browser, server, room, "Ben") as ben:
        expect_pictures(ben, "Ada")
        before = camera_of(ada)
        state = ada.page.evaluate("__simplestchat.state()")
        settings = {"id": room, "name": room, **dict.fromkeys(("public", "locked", "audioOnly", "hasPassword"), False)}
        assert state["codec"] == "vp8"
        tell(ada.page, "room.updated", {**settings, "codecs": ["h264", "vp9"]})
        eventually(lambda: camera_of(ada), lambda found: found not in (None, before))
        eventually(lambda: heights(ada), lambda found: found == [180, 360, 720])
        expect_pictures(ben, "Ada")
        codecs = {one["codec"] for one in ada.page.evaluate("__simplestchat.sendStats()") if one["kind"] == "video"}
        assert codecs == {"video/H264"}


def test_tiles_tell_their_size_and_whether_they_are_seen(server: Server, browser: Chromium) -> None:
    room = new_room()
    with person(browser, server, room, "Ada") as ada, person(browser, server, room, "Ben"):
        expect_pictures(ada, "Ben")
        assert said(ada.page, "consumer.setViews")
        received = eventually(
            lambda: ada.page.evaluate("__simplestchat.state().receptions"), lambda found: len(found) == 1
        )
        assert [one["held"] for one in received.values()] == [None]
        ada.pin("Ben")
        eventually(
            lambda: [one["priority"] for one in said(ada.page, "consumer.setPriority")],
            lambda found: found == [255],
        )


def test_audio_only_stops_pictures_both_ways_and_brings_them_back(server: Server, browser: Chromium) -> None:
    room = new_room()
    with person(browser, server, room, "Ada", "vp8") as ada, person(browser, server, room, "Ben", "vp8") as ben:
        expect_pictures(ada, "Ben")
        expect_pictures(ben, "Ada")
        ada.choose("menu-sound-only")
        ada.page.wait_for("tag-sound-only")
        ben.wait_for_state("Ada", camera=False)
        assert ada.tiles()["Ada"]["track"] is None
        eventually(lambda: flow(ada, "video"), lambda found: found == (0, 0))
        voices = flow(ada, "audio")
        assert min(voices) > 0
        assert ada.page.evaluate("localStorage.getItem('simplestchat.sound-only')") == "true"
        ada.page.screenshot(ROOT / "test-output" / "audio-only.png")
        ada.page.click("tag-sound-only")
        expect_pictures(ada, "Ben")
        expect_pictures(ben, "Ada")


def flow(caller: CallPage, kind: str) -> tuple[int, int]:
    """The bytes that come and go in a while."""
    received, sent = caller.received(kind), caller.sent(kind)
    time.sleep(QUIET_S)
    return caller.received(kind) - received, caller.sent(kind) - sent


def size_of(caller: CallPage, name: str) -> str:
    """What someone's pictures are, as the card writes it."""
    width, height = caller.seen()[name].size
    return f"{width} \u00d7 {height} VP8"


def look_at_quality(caller: CallPage, tile: str) -> None:
    button = f'document.querySelector(\'[data-testid="{tile}"] [data-testid="tile-quality"]\')'
    caller.page.evaluate(f"{button}.click()")
    caller.page.wait_for("quality")


def test_the_card_tells_what_arrives_and_what_is_sent(server: Server, browser: Chromium) -> None:
    room = new_room()
    with person(browser, server, room, "Ada", "vp8") as ada, person(browser, server, room, "Ben"):
        expect_pictures(ada, "Ben")
        look_at_quality(ada, "tile")
        eventually(lambda: (ada.page.texts("quality-size"), size_of(ada, "Ben")), lambda found: found[0] == [found[1]])
        eventually(lambda: ada.page.texts("quality-bitrate"), lambda found: "bit/s" in found[0])
        look_at_quality(ada, "tile-self")
        encoding = 'document.querySelectorAll(\'[data-testid="quality-encoding"][data-active="true"]\').length'
        eventually(lambda: (ada.page.evaluate(encoding), sum(ada.active())), lambda found: found[0] == found[1] >= 2)
        assert ada.page.evaluate(encoding.replace('[data-active="true"]', "")) == 3
        ada.page.click("quality-close")
        ada.page.wait_until("document.querySelector('[data-testid=\"quality\"]') === null")


def test_whoever_is_left_out_is_shown_without_a_picture(server: Server, browser: Chromium) -> None:
    room = new_room()
    with person(browser, server, room, "Ada") as ada, person(browser, server, room, "Ben"):
        expect_pictures(ada, "Ben")
        # The only pictures that Ada receives; a server that knows nothing of views names the consumer all the same.
        consumer = said(ada.page, "consumer.setViews")[-1]["views"][0]["consumerId"]
        held = "document.querySelector('[data-testid=\"tile\"]').dataset.held"
        tell(ada.page, "consumer.paused", {"consumerId": consumer, "reason": "last-n"})
        ada.page.wait_until(f"{held} === 'last-n'")
        assert ada.tiles()["Ben"]["track"] is None
        assert isinstance(ada.page, ChromiumPage)
        tell(ada.page, "consumer.resumed", {"consumerId": consumer})
        ada.page.wait_until(f"{held} === undefined")
        expect_pictures(ada, "Ben")
