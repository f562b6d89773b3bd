"""Many WebSocket clients of a process: connected here, moved by one native loop (``ChatterLoop``), which checks the
order of what each of them is told.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable

from support.abuse import UPGRADE, frame

from simplestchat._native.testing.bench_chatters import ChatterLoop

_UPGRADED = b"\r\n\r\n"

Plan = Iterable[tuple[float, int, str, dict[str, object]]]
"""When (in seconds from the start), which client, what it asks."""


class Chatters:
    """All clients of a process. ``loop`` has the counts and latencies of the latest run."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._sockets: list[socket.socket] = []
        self._asked = 0
        self.loop = ChatterLoop()

    @property
    def count(self) -> int:
        """How many clients there are."""
        return len(self._sockets)

    def connect(self, count: int) -> None:
        """Add clients that are in no room yet."""
        for begin in range(0, count, 100):
            fresh = []
            for _ in range(min(100, count - begin)):
                sock = socket.create_connection(self._address, timeout=20)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.sendall(UPGRADE + b"\r\n")
                fresh.append(sock)
            for sock in fresh:
                head = b""
                while not head.endswith(_UPGRADED):  # nothing follows it until something is asked
                    head += sock.recv(4096)
                assert head.startswith(b"HTTP/1.1 101 "), head
                self._sockets.append(sock)
                self.loop.add(sock.fileno())

    def close(self) -> None:
        """Hang up."""
        for sock in self._sockets:
            sock.close()

    def run(self, plan: Plan, *, notices: int, sleep: bool = True) -> float:
        """Carry out a plan; wait for all answers and for so many notices. The seconds that it took."""
        return self.loop.run(self._requests(plan), notices, sleep=sleep)

    def in_a_row(self, plan: Plan, *, at_once: int = 8) -> None:
        """Carry out a plan as fast as it is answered, whatever its times are."""
        self.loop.run(self._requests(plan), 0, at_once=at_once)

    def settle(self, quiet_s: float = 0.2) -> None:
        """Wait until nothing more comes."""
        self.loop.run([], 0, quiet_s=quiet_s)

    def _requests(self, plan: Plan) -> list[tuple[float, int, bytes]]:
        """Ready frames. Ids begin at 0 in every run; what is said has an id that no other run had."""
        requests = []
        for index, (when, number, method, params) in enumerate(plan):
            if method == "chat.send":
                # The loop reads digits up to the first other character.
                params = {**params, "clientId": f"{index}/{self._asked}"}
            request = {"jsonrpc": "2.0", "id": index, "method": method, "params": params}
            requests.append((when, number, frame(1, json.dumps(request).encode())))
        self._asked += 1
        return requests
