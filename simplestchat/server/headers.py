"""Security headers of every response."""

from __future__ import annotations

from collections.abc import Iterable

from .asgi import Application, Message, Receive, Send
from .origin import split_host

_POLICY = (
    "default-src 'self'; connect-src 'self'{sockets}; img-src 'self' data: blob:; media-src 'self' blob: mediastream:; "
    "worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FIXED = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(self), microphone=(self), display-capture=(self)"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


def content_security_policy(host: str) -> str:
    """Return the policy for a page of this host; older browsers do not count its WebSocket as 'self'."""
    sockets = f" ws://{host} wss://{host}" if split_host(host) is not None else ""
    return _POLICY.format(sockets=sockets)


class SecurityHeaders:
    """Puts the headers on whatever the application answers."""

    def __init__(self, application: Application) -> None:
        self._application = application

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Run the application with the headers added to its response."""
        policy = content_security_policy(_host(scope["headers"])).encode("ascii")

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_FIXED, (b"content-security-policy", policy)]
            await send(message)

        await self._application(scope, receive, send_with_headers)


def _host(headers: Iterable[tuple[bytes, bytes]]) -> str:
    return next((value.decode("latin-1") for name, value in headers if name == b"host"), "")
