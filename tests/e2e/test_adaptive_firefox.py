"""Firefox and Chromium in layers: streams of VP8 from each to the other, as large as the tile."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.call_page import WATCH, CallPage
from support.chromium import EXECUTABLE, chromium
from support.firefox import firefox
from support.judge import expect_pictures
from support.launch import serve
from support.layered_call import (
    CHANGE_S,
    CORES,
    LARGE,
    SMALL,
    bytes_of_streams,
    height,
    look,
    new_room,
    person,
)
from support.namespace import ADDRESS, Namespace
from support.waiting import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.alone]


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
            heights = eventually(
                lambda: {size[1] for size in fiona.sent_sizes()}, lambda found: len(found - {0}) > 1, CHANGE_S
            )
            large = eventually(lambda: height(carl, "Fiona"), lambda found: found > min(heights), CHANGE_S)
            expect_pictures(carl, "Fiona")
            look(carl, SMALL, pinned="Fiona")
            eventually(lambda: height(carl, "Fiona"), lambda found: 0 < found < large, CHANGE_S)
            fiona.pin("Carl")
            sizes = carl.sent_sizes()
            eventually(lambda: height(fiona, "Carl"), lambda found: found in {size[1] for size in sizes}, CHANGE_S)
