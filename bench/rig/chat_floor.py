"""The floor of signaling in a process of its own, on the server's core: `ChatFloor` behind a socket of its own.

`ChatFloorProcess` starts this file as a program. It takes as many clients as its rooms have places, in the order in
which they connect, and serves them until it is told to end.
"""

from __future__ import annotations

import contextlib
import json
import resource
import socket
import subprocess
import sys
from typing import Self

from simplestchat._native.testing.chat_floor import ChatFloor

_UPGRADED = b"HTTP/1.1 101 Switching Protocols\r\n\r\n"


class ChatFloorProcess:
    """Inherits the cores of the thread that makes it."""

    def __init__(self, rooms: list[int]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, json.dumps(rooms)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.address = ("127.0.0.1", int(self._process.stdout.readline()))
        self.pid = self._process.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is not None:  # it may still wait for clients
            self._process.kill()
        self._process.communicate()


def main() -> None:
    rooms: list[int] = json.loads(sys.argv[1])
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with contextlib.ExitStack() as clients, socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        print(listener.getsockname()[1], flush=True)
        descriptors = []
        for _ in range(sum(rooms)):
            client = clients.enter_context(listener.accept()[0])
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(4096)
            client.sendall(_UPGRADED)
            descriptors.append(client.fileno())
        ChatFloor(descriptors, rooms).serve(sys.stdin.fileno())


if __name__ == "__main__":
    main()
