"""The signaling half of a client that was written from docs/protocol.md alone."""

from __future__ import annotations

import itertools
import json
import ssl
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

from websockets.sync.client import connect

REQUEST_TIMEOUT_S = 10.0


class RequestError(Exception):
    """The server's answer to a request is an error."""

    def __init__(self, method: str, error: dict[str, Any]) -> None:
        super().__init__(f"{method}: {error['code']} {error['message']}")
        self.reason: str = error["data"]["reason"]


class PlainSignaling:
    """JSON-RPC over one WebSocket; notifications wait in ``notices`` in the order in which they came."""

    def __init__(self, url: str, context: ssl.SSLContext | None = None) -> None:
        address = url.replace("http", "ws", 1) + "/ws"
        self._stack = ExitStack()
        self._socket = self._stack.enter_context(connect(address, ssl=context, max_size=16 << 20, compression=None))
        self._ids = itertools.count(1)
        self.notices: list[tuple[str, dict[str, Any]]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave by hanging up."""
        self._stack.close()

    def request(self, method: str, **params: Any) -> Any:
        """Ask, and wait for the answer; what arrives meanwhile is kept."""
        number = next(self._ids)
        self._socket.send(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))
        deadline = time.monotonic() + REQUEST_TIMEOUT_S
        while True:
            message = self._receive(deadline, method)
            if message.get("id") != number:
                continue
            if "error" in message:
                raise RequestError(method, message["error"])
            return message.get("result")

    def wait_for(self, method: str, accept: Callable[[dict[str, Any]], bool] = lambda params: True) -> dict[str, Any]:
        """The first notification of a method that is accepted; it is taken out of ``notices``."""
        deadline = time.monotonic() + REQUEST_TIMEOUT_S
        while True:
            for index, (name, params) in enumerate(self.notices):
                if name == method and accept(params):
                    del self.notices[index]
                    return params
            self._receive(deadline, method)

    def _receive(self, deadline: float, what: str) -> dict[str, Any]:
        """The next message; a notification is kept besides."""
        try:
            message: dict[str, Any] = json.loads(self._socket.recv(timeout=max(0.0, deadline - time.monotonic())))
        except TimeoutError:
            raise TimeoutError(f"no answer to {what}; notices so far: {[name for name, _ in self.notices]}") from None
        if "method" in message:
            self.notices.append((message["method"], message.get("params", {})))
        return message
