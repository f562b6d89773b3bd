"""Many WebSocket clients in one epoll loop, as cheap as Python makes them, so that what they measure is the server.

Every client checks the order of what it is told. Requests are sent when they are due, whatever was answered until
then, and latencies count from that time.
"""

from __future__ import annotations

import json
import select
import socket
import time
from collections.abc import Iterable

from support.abuse import UPGRADE, frame

READ_BYTES = 1 << 20
_ANSWER = b'{"jsonrpc":"2.0","id":'
_TEXT, _PING = 0x81, 0x89
_PONG = frame(10, b"")
_UPGRADED = b"\r\n\r\n"

Plan = Iterable[tuple[float, int, str, dict[str, object]]]
"""When (in seconds from the start), which client, what it asks."""


class Chatter:
    """One client."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.partial = b""
        self.last_seq = 0


class Chatters:
    """All clients of a process. ``answered`` and ``delivered`` count since ``reset``; latencies are in seconds."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        self._epoll = select.epoll()
        self._clients: list[Chatter] = []
        self._by_descriptor: dict[int, Chatter] = {}
        self._buffer = bytearray(READ_BYTES)
        self._view = memoryview(self._buffer)
        self._notices: dict[bytes, tuple[int, float]] = {}
        self._due: list[float] = []
        """By request id."""
        self.reset()

    @property
    def count(self) -> int:
        """How many clients there are."""
        return len(self._clients)

    def reset(self) -> None:
        """Begin to count."""
        self.sent = self.answered = self.delivered = 0
        self.answer_latencies: list[float] = []
        self.chat_latencies: list[float] = []

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
                self._add(sock)

    def _add(self, sock: socket.socket) -> None:
        head = b""
        while _UPGRADED not in head:
            head += sock.recv(4096)
        assert head.startswith(b"HTTP/1.1 101 "), head
        sock.setblocking(False)
        client = Chatter(sock)
        client.partial = head.partition(_UPGRADED)[2]
        self._clients.append(client)
        self._by_descriptor[sock.fileno()] = client
        self._epoll.register(sock.fileno(), select.EPOLLIN)

    def close(self) -> None:
        """Hang up."""
        for client in self._clients:
            client.sock.close()
        self._epoll.close()

    def run(self, plan: Plan, *, notices: int, timeout_s: float = 60.0) -> float:
        """Carry out a plan; wait for all answers and for so many notices. The seconds that it took."""
        began = time.perf_counter()
        waiting = iter(plan)
        following = next(waiting, None)
        deadline = began + timeout_s
        while following is not None or self.answered < self.sent or self.delivered < notices:
            now = time.perf_counter()
            assert now < deadline, f"{self.answered} of {self.sent} answers, {self.delivered} of {notices} notices"
            while following is not None and began + following[0] <= now:
                due_s, number, method, params = following
                self._send(self._clients[number], began + due_s, method, params)
                following = next(waiting, None)
            pause = 0.5 if following is None else min(0.5, max(0.0, began + following[0] - now))
            for descriptor, _ in self._epoll.poll(pause):
                self._read(self._by_descriptor[descriptor])
        return time.perf_counter() - began

    def in_a_row(self, plan: Plan, *, at_once: int = 8) -> None:
        """Carry out a plan as fast as it is answered, whatever its times are; nothing of it is counted."""
        for _, number, method, params in plan:
            while self.sent - self.answered >= at_once:
                self._poll()
            self._send(self._clients[number], time.perf_counter(), method, params)
        while self.answered < self.sent:
            self._poll()

    def settle(self, quiet_s: float = 0.2) -> None:
        """Wait until nothing more comes."""
        while self._poll(quiet_s):
            pass
        self.reset()

    def _poll(self, timeout_s: float = 20.0) -> int:
        ready = self._epoll.poll(timeout_s)
        for descriptor, _ in ready:
            self._read(self._by_descriptor[descriptor])
        return len(ready)

    def _send(self, client: Chatter, due: float, method: str, params: dict[str, object]) -> None:
        if method == "chat.send":
            params = {**params, "clientId": str(len(self._due))}
        request = {"jsonrpc": "2.0", "id": len(self._due), "method": method, "params": params}
        self._due.append(due)
        self.sent += 1
        message = frame(1, json.dumps(request).encode())
        assert client.sock.send(message) == len(message)

    def _read(self, client: Chatter) -> None:
        size = client.sock.recv_into(self._buffer)
        assert size, "the server hung up"
        now = time.perf_counter()
        data = client.partial + self._view[:size] if client.partial else bytes(self._view[:size])
        at, end = 0, len(data)
        while end - at >= 2:
            length, head = data[at + 1], 2
            if length >= 126:
                head = 4 if length == 126 else 10
                length = int.from_bytes(data[at + 2 : at + head], "big")
            stop = at + head + length
            if end - at < head or stop > end:
                break
            if data[at] == _TEXT:
                self._message(client, data[at + head : stop], now)
            else:
                assert data[at] == _PING, data[at:stop]
                client.sock.send(_PONG)
            at = stop
        client.partial = data[at:]

    def _message(self, client: Chatter, message: bytes, now: float) -> None:
        if message.startswith(_ANSWER):
            end = message.index(b",", len(_ANSWER))
            assert message.startswith(b',"result":', end), message[:200]
            self.answered += 1
            self.answer_latencies.append(now - self._due[int(message[len(_ANSWER) : end])])
            return
        known = self._notices.get(message)
        if known is None:
            notice = json.loads(message)
            client_id = notice["params"].get("clientId")
            known = notice["seq"], 0.0 if client_id is None else self._due[int(client_id)]
            if len(self._notices) >= 4096:
                self._notices.clear()
            self._notices[message] = known
        seq, due = known
        assert seq > client.last_seq, f"notice {seq} after {client.last_seq}"
        client.last_seq = seq
        self.delivered += 1
        if due:
            self.chat_latencies.append(now - due)
