"""`simplestchat serve` of this checkout, in a process of its own, on free ports."""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import websockets.sync.client
from support import sanitized
from support.process import ServerProcess, worker_pids
from support.repository import ROOT

COMMAND = (sys.executable, "-m", "simplestchat", "serve")
FREE_PORTS = {"PORT": "0", "RTC_PORT": "0"}
#: Few workers: the tests of a small machine share it.
DEFAULTS = {**FREE_PORTS, "WORKERS": "1"}


class Server(ServerProcess):
    """A running server and the ways to speak to it."""

    def __init__(self, *options: str, sanitize: bool = False, **settings: str) -> None:
        if sanitize:
            sanitized.build()
        super().__init__(
            (*COMMAND, *options),
            cwd=sanitized.FOLDER if sanitize else ROOT,  # or `-m` would find the modules of the checkout first
            settings={**DEFAULTS, **settings},
            environment=sanitized.environment() if sanitize else None,
            ready_timeout_s=120 if sanitize else 30,
        )

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens."""
        parts = urllib.parse.urlsplit(self.url)
        assert parts.hostname is not None
        assert parts.port is not None
        return parts.hostname, parts.port

    def connect(self, **options: Any) -> websockets.sync.client.ClientConnection:
        """Open a WebSocket."""
        url = self.url.replace("http", "ws", 1) + "/ws"
        return websockets.sync.client.connect(url, **{"compression": None, "proxy": None, **options})

    def socket(self) -> socket.socket:
        """Open a plain TCP connection."""
        return socket.create_connection(self.address, timeout=20)

    def get(self, path: str) -> str:
        """Return the body of a GET."""
        with urllib.request.urlopen(self.url + path, timeout=10) as answer:
            return str(answer.read().decode())

    def metric(self, name: str) -> float:
        """Return a sample of `/metrics` that has no labels."""
        for line in self.get("/metrics").splitlines():
            if line.startswith(name + " "):
                return float(line.rpartition(" ")[2])
        raise AssertionError(f"there is no metric {name}")

    def worker_metric(self, name: str) -> list[float]:
        """Return a metric that each worker has once, of all that told it by now; ``name`` without its beginning."""
        one = rf'^simplestchat_worker_{name}{{worker="\d+"}} (\S+)$'
        return [float(value) for value in re.findall(one, self.get("/metrics"), re.MULTILINE)]

    def worker_pids(self) -> list[int]:
        """Return the processes of its media workers."""
        return worker_pids(self.pid)

    def stop(self, sign: signal.Signals = signal.SIGTERM) -> int:
        """End it as an operator does; it must end well."""
        status = super().stop(sign)
        output = "".join(self.output)
        assert status == 0, output
        assert not sanitized.REPORT.search(output), output
        return status


@contextmanager
def running(*options: str, sanitize: bool = False, **settings: str) -> Iterator[Server]:
    """Run a server for the body, on the sanitized modules if wanted; afterwards it must end well when told to."""
    with Server(*options, sanitize=sanitize, **settings) as server:
        yield server
        server.stop()


class Client:
    """A WebSocket that speaks JSON-RPC: requests wait for their answer, notifications are kept."""

    def __init__(self, connection: websockets.sync.client.ClientConnection) -> None:
        self.connection = connection
        self.notices: list[dict[str, Any]] = []
        self._last_id = 0

    def request(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the whole answer to a request."""
        self._last_id += 1
        message = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        self.connection.send(json.dumps(message))
        while True:
            answer = self._receive(10)
            if answer.get("id") == self._last_id:
                return answer
            self.notices.append(answer)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Return the result of a request that must work."""
        answer = self.request(method, **params)
        assert "result" in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def notice(self, method: str, timeout_s: float = 10, **fields: Any) -> dict[str, Any]:
        """Wait for a notification with these parameters; return its parameters."""
        while True:
            for index, notice in enumerate(self.notices):
                params: dict[str, Any] = notice["params"]
                if notice["method"] == method and fields.items() <= params.items():
                    del self.notices[index]
                    return params
            self.notices.append(self._receive(timeout_s))

    def _receive(self, timeout_s: float) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.connection.recv(timeout=timeout_s))
        return message
