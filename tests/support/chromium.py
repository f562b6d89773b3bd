"""Debian's Chromium with made-up devices, driven by Playwright."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.sync_api import Browser, sync_playwright
from playwright.sync_api import Page as Tab
from support.page import Page

EXECUTABLE = Path("/usr/bin/chromium")
TIMEOUT_MS = 20_000
SCREENSHOT_TIMEOUT_MS = 60_000  # painted without a graphics card
VIEWPORT = {"width": 1280, "height": 800}
FLAGS = (
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream=fps=15",  # encoding for several people shares a small machine
    "--autoplay-policy=no-user-gesture-required",
)


class ChromiumPage(Page):
    """A tab of its own context, so that people share neither storage nor cookies."""

    def __init__(self, tab: Tab) -> None:
        self._tab = tab
        self.console: list[str] = []
        self.errors: list[str] = []
        tab.set_default_timeout(TIMEOUT_MS)
        tab.on("console", lambda message: self._said(message.text, wrong=message.type == "error"))
        tab.on("pageerror", lambda error: self._said(f"uncaught: {error}", wrong=True))

    def _said(self, text: str, *, wrong: bool) -> None:
        self.console.append(text)
        if wrong:
            self.errors.append(text)

    def open(self, url: str) -> None:
        self._tab.goto(url)

    def evaluate(self, expression: str) -> Any:
        return self._tab.evaluate(f"async () => ({expression})")

    def click(self, test_id: str) -> None:
        self._tab.get_by_test_id(test_id).first.click()

    def fill(self, test_id: str, text: str) -> None:
        self._tab.get_by_test_id(test_id).first.fill(text)

    def screenshot(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._tab.screenshot(path=path, animations="disabled", timeout=SCREENSHOT_TIMEOUT_MS)

    def click_anyway(self, test_id: str) -> None:
        """Click an element that says that it is disabled."""
        element = self._tab.get_by_test_id(test_id)
        element.wait_for(state="visible")
        element.click(force=True)

    def switch(self, test_id: str, *, on: bool) -> None:
        """Flip a switch; what is seen of it covers the field itself."""
        field = self._tab.get_by_test_id(test_id)
        field.wait_for(state="visible")  # force waits for nothing, and a dialog is in the page before it is shown
        field.set_checked(on, force=True)

    def whole_screenshot(self, path: Path) -> None:
        """Keep a picture of the page from top to bottom, as PNG."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._tab.screenshot(path=path, animations="disabled", full_page=True, timeout=SCREENSHOT_TIMEOUT_MS)

    def look(self, size: tuple[int, int], scheme: Literal["light", "dark"]) -> None:
        """Change the window's size and the system's colours."""
        self._tab.set_viewport_size({"width": size[0], "height": size[1]})
        self._tab.emulate_media(color_scheme=scheme)

    def close(self) -> None:
        """Close the tab as a person does."""
        self._tab.context.close()


class Chromium:
    """A running browser that opens pages."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser

    def page(self, *, before: str = "") -> ChromiumPage:
        """A new person's page; ``before`` is a script that runs ahead of the page's own."""
        context = self._browser.new_context(
            permissions=["camera", "microphone"], ignore_https_errors=True, viewport=VIEWPORT
        )
        context.add_init_script(before)
        return ChromiumPage(context.new_page())


@contextmanager
def chromium(executable: Path = EXECUTABLE) -> Iterator[Chromium]:
    """A browser for as long as the context lasts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            yield Chromium(browser)
        finally:
            browser.close()
