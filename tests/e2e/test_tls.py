"""Serving with a certificate that the server makes for itself."""

from __future__ import annotations

import datetime
import http.client
import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.abuse import read_all, request, status
from support.server import Client, Server, running
from support.waiting import eventually

from simplestchat.server import tls


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def server(state: Path) -> Iterator[Server]:
    with running(TLS="self-signed", STATE_DIR=str(state)) as server:
        yield server


def trusting(state: Path) -> ssl.SSLContext:
    """A client that trusts this certificate and checks its names."""
    return ssl.create_default_context(cafile=state / "self-signed.pem")


def test_page_and_websocket_over_tls(server: Server, state: Path) -> None:
    assert server.url.startswith("https://")
    context = trusting(state)
    connection = http.client.HTTPSConnection(*server.address, context=context, timeout=10)
    connection.request("GET", "/healthz")
    assert connection.getresponse().read() == b"ok\n"
    connection.close()
    with server.connect(ssl=context) as websocket:
        client = Client(websocket)
        client.call("room.join", room="r", name="P")
        assert client.call("ping", a="x" * 50_000) == {"a": "x" * 50_000}


def test_a_certificate_is_kept_for_the_next_start(state: Path) -> None:
    kept = []
    for _ in range(2):
        with running(TLS="self-signed", STATE_DIR=str(state)):
            kept.append((state / "self-signed.pem").read_bytes())
    assert kept[0] == kept[1]


def test_own_certificate_and_key(state: Path) -> None:
    with running(TLS="self-signed", STATE_DIR=str(state)):
        pass
    file = str(state / "self-signed.pem")
    with running(TLS_CERT=file, TLS_KEY=file) as server, server.connect(ssl=trusting(state)) as websocket:
        assert Client(websocket).call("ping") == {}


def served_certificate(server: Server) -> bytes:
    """The certificate that a new connection is shown."""
    return ssl.PEM_cert_to_DER_cert(ssl.get_server_certificate(server.address, timeout=10))


def test_a_new_certificate_is_loaded_without_an_end_of_anything(tmp_path: Path) -> None:
    first, second, used = (tmp_path / name for name in ("first", "second", "used.pem"))
    for folder in (first, second):
        tls.self_signed(folder, ["localhost"], ["127.0.0.1"], datetime.datetime.now(datetime.UTC))
    used.write_bytes((first / tls.CERTIFICATE_FILE).read_bytes())
    with running(TLS_CERT=str(used), TLS_KEY=str(used)) as server, server.connect(ssl=trusting(first)) as websocket:
        client = Client(websocket)
        client.call("room.join", room="r", name="P")
        before = served_certificate(server)
        used.write_bytes(b"not yet written")
        os.kill(server.pid, signal.SIGHUP)
        eventually(lambda: "".join(server.output), lambda log: "certificate not loaded" in log)
        assert served_certificate(server) == before
        used.write_bytes((second / tls.CERTIFICATE_FILE).read_bytes())
        os.kill(server.pid, signal.SIGHUP)
        eventually(lambda: served_certificate(server), lambda now: now != before)
        with server.connect(ssl=trusting(second)) as another:
            assert Client(another).call("ping") == {}
        assert client.call("ping", still="here") == {"still": "here"}


def test_what_is_no_handshake_is_dropped_and_nobody_waits(server: Server, state: Path) -> None:
    with server.socket() as plain, server.socket() as half, server.socket() as quiet:
        plain.sendall(request("Host: h"))
        assert not read_all(plain).startswith(b"HTTP/1.1 2")
        half.sendall(b"\x16\x03\x01\x02\x00\x01")
        began = time.monotonic()
        with server.connect(ssl=trusting(state)) as websocket:
            assert Client(websocket).call("ping") == {}
        assert time.monotonic() - began < 5  # long before the others are given up
        assert read_all(half) == b""
        assert read_all(quiet) == b""
        assert time.monotonic() - began < 15


def test_old_versions_are_refused(server: Server, state: Path) -> None:
    context = trusting(state)
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with server.socket() as client, pytest.raises(ssl.SSLError):
        context.wrap_socket(client, server_hostname="localhost")


def test_oversize_body_is_answered_over_tls_too(server: Server, state: Path) -> None:
    parts = ("Content-Type: application/json", "Content-Length: 100000")
    head = request("Host: h", *parts, method="POST", path="/api/rooms")
    with (
        socket.create_connection(server.address, timeout=20) as plain,
        trusting(state).wrap_socket(plain, server_hostname="localhost") as client,
    ):
        client.sendall(head + b"x" * 100_000)
        assert status(client.recv(65536)) == 413
