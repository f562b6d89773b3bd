"""What a page says to the server, and words put into the server's mouth: for tests of the page alone."""

from __future__ import annotations

import json
from typing import Any

from support.page import Page

# Runs before the page's own scripts: remembers the sockets and what was sent over them.
WATCH_SOCKET = """
(() => {
  const Native = window.WebSocket;
  window.socketsMade = [];
  window.said = [];
  window.WebSocket = class extends Native {
    constructor(...args) {
      super(...args);
      window.socketsMade.push(this);
    }
    send(text) {
      window.said.push(JSON.parse(text));
      super.send(text);
    }
  };
})();
"""


def said(page: Page, method: str) -> list[Any]:
    """The parameters of every request of one method that the page made, in order."""
    of_method = f"said.filter((one) => one.method === {json.dumps(method)})"
    found: list[Any] = page.evaluate(f"{of_method}.map((one) => one.params)")
    return found


def tell(page: Page, method: str, params: dict[str, Any]) -> None:
    """Let the page hear a notification as if the server had sent it."""
    text = json.dumps(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))
    page.evaluate(f"socketsMade.at(-1).dispatchEvent(new MessageEvent('message', {{ data: {text} }}))")
