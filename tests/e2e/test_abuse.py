"""What a stranger can do wrong with a WebSocket, and that nobody else notices."""

from __future__ import annotations

import contextlib
import json
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import websockets.exceptions
from support import sanitized
from support.abuse import UPGRADE, exchange, frame, raw_websocket, read_all, status, until_closed
from support.server import Client, Server, running

MAX_MESSAGE = 64 * 1024


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(False, id="release"),
        pytest.param(True, id="sanitized", marks=pytest.mark.timeout(sanitized.BUILD_TIMEOUT_S + 180)),
    ],
)
def sanitize(request: pytest.FixtureRequest) -> bool:
    """Whether the server runs on the sanitized modules: everything here is tried with and without."""
    return bool(request.param)


@pytest.fixture(scope="module")
def server(sanitize: bool) -> Iterator[Server]:
    with running(sanitize=sanitize) as server:
        workers = server.worker_pids()
        yield server
        assert server.worker_pids() == workers, "a worker died"


@pytest.fixture
def witness(server: Server) -> Iterator[Client]:
    """Someone in a room, who must be served before, during and after."""
    with server.connect() as connection:
        client = Client(connection)
        client.call("room.join", room="witness", name="Witness")
        yield client
        assert client.call("ping", still="here") == {"still": "here"}


# Messages: answered with an error, the connection stays


@pytest.mark.parametrize(
    ("text", "code", "reason"),
    [
        pytest.param("{", -32700, "parse_error", id="half-json"),
        pytest.param("", -32700, "parse_error", id="empty"),
        pytest.param("\x00\x01", -32700, "parse_error", id="control characters"),
        pytest.param("[" * 30000, -32700, "parse_error", id="deep nesting"),
        pytest.param('{"a":' * 10000 + "1" + "}" * 10000, -32700, "parse_error", id="deep objects"),
        pytest.param("[]", -32600, "invalid_request", id="empty batch"),
        pytest.param('[{"jsonrpc":"2.0","id":1,"method":"ping"}]', -32600, "invalid_request", id="batch"),
        pytest.param("1", -32600, "invalid_request", id="a number"),
        pytest.param('{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600, "invalid_request", id="other version"),
        pytest.param('{"jsonrpc":"2.0","id":{},"method":"ping"}', -32600, "invalid_request", id="id is an object"),
        pytest.param('{"jsonrpc":"2.0","id":1,"method":7}', -32600, "invalid_request", id="method is a number"),
        pytest.param('{"jsonrpc":"2.0","id":1,"method":"room.fly"}', -32601, "method_not_found", id="unknown"),
        pytest.param('{"jsonrpc":"2.0","id":1,"method":"__init__"}', -32601, "method_not_found", id="dunder"),
        pytest.param(
            '{"jsonrpc":"2.0","id":1,"method":"room.join","params":{"room":7,"name":[]}}',
            -32602,
            "invalid_params",
            id="wrong types",
        ),
        pytest.param(
            '{"jsonrpc":"2.0","id":1,"method":"room.join","params":["a","b"]}',
            -32602,
            "invalid_params",
            id="by position",
        ),
        pytest.param('{"jsonrpc":"2.0","id":1,"method":"chat.send","params":{}}', 4000, "not_in_room", id="no room"),
    ],
)
def test_bad_message_is_answered_and_closes_nothing(
    server: Server, witness: Client, text: str, code: int, reason: str
) -> None:
    with server.connect() as connection:
        connection.send(text)
        answer = json.loads(connection.recv(timeout=5))
        assert (answer["error"]["code"], answer["error"]["data"]["reason"]) == (code, reason)
        assert Client(connection).call("ping") == {}


# Frames: closed with the right code


@pytest.mark.parametrize(
    ("message", "code"),
    [
        pytest.param("x" * (MAX_MESSAGE + 1), 1009, id="oversize"),
        pytest.param("x" * 1024 * 1024, 1009, id="far oversize"),
        pytest.param(b'{"jsonrpc":"2.0","id":1,"method":"ping"}', 1003, id="binary"),
    ],
)
def test_bad_frame_closes_with_its_code(server: Server, witness: Client, message: str | bytes, code: int) -> None:
    with server.connect() as connection:
        with contextlib.suppress(websockets.exceptions.ConnectionClosed):  # it may come while the rest is being sent
            connection.send(message)
        _answers, closed_with = until_closed(connection)
    assert closed_with == code


def test_the_largest_message_is_taken(server: Server) -> None:
    with server.connect() as connection:
        head, tail = '{"jsonrpc":"2.0","id":1,"method":"ping","params":"', '"}'
        connection.send(head + "x" * (MAX_MESSAGE - len(head) - len(tail)) + tail)
        assert len(json.loads(connection.recv(timeout=5))["result"]) > MAX_MESSAGE - 100


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        pytest.param(frame(1, b"{}", mask=False), 1002, id="unmasked"),
        pytest.param(frame(3, b""), 1002, id="reserved opcode"),
        pytest.param(frame(1, b"{}", rsv=4), 1002, id="reserved bit (compressed)"),
        pytest.param(frame(0, b"{}"), 1002, id="continuation of nothing"),
        pytest.param(frame(1, b"{", fin=False) + frame(1, b"}"), 1002, id="message inside of a message"),
        pytest.param(frame(9, b"x" * 126), 1002, id="long ping"),
        pytest.param(frame(9, b"", fin=False), 1002, id="fragmented ping"),
        pytest.param(frame(8, b"\x03"), 1002, id="close code of one byte"),
        pytest.param(frame(8, (999).to_bytes(2, "big")), 1002, id="close code out of range"),
        pytest.param(frame(1, b"\xff\xfe"), 1007, id="no UTF-8"),
        pytest.param(frame(1, b"\xc3"), 1007, id="cut UTF-8"),
        pytest.param(frame(1, b"", fin=False) + frame(0, b"", fin=False) * 1000, 1009, id="empty fragments"),
        pytest.param(frame(1, b"x" * 40000, fin=False) + frame(0, b"x" * 40000), 1009, id="oversize in fragments"),
        pytest.param(bytes([0x81, 0xFF]) + (1 << 62).to_bytes(8, "big") + b"\0\0\0\0", 1009, id="announced 4 EiB"),
        pytest.param(frame(2, b"\0", fin=False) + frame(0, b"\0"), 1003, id="binary in fragments"),
    ],
)
def test_wrong_frames(server: Server, witness: Client, frames: bytes, code: int) -> None:
    assert raw_websocket(server, frames) == code


