"""Which web pages may open a WebSocket or change anything over the API (RFC 6455 section 10.2)."""

from __future__ import annotations

import re
from collections.abc import Collection

from simplestchat.config.kinds import DEFAULT_PORTS

# What a browser sends: scheme, host and port in lower case, no path, no credentials.
_ORIGIN = re.compile(r"(https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?\Z")
_HOST = re.compile(r"([a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?\Z")


def split_host(host: str) -> tuple[str, int | None] | None:
    """Return the name and the port of a Host header; None when it is malformed."""
    match = _HOST.match(host.lower())
    if match is None:
        return None
    return match[1], int(match[2]) if match[2] else None


def origin_allowed(origin: str | None, host: str, allowed: Collection[str]) -> bool:
    """Whether a request with this Origin header may go on.

    Programs that are no browsers send none. Pages may when their origin is on the list, or without a list when they
    come from the host that they ask. The scheme is not compared: TLS may end at a proxy before us.
    """
    if origin is None:
        return True
    match = _ORIGIN.match(origin)
    if match is None:
        return False
    scheme, name = match[1], match[2]
    port = int(match[3]) if match[3] else DEFAULT_PORTS[scheme]
    if allowed:
        spelt = f"{scheme}://{name}" + ("" if port == DEFAULT_PORTS[scheme] else f":{port}")
        return spelt in allowed
    asked = split_host(host)
    return asked is not None and asked[0] == name and port == (asked[1] or DEFAULT_PORTS[scheme])
