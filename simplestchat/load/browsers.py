"""Real browsers in the first room of a run: their own statistics stand beside the synthetic users' figures.

``python -m simplestchat.load.browsers URL ROOM COUNT UNTIL`` is the process that drives them: COUNT headless Chromiums
go into the room by the page, as people do, stay until CLOCK_MONOTONIC reads UNTIL seconds, and tell what
``RTCPeerConnection.getStats`` says. They cannot decode the synthetic users' video, which is no video; frames are those
of the other browsers' cameras, while bytes, loss and jitter are of everybody.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Any, Final

import msgspec
import trio

from simplestchat.errors import Internal
from simplestchat.load.process import Child, python
from simplestchat.load.report import BrowserReport

RESULT: Final = "browsers "
LEAVE_EARLY_S: Final = 1.5  # while the streams that are asked about still flow
TIMEOUT_MS: Final = 30_000
STOP_S: Final = 5.0
NICE: Final = "10"  # a browser that decodes and encodes shall not be what starves the generator
DEBIAN: Final = Path("/usr/bin/chromium")
FLAGS: Final = (
    "--no-sandbox",  # who runs load tests as root in a container has no other choice
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream=fps=15",
    "--autoplay-policy=no-user-gesture-required",
)
# Runs before the page's own scripts: remembers every connection, and when the first frame was decoded.
WATCH: Final = """
(() => {
  const Native = window.RTCPeerConnection;
  const seen = (window.loadTest = { made: [], began: 0, firstFrame: 0 });
  window.RTCPeerConnection = new Proxy(Native, {
    construct(target, args) {
      const made = new target(...args);
      seen.made.push(made);
      return made;
    },
  });
  seen.inbound = async () => {
    const found = [];
    for (const one of seen.made.filter((made) => made.connectionState !== "closed")) {
      for (const entry of (await one.getStats()).values()) {
        if (entry.type === "inbound-rtp") found.push({ ...entry });
      }
    }
    return found;
  };
  setInterval(async () => {
    if (seen.firstFrame || !seen.began) return;
    if ((await seen.inbound()).some((entry) => entry.framesDecoded > 0)) seen.firstFrame = performance.now();
  }, 50);
})();
"""
BEGIN: Final = "() => { window.loadTest.began = performance.now(); }"
FIGURES: Final = """
async () => ({
  streams: await window.loadTest.inbound(),
  seconds: (performance.now() - window.loadTest.began) / 1000,
  firstFrame: window.loadTest.firstFrame ? window.loadTest.firstFrame - window.loadTest.began : 0,
})
"""


class BrowsersFailed(Internal):
    """The browsers did not come, or did not tell."""

    reason = "browsers_failed"
    default = "The browsers failed."


class BrowserGuests:
    """``count`` browsers, driven by a process of their own (see ``coordinate.Guests``)."""

    def __init__(self, count: int) -> None:
        self._count = count

    async def visit(self, url: str, run: str, seconds: float) -> tuple[BrowserReport, ...]:
        """Stay so long in the first room of a run, then tell. Raises ``BrowsersFailed``."""
        found: list[BrowserReport] = []

        def heard(line: str) -> None:
            if line.startswith(RESULT):
                found.extend(msgspec.json.decode(line.removeprefix(RESULT), type=list[BrowserReport]))

        until = time.monotonic() + seconds - LEAVE_EARLY_S
        own = python("-m", "simplestchat.load.browsers", url, f"load-{run}-0", str(self._count), f"{until:.3f}")
        nice = shutil.which("nice")
        child = Child("browsers", [nice, "-n", NICE, *own] if nice else own)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(child.read_lines, heard)
                status = await child.wait()
                nursery.cancel_scope.cancel()
        finally:
            await child.stop(STOP_S)
        if status or len(found) != self._count:
            raise BrowsersFailed(f"the browsers failed: {child.last_words(3) or f'status {status}'}")
        return tuple(found)


def figures(name: str, told: dict[str, Any]) -> BrowserReport:
    """What a browser's own counters say of a stay."""
    streams: list[dict[str, Any]] = told["streams"]
    seconds = max(float(told["seconds"]), 0.001)

    def total(key: str, *, kind: str = "") -> float:
        return float(sum(one.get(key, 0) for one in streams if not kind or one.get("kind") == kind))

    received, lost = total("packetsReceived"), max(0.0, total("packetsLost"))
    shown = [one for one in streams if one.get("framesDecoded")]
    since_first_s = max(seconds - float(told["firstFrame"]) / 1000, 0.001)
    jitters = [float(one["jitter"]) for one in streams if one.get("packetsReceived") and "jitter" in one]
    samples = total("totalSamplesReceived", kind="audio")
    return BrowserReport(
        name=name,
        frames_decoded=int(total("framesDecoded")),
        frames_per_s=total("framesDecoded") / len(shown) / since_first_s if shown else 0.0,
        received_kbytes_per_s=(total("bytesReceived") + total("headerBytesReceived")) / seconds / 1000,
        packet_loss=lost / (received + lost) if received else 0.0,
        jitter_ms=sum(jitters) / len(jitters) * 1000 if jitters else 0.0,
        freezes=int(sum(one.get("freezeCount", 0) for one in shown)),
        freeze_s=float(sum(one.get("totalFreezesDuration", 0.0) for one in shown)),
        first_frame_ms=float(told["firstFrame"]),
        audio_concealed_share=total("concealedSamples", kind="audio") / samples if samples else 0.0,
    )


def drive(url: str, room: str, count: int, until_s: float) -> list[BrowserReport]:
    """Let browsers go into a room, wait, and ask them; returns their figures."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        executable = str(DEBIAN) if DEBIAN.exists() else None
        browser = playwright.chromium.launch(executable_path=executable, args=list(FLAGS))
        try:
            pages = []
            for number in range(count):
                context = browser.new_context(permissions=["camera", "microphone"], ignore_https_errors=True)
                context.add_init_script(WATCH)
                page = context.new_page()
                page.set_default_timeout(TIMEOUT_MS)
                page.goto(f"{url}/r/{room}")
                page.get_by_test_id("preview-video").first.wait_for()
                page.get_by_test_id("name-input").first.fill(f"browser {number}")
                page.evaluate(BEGIN)
                page.get_by_test_id("join").first.click()
                page.get_by_test_id("stage").first.wait_for()
                pages.append(page)
            pages[0].wait_for_timeout(max(0.0, until_s - time.monotonic()) * 1000)
            return [figures(f"browser {number}", page.evaluate(FIGURES)) for number, page in enumerate(pages)]
        finally:
            browser.close()


def main(arguments: list[str]) -> int:
    """Drive browsers and print their figures as one line; return the exit status."""
    url, room, count, until_s = arguments
    found = drive(url, room, int(count), float(until_s))
    print(RESULT + msgspec.json.encode(found).decode(), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
