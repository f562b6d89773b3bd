from __future__ import annotations

import pytest

from simplestchat.server.headers import content_security_policy
from simplestchat.server.origin import origin_allowed, split_host


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        (None, "chat.example", True),
        ("https://chat.example", "chat.example", True),
        ("http://chat.example", "chat.example", True),
        ("https://chat.example", "chat.example:443", True),
        ("https://chat.example", "chat.example:80", False),
        ("http://chat.example:8080", "chat.example:8080", True),
        ("http://chat.example:8080", "CHAT.example:8080", True),
        ("http://[::1]:8080", "[::1]:8080", True),
        ("http://chat.example:8080", "chat.example", False),
        ("http://chat.example", "chat.example:8080", False),
        ("http://chat.example.evil", "chat.example", False),
        ("http://evilchat.example", "chat.example", False),
        ("null", "null", False),
        ("", "", False),
        ("http://", "", False),
        ("http://chat.example", "", False),
        ("http://chat.example", "chat.example,evil", False),
        ("http://chat.example\nx", "chat.example", False),
        ("ws://chat.example", "chat.example", False),
    ],
)
def test_same_host(origin: str | None, host: str, allowed: bool) -> None:
    assert origin_allowed(origin, host, ()) is allowed


def test_a_list_replaces_the_same_host() -> None:
    allowed = ("https://chat.example", "http://localhost:8080")
    assert origin_allowed("https://chat.example", "other", allowed)
    assert origin_allowed("https://chat.example:443", "other", allowed)
    assert origin_allowed("http://localhost:8080", "other", allowed)
    assert not origin_allowed("http://chat.example", "chat.example", allowed)
    assert not origin_allowed("http://other", "other", allowed)
    assert origin_allowed(None, "other", allowed)


@pytest.mark.parametrize("host", ["a b", "a;b", "a/b", "a:b", "a:", "'self'", "*", "[::1", "a\r\nb", ""])
def test_only_a_plain_host_gets_into_the_policy(host: str) -> None:
    assert split_host(host) is None
    assert "connect-src 'self';" in content_security_policy(host)
