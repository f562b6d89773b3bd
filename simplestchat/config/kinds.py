"""What a setting's value may be: one small class per family of values.

A kind turns text (an option or an environment variable) or a TOML value into the typed value, and says in one
phrase what it allows, so that a refusal can always name the alternative.
"""

from __future__ import annotations

import ipaddress
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_HOST_NAME = re.compile(r"(?=.{1,253}\Z)([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)(\.[A-Za-z0-9_-]{1,63})*\Z")
DEFAULT_PORTS = {"http": 80, "https": 443}


class Kind(ABC):
    """A family of values; `parse` raises ValueError for anything outside it."""

    #: What is allowed, as it ends the sentence "... is not allowed here; expected ...".
    allowed: str
    #: How the value is shown in help texts.
    metavar: str
    #: Whether the option may be given several times (and a TOML value is an array).
    many: bool = False

    @abstractmethod
    def parse(self, text: str) -> object:
        """Return the value that `text` spells."""

    def from_toml(self, value: object) -> object:
        """Return the value of a TOML key; text goes the way of options unless the kind says otherwise."""
        if not isinstance(value, str):
            raise ValueError("not a string")
        return self.parse(value)


@dataclass(frozen=True)
class Integer(Kind):
    """A whole number within bounds."""

    low: int
    high: int
    metavar: str = "N"

    @property
    def allowed(self) -> str:  # type: ignore[override]
        """Name the bounds."""
        return f"a whole number from {self.low} to {self.high}"

    def parse(self, text: str) -> int:
        """Accept decimal digits only (no sign, no underscores, no spaces)."""
        if not (text.isascii() and text.isdigit()):
            raise ValueError("not a whole number")
        return self._bounded(int(text))

    def from_toml(self, value: object) -> int:
        """Accept a TOML integer."""
        if not isinstance(value, int) or isinstance(value, bool):
            raise ValueError("not an integer")
        return self._bounded(value)

    def _bounded(self, value: int) -> int:
        if not self.low <= value <= self.high:
            raise ValueError("out of range")
        return value


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few words."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:  # type: ignore[override]
        """List the words."""
        return "one of " + ", ".join(self.words)

    @property
    def metavar(self) -> str:  # type: ignore[override]
        """List the words for a usage line."""
        return "|".join(self.words)

    def parse(self, text: str) -> str:
        """Accept exactly one of the words."""
        if text not in self.words:
            raise ValueError("not one of the words")
        return text


class Host(Kind):
    """Where to listen: an address of this machine or a name of it."""

    allowed = "an IPv4 or IPv6 address or a host name"
    metavar = "HOST"

    def parse(self, text: str) -> str:
        """Accept an address literal or a syntactically valid name."""
        if ":" in text or re.fullmatch(r"[0-9.]+", text):
            return str(ipaddress.ip_address(text))
        if not _HOST_NAME.match(text):
            raise ValueError("not a host name")
        return text


class FilePath(Kind):
    """A path; that it exists is checked by whoever opens it."""

    allowed = "a path"
    metavar = "PATH"

    def parse(self, text: str) -> Path:
        """Accept any non-empty path and expand a leading tilde."""
        if not text or "\0" in text:
            raise ValueError("not a path")
        return Path(text).expanduser()


class Many(Kind):
    """A list: a repeated option, a comma-separated variable or a TOML array of strings."""

    many = True

    @abstractmethod
    def item(self, text: str) -> str:
        """Return one element in its normal form."""

    def parse(self, text: str) -> tuple[str, ...]:
        """Split at commas; empty elements are refused, so that a stray comma is noticed."""
        return self._unique(text.split(","))

    def from_toml(self, value: object) -> tuple[str, ...]:
        """Accept an array of strings."""
        if not isinstance(value, list) or not all(isinstance(element, str) for element in value):
            raise ValueError("not an array of strings")
        return self._unique(value)

    def _unique(self, texts: list[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.item(text.strip()) for text in texts))


@dataclass(frozen=True)
class Order(Many):
    """Some of a few words, the first one first."""

    words: tuple[str, ...]

    @property
    def allowed(self) -> str:  # type: ignore[override]
        """List the words."""
        return "one or more of " + ", ".join(self.words)

    @property
    def metavar(self) -> str:  # type: ignore[override]
        """Say what stands for the words."""
        return "WORD"

    def item(self, text: str) -> str:
        """Accept exactly one of the words."""
        if text not in self.words:
            raise ValueError("not one of the words")
        return text


class Addresses(Many):
    """IP addresses that clients can reach this machine at."""

    allowed = "an IPv4 or IPv6 address that a client can send to"
    metavar = "IP"

    def item(self, text: str) -> str:
        """Accept a unicast address; the wildcard and multicast cannot be sent to by a client."""
        address = ipaddress.ip_address(text)
        if address.is_unspecified or address.is_multicast or "%" in text:
            raise ValueError("not an address to send to")
        return str(address)


class Origins(Many):
    """Web origins in the form that browsers send."""

    allowed = "an origin such as https://chat.example.org or http://localhost:8080"
    metavar = "ORIGIN"

    def item(self, text: str) -> str:
        """Return the origin as a browser spells it: lower case, without the scheme's own port."""
        parts = urlsplit(text)
        port = parts.port
        if parts.scheme not in DEFAULT_PORTS or not parts.hostname or parts.path not in ("", "/"):
            raise ValueError("not an origin")
        if parts.query or parts.fragment or "@" in parts.netloc or "*" in parts.netloc:
            raise ValueError("not an origin")
        host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
        suffix = "" if port in (None, DEFAULT_PORTS[parts.scheme]) else f":{port}"
        return f"{parts.scheme}://{host}{suffix}"
