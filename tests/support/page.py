"""What the tests ask of a browser's page, whichever browser it is."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

POLL_S = 0.1


class Page(ABC):
    """One tab. Elements are found by their ``data-testid``."""

    @abstractmethod
    def open(self, url: str) -> None:
        """Load a page and wait until it is there."""

    @abstractmethod
    def evaluate(self, expression: str) -> Any:
        """The JSON-like value of a JavaScript expression; a promise is waited for."""

    @abstractmethod
    def click(self, test_id: str) -> None:
        """Click an element, once it is there."""

    @abstractmethod
    def fill(self, test_id: str, text: str) -> None:
        """Type over what a text field holds."""

    @abstractmethod
    def screenshot(self, path: Path) -> None:
        """Keep a picture of what is visible, as PNG."""

    def count(self, test_id: str) -> int:
        """How many elements of that id there are."""
        found: int = self.evaluate(f"document.querySelectorAll('[data-testid=\"{test_id}\"]').length")
        return found

    def texts(self, test_id: str) -> list[str]:
        """The text of every element of that id, in the page's order."""
        query = f"[...document.querySelectorAll('[data-testid=\"{test_id}\"]')].map(e => e.textContent.trim())"
        found: list[str] = self.evaluate(query)
        return found

    def wait_until(self, condition: str, timeout_s: float = 20.0) -> Any:
        """The value of a JavaScript expression as soon as it is true-like."""
        deadline = time.monotonic() + timeout_s
        while not (value := self.evaluate(condition)):
            if time.monotonic() > deadline:
                state = self.evaluate("document.body.innerText")
                raise AssertionError(f"still not so after {timeout_s} s: {condition}\nThe page says:\n{state}")
            time.sleep(POLL_S)
        return value

    def wait_for(self, test_id: str, timeout_s: float = 20.0) -> None:
        """Wait until an element is there."""
        self.wait_until(f"document.querySelector('[data-testid=\"{test_id}\"]') !== null", timeout_s)
