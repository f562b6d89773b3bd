"""Debian's Firefox ESR with made-up devices, in a network namespace, driven by WebDriver BiDi over its WebSocket."""

from __future__ import annotations

import base64
import itertools
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.namespace import Namespace
from support.page import Page
from websockets.sync.client import ClientConnection, unix_connect

EXECUTABLE = "firefox-esr"
START_TIMEOUT_S = 60.0
COMMAND_TIMEOUT_S = 30.0
LISTENING = re.compile(r"WebDriver BiDi listening on ws://([^:]+):(\d+)")
PREFERENCES: dict[str, bool | int | str] = {
    # Made-up camera and microphone, given without asking; sound plays without a click.
    "media.navigator.permission.disabled": True,
    "media.navigator.streams.fake": True,
    "media.autoplay.default": 0,
    "media.autoplay.blocking_policy": 0,
    # Nothing on the network but the page.
    "app.normandy.enabled": False,
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.systemAddon.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "services.settings.server": "",
    "toolkit.telemetry.reportingpolicy.firstRun": False,
}


class FirefoxPage(Page):
    """The tab that Firefox starts with."""

    def __init__(self, socket: ClientConnection, before: str) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._command("session.new", {"capabilities": {"alwaysMatch": {"acceptInsecureCerts": True}}})
        (context,) = self._command("browsingContext.getTree", {})["contexts"]
        self._context = context["context"]
        self._command("script.addPreloadScript", {"functionDeclaration": f"() => {{ {before} }}"})

    def _command(self, method: str, params: dict[str, Any]) -> Any:
        number = next(self._ids)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        deadline = time.monotonic() + COMMAND_TIMEOUT_S
        while True:
            message = json.loads(self._socket.recv(timeout=deadline - time.monotonic()))
            if message.get("id") == number:
                assert message["type"] == "success", message
                return message["result"]

    def open(self, url: str) -> None:
        self._command("browsingContext.navigate", {"context": self._context, "url": url, "wait": "complete"})

    def evaluate(self, expression: str) -> Any:
        done = self._command(
            "script.evaluate",
            {
                "expression": f"(async () => JSON.stringify(await ({expression}) ?? null))()",
                "target": {"context": self._context},
                "awaitPromise": True,
            },
        )
        assert done["type"] == "success", done
        return json.loads(done["result"]["value"])

    def click(self, test_id: str) -> None:
        self.wait_for(test_id)
        self.evaluate(f"document.querySelector('[data-testid=\"{test_id}\"]').click()")

    def fill(self, test_id: str, text: str) -> None:
        self.wait_for(test_id)
        field = f"document.querySelector('[data-testid=\"{test_id}\"]')"
        setter = f"Object.getOwnPropertyDescriptor(Object.getPrototypeOf({field}), 'value').set"
        self.evaluate(f"{setter}.call({field}, {json.dumps(text)})")
        self.evaluate(f"{field}.dispatchEvent(new Event('input', {{bubbles: true}}))")

    def screenshot(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = self._command("browsingContext.captureScreenshot", {"context": self._context})
        path.write_bytes(base64.b64decode(picture["data"]))


def write_preferences(profile: Path) -> None:
    """Make the folder of a profile that has only our preferences."""
    profile.mkdir()
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
    (profile / "user.js").write_text("\n".join(lines) + "\n")


class _Firefox:
    """The browser's process; reads where its WebSocket is from what it prints."""

    def __init__(self, namespace: Namespace, folder: Path) -> None:
        profile = folder / "profile"
        write_preferences(profile)
        flags = ["--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
        self._process = subprocess.Popen(
            [*namespace.enter, EXECUTABLE, *flags, "about:blank"],
            env=_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._listening = threading.Event()
        self._lines: list[str] = []
        self.address = ("", "")
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._listening.wait(START_TIMEOUT_S):
            self.close()
            raise AssertionError("Firefox does not listen:\n" + "".join(self._lines))

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self._lines.append(line)
            if match := LISTENING.search(line):
                self.address = (match[1], match[2])
                self._listening.set()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(COMMAND_TIMEOUT_S)
        self._reader.join(COMMAND_TIMEOUT_S)
        if self._process.stderr is not None:
            self._process.stderr.close()


def _environment(folder: Path) -> dict[str, str]:
    """Firefox writes nowhere but below the folder."""
    return {"HOME": str(folder), "PATH": "/usr/bin:/bin", "MOZ_HEADLESS": "1", "MOZ_CRASHREPORTER_DISABLE": "1"}


@contextmanager
def firefox(namespace: Namespace, folder: Path, *, before: str = "") -> Iterator[FirefoxPage]:
    """A page of a new Firefox for as long as the context lasts; ``before`` runs ahead of the page's own scripts."""
    browser = _Firefox(namespace, folder)
    door = folder / "bidi"
    program = Path(__file__).with_name("relay.py")
    relay = subprocess.Popen(
        [*namespace.enter, sys.executable, str(program), str(door), *browser.address], stdout=subprocess.PIPE
    )
    try:
        assert relay.stdout is not None
        assert relay.stdout.readline() == b"ready\n"
        uri = f"ws://{browser.address[0]}:{browser.address[1]}/session"
        with unix_connect(str(door), uri=uri, max_size=None, compression=None) as socket:
            yield FirefoxPage(socket, before)
    finally:
        relay.terminate()
        relay.wait()
        if relay.stdout is not None:
            relay.stdout.close()
        browser.close()
