"""People in pages who are seen in layers: how they come in, how large they are seen, what is sent and what comes."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager

from support.call_page import WATCH, CallPage
from support.chromium import Chromium, ChromiumPage
from support.judge import expect_pictures
from support.repository import ROOT
from support.waiting import eventually

#: As many streams as a stronger machine sends.
CORES = "Object.defineProperty(navigator, 'hardwareConcurrency', { get: () => 4 });"
LARGE = (1920, 1080)
SMALL = (340, 380)
CHANGE_S = 40.0
LOOK_S = 3.0


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
