"""A thousand changes of layers of each codec, made by the real server, decoded by Chromium.

A page publishes its made-up camera in three sizes; other pages watch it and ask for another layer twice a second, each
in an order of its own. Every picture that is shown is noted with its time and width. A keyframe that a watching page
asks for is a decoder that failed: nothing is lost on loopback.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import pairwise
from math import inf
from typing import Any

from support.call_page import WATCH, CallPage
from support.chromium import Chromium, chromium
from support.layered_call import CORES, new_room
from support.server import Server
from support.waiting import eventually
from support.watched_socket import WATCH_SOCKET

from adapt.verdict import Row, least, most, percentile

CODECS = ("vp8", "h264", "vp9", "av1")
VIEWERS = 4
SWITCHES = 1000
BATCH = 40
MOST_BATCHES = 12
EVERY_MS = 500
WIDTHS = (240, 480, 960)
WINDOW = (240, 240)  # painting is dear without a GPU, and nobody looks

# Before the page's own scripts: the camera gives this size.
CAMERA = """
(() => {
  const media = navigator.mediaDevices;
  const native = media.getUserMedia.bind(media);
  const video = { width: 960, height: 540, frameRate: 10 };
  media.getUserMedia = (wanted) => native(wanted.video ? { ...wanted, video } : wanted);
})();
"""
# Who only watches sends a blank sheet: the made-up camera has one size at a time for all pages.
SHEET = """
(() => {
  const media = navigator.mediaDevices;
  const native = media.getUserMedia.bind(media);
  media.getUserMedia = async (wanted) => {
    const stream = wanted.audio ? await native({ audio: wanted.audio }) : new MediaStream();
    const sheet = Object.assign(document.createElement("canvas"), { width: 160, height: 90 });
    sheet.getContext("2d").fillRect(0, 0, 160, 90);
    if (wanted.video) stream.addTrack(sheet.captureStream(1).getVideoTracks()[0]);
    return stream;
  };
})();
"""

# Notes every picture, asks for layers one after the other, and tells both.
SWITCH = """
(async () => {
  const layers = LAYERS;
  const consumerId = CONSUMER;
  const video = document.querySelector('[data-testid="tile"][data-name="Ada"] video');
  const socket = socketsMade.at(-1);
  const ask = (method, params) => {
    window.lastId = (window.lastId ?? 1_000_000) + 1;
    socket.send(JSON.stringify({ jsonrpc: "2.0", id: window.lastId, method, params }));
  };
  const pictures = [];
  let going = true;
  const note = (now, { width }) => {
    pictures.push([performance.now(), width]);
    if (going) video.requestVideoFrameCallback(note);
  };
  video.requestVideoFrameCallback(note);
  const wishes = [];
  for (const [spatialLayer, temporalLayer] of layers) {
    ask("consumer.setPreferredLayers", { consumerId, spatialLayer, temporalLayer });
    wishes.push([performance.now(), spatialLayer]);
    await new Promise((done) => setTimeout(done, EVERY));
  }
  going = false;
  return { pictures, wishes };
})()
"""
WIDEN = """
socketsMade.at(-1).send(JSON.stringify({
  jsonrpc: "2.0", id: 999_999, method: "consumer.setViews",
  params: { views: [{ consumerId: CONSUMER, width: 1280, height: 720 }] },
}))
"""


@dataclass
class Tally:
    """Of all watching pages together."""

    changes: int = 0
    errors: int = 0
    gaps_ms: list[float] = field(default_factory=list)
    waits_ms: list[float] = field(default_factory=list)

    def add(self, told: dict[str, Any]) -> None:
        """What one page showed while it asked for layers."""
        pictures, wishes = told["pictures"], told["wishes"]
        switches = [after - before for (before, old), (after, new) in pairwise(pictures) if old != new]
        self.changes += len(switches)
        self.gaps_ms += switches
        ends = [*(when for when, _ in wishes[1:]), pictures[-1][0] + 1]
        for (asked, layer), end in zip(wishes, ends, strict=True):
            before = [width for when, width in pictures if when < asked]
            if before and before[-1] == WIDTHS[layer]:
                continue  # the wish before came to nothing, and this one is for what is still shown
            came = next((when for when, width in pictures if asked <= when < end and width == WIDTHS[layer]), inf)
            self.waits_ms.append(came - asked)


@contextmanager
def _page(browser: Chromium, url: str, room: str, name: str, camera: str) -> Iterator[CallPage]:
    page = browser.page(before=WATCH + WATCH_SOCKET + CORES + camera)
    try:
        caller = CallPage(page, name)
        caller.join(url, room)
        page.look(WINDOW, "light")
        yield caller
    finally:
        page.close()


def _own(viewer: CallPage) -> dict[str, Any]:
    """What the browser counts of Ada's pictures."""
    track = viewer.tiles()["Ada"]["track"]
    return next(one for one in viewer.streams("inbound", "video") if one.get("trackIdentifier") == track)


