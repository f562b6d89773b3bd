"""Opens the TCP listeners and says in words why it cannot."""

from __future__ import annotations

import socket
from collections.abc import Sequence

import trio

from simplestchat.config import Web
from simplestchat.errors import ConfigError

from . import bounds

_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


async def open_listeners(web: Web) -> list[trio.SocketListener]:
    """Listen where the settings say; `::` means both families, a free port is the same one for both."""
    hosts = ["::", "0.0.0.0"] if web.host == "::" else [web.host]
    listeners: list[trio.SocketListener] = []
    port = web.port
    for host in hosts:
        try:
            opened = await trio.open_tcp_listeners(port, host=host, backlog=bounds.LISTEN_BACKLOG)
        except socket.gaierror:
            raise ConfigError(f"host: {host!r} is no name of this machine; expected an address of it") from None
        except OSError as exc:
            for listener in listeners:
                await listener.aclose()
            raise ConfigError(
                f"port: {host}:{port} cannot be listened on ({exc.strerror or exc}); choose another host or port with "
                "--host and --port, SIMPLESTCHAT_HOST and SIMPLESTCHAT_PORT, or let --port 0 take a free one"
            ) from None
        if port == 0:
            # A name with two addresses would get two different ports.
            for extra in opened[1:]:
                await extra.aclose()
            opened = opened[:1]
            port = bound_port(opened)
        listeners += opened
    return listeners


def bound_port(listeners: list[trio.SocketListener]) -> int:
    """Return the port that was taken."""
    return int(listeners[0].socket.getsockname()[1])


def url(scheme: str, host: str, port: int) -> str:
    """Return a URL that a browser of this machine can open."""
    name = _WILDCARDS.get(host) or (f"[{host}]" if ":" in host else host)
    return f"{scheme}://{name}:{port}"


def urls(scheme: str, host: str, port: int, addresses: Sequence[str]) -> list[str]:
    """Return where to reach us: first for this machine, then for others when we listen on every address."""
    hosts = [host]
    if host in _WILDCARDS:
        hosts += [address for address in addresses if host == "::" or ":" not in address]
    return list(dict.fromkeys(url(scheme, name, port) for name in hosts))