def test_message_right_behind_the_request_head_is_answered(server: Server) -> None:
    request = b'{"jsonrpc":"2.0","id":5,"method":"ping","params":"early"}'
    with server.socket() as client:
        client.sendall(UPGRADE + b"\r\n" + frame(1, request))
        received = b""
        while b'"early"' not in received:
            received += client.recv(65536)


# Who may connect


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (None, True),
        ("http://{host}:{port}", True),
        ("https://{host}:{port}", True),
        ("null", False),
        ("", False),
        ("http://{host}", False),
        ("http://{host}:1", False),
        ("http://{host}:{port}.evil.example", False),
        ("http://{host}.evil.example:{port}", False),
        ("http://evil{host}:{port}", False),
        ("http://evil.example/{host}:{port}", False),
        ("http://{host}:{port}@evil.example", False),
        ("http://{host}:{port}/", False),
        ("http://{host}:{port} ", True),  # optional white space around a header's value is no part of it
        ("http://{host}:{port}\thttp://evil.example", False),
        ("file://{host}:{port}", False),
        ("HTTP://EVIL.EXAMPLE", False),
        ("http://localhost:{port}", False),
    ],
)
def test_origin(server: Server, origin: str | None, allowed: bool) -> None:
    host, port = server.address
    head = UPGRADE.replace(b"Host: h", f"Host: {host}:{port}".encode())
    if origin is not None:
        head += f"Origin: {origin.format(host=host, port=port)}\r\n".encode()
    with server.socket() as client:
        client.sendall(head + b"\r\n" + frame(8, b""))
        assert status(read_all(client)) == (101 if allowed else 403)


def test_two_origins_are_refused(server: Server) -> None:
    host, port = server.address
    origin = f"Origin: http://{host}:{port}\r\n".encode()
    head = UPGRADE.replace(b"Host: h", f"Host: {host}:{port}".encode())
    assert status(exchange(server, head + origin + origin + b"\r\n")) == 403


def test_slow_reader_is_closed_and_others_go_on(sanitize: bool) -> None:
    with (
        running(sanitize=sanitize, MAX_QUEUE_BYTES="65536", MAX_QUEUE_MESSAGES="64") as server,
        server.connect() as talker,
    ):
        client = Client(talker)
        client.call("room.join", room="slow", name="Talker")
        with server.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            join = {"jsonrpc": "2.0", "id": 1, "method": "room.join", "params": {"room": "slow", "name": "Slow"}}
            slow.sendall(UPGRADE + b"\r\n" + frame(1, json.dumps(join).encode()))
            client.notice("peer.joined", name="Slow")
            deadline = time.monotonic() + 30
            while 'how="slow"' not in server.get("/metrics") and time.monotonic() < deadline:
                for number in range(20):
                    client.call("chat.send", text="x" * 4000, clientId=f"{time.monotonic_ns()}-{number}")
                time.sleep(0.2)  # within the rate that a client may keep up
            assert 'how="slow"' in server.get("/metrics")
            assert client.call("ping", a=1) == {"a": 1}


# Too much


def test_flood_is_closed_and_others_go_on(server: Server, witness: Client) -> None:
    ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}'
    with server.connect() as connection, ThreadPoolExecutor(1) as pool:

        def flood() -> None:
            while True:  # until that fails
                for _ in range(50):
                    connection.send(ping)
                time.sleep(0.001)  # this program reads, too: a line that it leaves full is reset in the end, unread

        flooding = pool.submit(flood)
        answers, code = until_closed(connection)
        assert isinstance(flooding.exception(), websockets.exceptions.ConnectionClosed)
    assert code == 4008
    reasons = Counter(answer.get("error", {}).get("data", {}).get("reason", "ok") for answer in answers)
    assert reasons["ok"] >= 500
    assert set(reasons) == {"ok", "rate_limited"}
    began = time.monotonic()
    assert witness.call("ping", a=1) == {"a": 1}
    assert time.monotonic() - began < 5