def _consumer(viewer: CallPage) -> str:
    """The consumer of Ada's camera: its track is named like it."""
    found: str = viewer.tiles()["Ada"]["track"]
    return found


def _errors(before: dict[str, Any], after: dict[str, Any]) -> int:
    """Keyframes that the page asked for: what Chromium does when a picture cannot be decoded or never is whole."""
    return sum(after.get(name, 0) - before.get(name, 0) for name in ("pliCount", "firCount"))


def _orders(rng: random.Random) -> list[list[int]]:
    """Layers to ask for, each another size than the one before."""
    spatial = rng.randrange(3)
    found = []
    for _ in range(BATCH):
        spatial = (spatial + rng.choice((1, 2))) % 3
        found.append([spatial, rng.choice((1, 2))])
    return found


def _has_track(viewer: CallPage) -> bool:
    return bool(viewer.tiles().get("Ada", {}).get("track"))


def _width(viewer: CallPage) -> int:
    """How wide Ada is seen by someone who says that her tile is large; the page itself tells a size that changes."""
    viewer.page.evaluate(WIDEN.replace("CONSUMER", repr(_consumer(viewer))))
    seen = viewer.seen().get("Ada")
    return seen.size[0] if seen else 0


def _begin(viewers: list[CallPage]) -> None:
    for viewer in viewers:
        eventually(partial(_has_track, viewer), bool, 60.0)
        eventually(partial(_width, viewer), lambda width: width == WIDTHS[-1], 60.0)


def _switched(server: Server, browser: Chromium, codec: str) -> Tally:
    rng = random.Random(codec)
    tally = Tally()
    with ExitStack() as stack:
        room = f"{new_room()}?codec={codec}"
        stack.enter_context(_page(browser, server.url, room, "Ada", CAMERA))
        names = [f"Viewer {number}" for number in range(VIEWERS)]
        viewers = [stack.enter_context(_page(browser, server.url, room, name, SHEET)) for name in names]
        _begin(viewers)
        before = [_own(viewer) for viewer in viewers]
        for _ in range(MOST_BATCHES):
            for viewer in viewers:
                text = SWITCH.replace("LAYERS", str(_orders(rng))).replace("EVERY", str(EVERY_MS))
                viewer.page.evaluate(f"void (window.switching = {text.replace('CONSUMER', repr(_consumer(viewer)))})")
            for viewer in viewers:
                tally.add(viewer.page.evaluate("switching"))
            if tally.changes >= SWITCHES:
                break
        tally.errors = sum(_errors(was, _own(viewer)) for was, viewer in zip(before, viewers, strict=True))
    return tally


def thousand_switches() -> Iterable[Row]:
    """Each codec in turn, in a room of its own."""
    with Server() as server, chromium() as browser:
        for codec in CODECS:
            tally = _switched(server, browser, codec)
            case = f"{codec.upper()} in Chromium"
            yield least(case, "changes of the picture's size", tally.changes, SWITCHES)
            yield most(case, "decode errors", tally.errors, 0)
            yield most(case, "without a picture at a switch, p99", percentile(sorted(tally.gaps_ms), 0.99), 500, "ms")
            yield most(case, "from wish to picture, median", percentile(sorted(tally.waits_ms), 0.5), 500, "ms")
        server.stop()
