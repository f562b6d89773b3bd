"""Firefox with Chromium over HTTPS, in a network of the test's own: Firefox sends nothing to loopback addresses."""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.call_page import WATCH, CallPage
from support.chromium import EXECUTABLE, chromium
from support.firefox import firefox
from support.judge import expect_everyone_sees_everyone
from support.launch import serve
from support.namespace import ADDRESS, Namespace
from support.repository import ROOT

pytestmark = [pytest.mark.e2e, pytest.mark.alone]


def test_firefox_and_chromium_see_each_other(tmp_path: Path) -> None:
    room = f"foxes-{secrets.token_hex(4)}"
    listen = ["--host", "0.0.0.0", "--tls", "self-signed", "--workers", "1"]
    with Namespace() as network, serve(tmp_path, *listen, wrapper=network.enter) as server:
        url = f"https://{ADDRESS}:{urlsplit(server.url).port}"
        with (
            firefox(network, tmp_path, before=WATCH) as fox,
            chromium(network.script(tmp_path, str(EXECUTABLE))) as browser,
        ):
            fiona = CallPage(fox, "Fiona")
            fiona.join(url, room)
            carl = CallPage(browser.page(before=WATCH), "Carl")
            carl.join(url, room)
            expect_everyone_sees_everyone([fiona, carl])
            fiona.say("hello from Firefox")
            carl.say("hello from Chromium")
            for person in (fiona, carl):
                person.wait_for_messages(["hello from Firefox", "hello from Chromium"])
            fox.screenshot(ROOT / "test-output" / "firefox-with-chromium.png")
