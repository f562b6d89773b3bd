"""What a stranger can do wrong with HTTP, and that nobody else notices."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
from support.abuse import UPGRADE, exchange, request, status
from support.server import Client, Server, running
from support.waiting import eventually


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture
def witness(server: Server) -> Iterator[Client]:
    """Someone in a room, who must be served before, during and after."""
    with server.connect() as connection:
        client = Client(connection)
        client.call("room.join", room="witness", name="Witness")
        yield client
        assert client.call("ping", still="here") == {"still": "here"}


def test_foreign_pages_change_nothing_over_the_api(server: Server) -> None:
    request = b"POST /api/rooms HTTP/1.1\r\nHost: h\r\nOrigin: http://evil.example\r\nContent-Length: 2\r\n\r\n{}"
    response = exchange(server, request, half_close=True)
    assert status(response) == 403
    assert b'"reason":"forbidden"' in response


CHUNKED = "Transfer-Encoding: chunked"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(b"\x16\x03\x01\x00\xa5\x01\x00\x00", 400, id="TLS on a plain port"),
        pytest.param(b"hello\r\n\r\n", 400, id="no request"),
        pytest.param(b"GET / HTTP/9.9\r\n\r\n", 505, id="no such version"),
        pytest.param(b"GET  /healthz HTTP/1.1\r\nHost: h\r\n\r\n", 400, id="two spaces"),
        pytest.param(request(), 400, id="no host"),
        pytest.param(request("Host: a", "Host: b"), 400, id="two hosts"),
        pytest.param(request("Host: h", "bad header"), 400, id="header without colon"),
        pytest.param(request("Host: h", "bad : x"), 400, id="space before colon"),
        pytest.param(request("Host: h", "x: a\x00b"), 400, id="NUL in a header"),
        pytest.param(request("Host: h", "x: " + "y" * 20000), 431, id="huge header"),
        pytest.param(request("Host: h", path="/" + "y" * 20000), 431, id="huge target"),
        pytest.param(request("Host: h", *["x: y"] * 200), 431, id="too many headers"),
        pytest.param(request("Host: h", path="http://h/healthz"), 400, id="absolute target"),
        pytest.param(request("Host: h", method="CONNECT", path="h:80"), 400, id="proxying"),
        pytest.param(request("Host: h", "Content-Length: 1", "Content-Length: 2", body=b"ab"), 400, id="two lengths"),
        pytest.param(request("Host: h", "Content-Length: -1"), 400, id="negative length"),
        pytest.param(request("Host: h", "Content-Length: +1", body=b"a"), 400, id="signed length"),
        pytest.param(
            request("Host: h", CHUNKED, "Content-Length: 4", body=b"0\r\n\r\n"), 400, id="a length beside chunks"
        ),
        pytest.param(request("Host: h", "Transfer-Encoding: gzip, chunked"), 501, id="unknown coding"),
        pytest.param(request("Host: h", "Transfer-Encoding: \x0bchunked"), 400, id="disguised chunks"),
        pytest.param(request("Host: h", CHUNKED, version="1.0"), 400, id="chunks in HTTP/1.0"),
        pytest.param(request("Host: h", path="/ws"), 426, id="no upgrade"),
        pytest.param(UPGRADE.replace(b"13", b"12") + b"\r\n", 426, id="old WebSocket"),
        pytest.param(UPGRADE + b"Content-Length: 5\r\n\r\nhello", 400, id="upgrade with a body"),
        pytest.param(request(version="1.0"), 200, id="HTTP/1.0"),
        pytest.param(request("Host: h", "Connection: close", method="BREW"), 405, id="unknown method"),
        pytest.param(request("Host: h", "Connection: close", method="TRACE", path="/"), 405, id="trace"),
    ],
)
def test_request_heads(server: Server, data: bytes, expected: int) -> None:
    response = exchange(server, data)
    assert status(response) == expected
    assert b"Traceback" not in response


@pytest.mark.parametrize(
    "chunks",
    [
        b"zz\r\nhello\r\n0\r\n\r\n",
        b"5\r\nhelloXX0\r\n\r\n",
        b"-5\r\nhello\r\n0\r\n\r\n",
        b"0x5\r\nhello\r\n0\r\n\r\n",
        b"5 \r\nhello\r\n0\r\n\r\n" * 2,
        b"fffffffffffffffffffff\r\n",
        b"5;" + b"x" * 20000,
    ],
)
def test_malformed_chunks_end_the_connection(server: Server, witness: Client, chunks: bytes) -> None:
    head = request("Host: h", CHUNKED, "Content-Type: application/json", method="POST", path="/api/rooms")
    # What follows must never be taken for a request of its own.
    response = exchange(server, head + chunks + request("Host: h", path="/healthz"), half_close=True)
    assert b"ok\n" not in response


def test_oversize_body_is_refused(server: Server) -> None:
    head = request(
        "Host: h", "Content-Type: application/json", "Content-Length: 10000000", method="POST", path="/api/rooms"
    )
    response = exchange(server, head + b"x" * 200_000)
    assert status(response) == 413
    assert b'"reason":"too_large"' in response


def test_oversize_chunked_body_is_refused(server: Server) -> None:
    head = request("Host: h", CHUNKED, "Content-Type: application/json", method="POST", path="/api/rooms")
    response = exchange(
        server, head + b"4000\r\n" + b"x" * 0x4000 + b"\r\n" + (b"4000\r\n" + b"x" * 0x4000 + b"\r\n") * 9
    )
    assert status(response) == 413


def test_pipelined_requests_are_answered_in_order(server: Server) -> None:
    response = exchange(
        server,
        request("Host: h") + request("Host: h", path="/nothing/here") + request("Host: h", "Connection: close"),
    )
    assert [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3})", response)] == [200, 404, 200]


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml",
        "/..%2fpyproject.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/assets/../../cli/main.py",
        "/assets/..%5c..%5ccli%5cmain.py",
        "//etc/passwd",
        "/%00",
        "/index.html%00.txt",
        "/.git/config",
        "/r/../../etc/passwd",
        "/r/a/b",
    ],
)
def test_no_path_leads_out_of_the_client(server: Server, path: str) -> None:
    response = exchange(server, request("Host: h", "Connection: close", path=path))
    assert status(response) == 404
    assert b"root:" not in response
    assert b"[project]" not in response


def test_every_page_carries_the_security_headers(server: Server) -> None:
    for path in ("/", "/r/some-room", "/healthz", "/api/rooms", "/nothing"):
        head = exchange(server, request("Host: h:1", "Connection: close", path=path)).partition(b"\r\n\r\n")[0].decode()
        headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "connect-src 'self' ws://h:1 wss://h:1;" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


def test_a_host_cannot_write_into_the_policy(server: Server) -> None:
    head = exchange(server, request("Host: h; script-src *", "Connection: close")).partition(b"\r\n\r\n")[0]
    assert b"script-src" not in head


# Slowness

AT_ONCE_S = 5  # what nobody else waits: a laggard is borne for eight seconds and more

JSON = "Content-Type: application/json"
BODY = request("Host: h", JSON, "Content-Length: 50", method="POST", path="/api/rooms")


@dataclass(frozen=True)
class Laggard:
    """A client that does too little: what it sends, once and every half second, and how it ends."""

    sends: bytes
    trickles: bytes
    ends_with: bytes
    after_s: tuple[float, float]


LAGGARDS = {
    "nothing at all": Laggard(b"", b"", b"HTTP/1.1 408", (8, 15)),
    "half a request": Laggard(b"GET /healthz HTT", b"", b"HTTP/1.1 408", (8, 15)),
    "a trickling head": Laggard(b"GET / HTTP/1.1\r\nx: ", b"x", b"HTTP/1.1 408", (8, 15)),
    "a trickling body": Laggard(BODY, b"x", b"HTTP/1.1 400", (8, 15)),
    "no second request": Laggard(request("Host: h"), b"", b"HTTP/1.1 200", (12, 20)),
    "no answer to pings": Laggard(UPGRADE + b"\r\n", b"", b"HTTP/1.1 101", (25, 36)),
}


def linger(server: Server, laggard: Laggard) -> tuple[bytes, float]:
    """Be that client until the server hangs up; return what it said and when that was."""
    began = time.monotonic()
    received = b""
    with server.socket() as client:
        client.sendall(laggard.sends)
        client.settimeout(0.5)
        while time.monotonic() - began < 60:
            try:
                if not (data := client.recv(65536)):
                    break
                received += data
            except TimeoutError:
                if laggard.trickles:
                    client.sendall(laggard.trickles)
            except (BrokenPipeError, ConnectionResetError):
                break
    return received, time.monotonic() - began


def test_half_a_request_and_then_the_end(server: Server, witness: Client) -> None:
    assert status(exchange(server, b"GET /healthz HTT", half_close=True)) == 400


def test_everyone_who_dawdles_is_dropped_and_nobody_else_waits(server: Server, witness: Client) -> None:
    with ThreadPoolExecutor(2 * len(LAGGARDS)) as pool:
        runs = {name: pool.submit(linger, server, laggard) for name, laggard in LAGGARDS.items()}
        while not all(run.done() for run in runs.values()):
            began = time.monotonic()
            assert witness.call("ping", a=1) == {"a": 1}
            assert time.monotonic() - began < AT_ONCE_S
            time.sleep(0.5)
    for name, laggard in LAGGARDS.items():
        received, took_s = runs[name].result()
        assert received.startswith(laggard.ends_with), name
        assert laggard.after_s[0] < took_s < laggard.after_s[1], name


def test_connections_are_capped_and_places_come_back() -> None:
    with running(MAX_CONNECTIONS="5") as server:
        held = [server.socket() for _ in range(5)]
        for client in held:
            client.sendall(request("Host: h"))
            assert status(client.recv(65536)) == 200
        assert status(exchange(server, request("Host: h"))) == 503
        for client in held:
            client.close()
        once = request("Host: h", "Connection: close")
        eventually(lambda: status(exchange(server, once)), lambda code: code == 200)
        assert server.metric("simplestchat_connections_refused_total") >= 1


# Too often


POST = request("Host: h", JSON, "Content-Length: 2", method="POST", path="/api/rooms", body=b"{}")


def test_an_address_makes_no_more_rooms_than_it_may_and_all_else_goes_on() -> None:
    with running(ROOM_BURST="3", ROOM_RATE="1") as server:
        response = exchange(server, POST * 3 + POST.replace(b"rooms", b"%72ooms"))
        assert [int(code) for code in re.findall(rb"HTTP/1\.1 (\d{3})", response)] == [201, 201, 201, 429]
        head, _, body = response.rpartition(b"\r\n\r\n")
        error = json.loads(body)["error"]
        assert (error["code"], error["data"]["reason"]) == (4007, "rate_limited")
        assert 50 < int(re.findall(rb"retry-after: (\d+)", head)[0]) <= 60
        assert server.get("/api/rooms") == '{"rooms":[]}'
        assert server.metric("simplestchat_http_throttled_total") == 1


@pytest.mark.parametrize("path", ["/api/rooms?query=x", "/api/rooms/r/stats", "/api/rooms/r/%73tats"])
def test_a_flood_of_requests_ends_with_429_and_nobody_else_waits(path: str) -> None:
    with running(HTTP_BURST="1000", HTTP_RATE="20") as server, server.connect() as connection:
        client = Client(connection)
        client.call("room.join", room="r", name="W")
        with ThreadPoolExecutor(1) as pool:
            flood = pool.submit(exchange, server, request("Host: h", path=path) * 500)
            while not flood.done():
                began = time.monotonic()
                assert client.call("ping", a=1) == {"a": 1}
                assert time.monotonic() - began < AT_ONCE_S
                time.sleep(0.02)  # within what one connection may ask for, however long the flood takes
        codes = re.findall(rb"HTTP/1\.1 (\d{3})", flood.result())
        assert set(codes[:-1]) == {b"200"}
        assert codes[-1] == b"429"
        assert 50 < len(codes) < 500
        assert server.get("/healthz") == "ok\n"
