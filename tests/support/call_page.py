"""A person's page in a call: what they do, what they see, and what their browser really decodes."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from support.page import Page

# Runs before the page's own scripts: remembers every peer connection, so that the browser's own statistics can be read.
WATCH = """
(() => {
  const Native = window.RTCPeerConnection;
  window.connectionsMade = [];
  window.RTCPeerConnection = new Proxy(Native, {
    construct(target, args) {
      const made = new target(...args);
      window.connectionsMade.push(made);
      return made;
    },
  });
})();
"""

# Every stream that is received or sent now, as the browser counts it; closed connections keep their last counts.
# Firefox leaves a question without an answer now and then while a connection is being set up: then it is asked again.
STREAMS = """
(async () => {
  const found = [];
  const ask = async (connection) => {
    for (let tries = 0; tries < 5; tries += 1) {
      const answer = await Promise.race([connection.getStats(), new Promise((done) => setTimeout(done, 2000))]);
      if (answer) return answer;
    }
    return new Map();
  };
  for (const connection of window.connectionsMade.filter((one) => one.connectionState !== "closed")) {
    for (const entry of (await ask(connection)).values()) {
      if (entry.type === "inbound-rtp" || entry.type === "outbound-rtp") found.push({ ...entry });
    }
  }
  return found;
})()
"""

# The tiles on the stage by name, with the track that each shows.
TILES = """
[...document.querySelectorAll('[data-testid="tile"], [data-testid="tile-self"]')].map((tile) => ({
  name: tile.dataset.name,
  kind: tile.dataset.kind,
  own: tile.dataset.testid === "tile-self",
  muted: tile.dataset.muted === "true",
  camera: tile.dataset.camera === "true",
  track: tile.querySelector("video")?.srcObject?.getVideoTracks()[0]?.id ?? null,
}))
"""

# Which encodings of the picture that is sent are switched on.
ACTIVE = """
window.connectionsMade
  .flatMap((one) => (one.connectionState === "closed" ? [] : one.getSenders()))
  .filter((sender) => sender.track?.kind === "video")
  .flatMap((sender) => sender.getParameters().encodings.map((encoding) => encoding.active))
"""


def same(query: str, texts: list[str]) -> str:
    """A JavaScript condition: a query gives exactly these texts."""
    return f"JSON.stringify({query}) === JSON.stringify({json.dumps(texts)})"


@dataclass(frozen=True)
class Seen:
    """What a page decodes of one other person."""

    track: str
    frames: int
    size: tuple[int, int]


class CallPage:
    """One person's page, from the preview before the call on."""

    def __init__(self, page: Page, name: str) -> None:
        self.page = page
        self.name = name

    def join(self, url: str, room: str) -> None:
        """Open the link of a room, type a name and go in."""
        self.page.open(f"{url}/r/{room}")
        self.go_in()

    def go_in(self) -> None:
        """From the preview into the call."""
        self.page.wait_for("preview-video")
        self.page.fill("name-input", self.name)
        self.page.click("join")
        self.page.wait_for("stage")
        self.page.evaluate("window.neverReloaded = true")

    def leave(self) -> None:
        """Hang up."""
        self.page.click("leave")

    def say(self, text: str) -> None:
        """Write to everyone; opens the chat when it is closed."""
        self.open_chat()
        self.page.fill("chat-input", text)
        self.page.click("chat-send")

    def open_chat(self) -> None:
        """Show the chat panel."""
        if self.page.count("chat-panel") == 0:
            self.page.click("toggle-chat")
        self.page.wait_for("chat-input")

    def wait_for_messages(self, texts: list[str]) -> None:
        """Wait until the chat shows exactly these, in this order, none of them still on its way."""
        self.open_chat()
        query = "[...document.querySelectorAll('[data-testid=\"message-text\"]')].map(e => e.textContent.trim())"
        pending = "document.querySelector('[data-testid=\"message-pending\"]') === null"
        self.page.wait_until(
            f"{pending} && JSON.stringify({query}) === {json.dumps(json.dumps(texts, separators=(',', ':')))}"
        )

    def tiles(self, kind: str = "person") -> dict[str, dict[str, Any]]:
        """The people ("person") or screens ("screen") on the stage, one's own too, by name."""
        found = self.page.evaluate(TILES)
        return {tile["name"]: tile for tile in found if tile["kind"] == kind}

    def wait_for_people(self, *names: str) -> None:
        """Wait until exactly these others are on the stage."""
        query = f"({TILES}).filter((tile) => !tile.own && tile.kind === 'person').map((tile) => tile.name).sort()"
        self.page.wait_until(
            f"JSON.stringify({query}) === {json.dumps(json.dumps(sorted(names), separators=(',', ':')))}"
        )

    def wait_for_state(self, name: str, **state: bool) -> None:
        """Wait until someone's tile shows a state: ``muted`` or ``camera``."""
        checks = " && ".join(f"tile.{key} === {json.dumps(value)}" for key, value in state.items())
        self.page.wait_until(f"({TILES}).some((tile) => tile.name === {json.dumps(name)} && {checks})")

    def streams(self, direction: str, kind: str) -> list[dict[str, Any]]:
        """The browser's statistics of what it receives ("inbound") or sends ("outbound")."""
        found: list[dict[str, Any]] = self.page.evaluate(STREAMS)
        return [entry for entry in found if entry["type"] == f"{direction}-rtp" and entry["kind"] == kind]

    def seen(self, kind: str = "person") -> dict[str, Seen]:
        """What is decoded of each other person, or of their screens, now."""
        video = {entry.get("trackIdentifier"): entry for entry in self.streams("inbound", "video")}
        found = {}
        for name, tile in self.tiles(kind).items():
            if not tile["own"] and (entry := video.get(tile["track"])):
                size = (entry.get("frameWidth", 0), entry.get("frameHeight", 0))
                found[name] = Seen(tile["track"], entry.get("framesDecoded", 0), size)
        return found

    def sent_sizes(self) -> set[tuple[int, int]]:
        """The sizes of the pictures that are sent now, one for each encoding."""
        return {
            (one["frameWidth"], one["frameHeight"])
            for one in self.streams("outbound", "video")
            if one.get("frameWidth") and one.get("frameHeight")
        }

    def received(self, kind: str) -> int:
        """The bytes of media that arrived so far."""
        return sum(one.get("bytesReceived", 0) for one in self.streams("inbound", kind))

    def sent(self, kind: str) -> int:
        """The bytes of media that were sent so far."""
        return sum(one.get("bytesSent", 0) for one in self.streams("outbound", kind))

    def active(self) -> list[bool]:
        """Which encodings of the camera are switched on, the lowest first."""
        found: list[bool] = self.page.evaluate(ACTIVE)
        return found

    def pin(self, name: str) -> None:
        """Show someone's tile large, or among the others again."""
        tiles = "[...document.querySelectorAll('[data-testid=\"tile\"]')]"
        tile = f"{tiles}.find((one) => one.dataset.name === {json.dumps(name)})"
        self.page.evaluate(f"{tile}.querySelector('[data-testid=\"tile-pin\"]').click()")

    def choose(self, item: str) -> None:
        """Press something in the menu of the call."""
        self.page.click("call-menu")
        self.page.click(item)

    def heard(self) -> list[float]:
        """The energy of each voice that was decoded so far; a stream without any sound has none."""
        return [entry.get("totalAudioEnergy", 0.0) for entry in self.streams("inbound", "audio")]
