"""How a server starts, ends, and survives the death of its parts."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.abuse import exchange, status, until_closed
from support.crowd import gather
from support.ports import free_ports
from support.process import spare_pids
from support.repository import ROOT
from support.server import COMMAND, DEFAULTS, Client, Server, running
from support.waiting import eventually


def wait_for(condition: Callable[[], bool], timeout_s: float = 10) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def start_in_vain(*options: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a server that cannot start, to its end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SIMPLESTCHAT_")}
    environ = {**clean, **{f"SIMPLESTCHAT_{name}": value for name, value in {**DEFAULTS, **settings}.items()}}
    return subprocess.run([*COMMAND, *options], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=30)


# Starting


@pytest.mark.parametrize(
    ("options", "settings", "words"),
    [
        (("--port", "x"), {}, ("--port", "'x'", "a whole number from 0 to 65535")),
        ((), {"PORT": "70000"}, ("SIMPLESTCHAT_PORT", "'70000'", "a whole number from 0 to 65535")),
        ((), {"PROT": "1"}, ("SIMPLESTCHAT_PROT", "'1'", "did you mean SIMPLESTCHAT_PORT")),
        (("--tls", "maybe"), {}, ("--tls", "'maybe'", "off, self-signed")),
        (("--tls-cert", "/nowhere.pem"), {}, ("--tls-cert", "'/nowhere.pem'", "tls-key")),
        ((), {"TLS_KEY": "/nowhere.pem"}, ("SIMPLESTCHAT_TLS_KEY", "'/nowhere.pem'", "tls-cert")),
        (("--tls-cert", "/nowhere", "--tls-key", "/nowhere"), {}, ("--tls-cert", "'/nowhere'", "PEM")),
        (("--config", "/nowhere.toml"), {}, ("--config", "'/nowhere.toml'", "a readable file")),
        (("--prot", "1"), {}, ("--prot",)),
        (("--por", "1"), {}, ("--por",)),
    ],
)
def test_a_wrong_setting_is_refused_at_start(
    options: tuple[str, ...], settings: dict[str, str], words: tuple[str, ...]
) -> None:
    done = start_in_vain(*options, **settings)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_a_port_in_use_is_told_by_its_setting() -> None:
    with running() as server:
        done = start_in_vain(PORT=str(server.address[1]))
    assert done.returncode == 1
    assert "port: " in done.stderr
    assert "SIMPLESTCHAT_PORT" in done.stderr
    assert "in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_rtc_port_in_use_is_told_by_its_setting() -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as taken:
        taken.bind(("::", 0))
        done = start_in_vain(RTC_PORT=str(taken.getsockname()[1]))
    assert done.returncode == 1
    assert "rtc-port" in done.stderr
    assert "SIMPLESTCHAT_RTC_PORT" in done.stderr
    assert "Traceback" not in done.stderr


def test_health_and_readiness() -> None:
    with running() as server:
        assert server.get("/healthz") == "ok\n"
        assert server.get("/readyz") == "ready\n"


def media_ports(server: Server) -> set[int]:
    """The UDP ports that two rooms are told, which are on a worker each."""
    found = set()
    with server.connect() as one, server.connect() as two:
        for number, client in enumerate((Client(one), Client(two))):
            client.call("room.join", room=f"room-{number}", name="P")
            transport = client.call("transport.create", direction="send")
            ports = {candidate["port"] for candidate in transport["iceCandidates"]}
            assert len(ports) == 1
            found |= ports
    return found


def test_workers_have_ports_of_their_own() -> None:
    with running(WORKERS="2") as server:
        assert len(server.worker_pids()) == 2
        assert len(media_ports(server)) == 2


def test_ports_of_workers_follow_the_first() -> None:
    first = free_ports(2)
    with running(WORKERS="2", RTC_PORT=str(first)) as server:
        assert media_ports(server) == {first, first + 1}


# Ending


@pytest.mark.alone
@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_ends_at_once_when_nobody_is_there(sign: signal.Signals) -> None:
    # Who waits for nobody, waits two seconds each time; a busy machine is slow, but not three times in a row.
    assert any(ends_within(1.5, sign) for _ in range(3))


def ends_within(limit_s: float, sign: signal.Signals) -> bool:
    """Start a server and end it; whether that was quick. Nothing may be left of it."""
    with Server() as server:
        workers = server.worker_pids()
        with server.socket() as idle:  # a connection without a WebSocket is nobody
            began = time.monotonic()
            server.stop(sign)
            took_s = time.monotonic() - began
            assert idle.recv(100) == b""
        assert not any(alive(pid) for pid in workers)
    return took_s < limit_s


@pytest.mark.alone
def test_tells_its_clients_and_ends_within_five_seconds() -> None:
    # Of three tries, as above.
    assert any(tells_its_clients_within(5) for _ in range(3))


def tells_its_clients_within(limit_s: float) -> bool:
    """End a server with clients; whether that was quick. All of them must be told."""
    with Server() as server, ExitStack() as stack:
        connections = [stack.enter_context(server.connect()) for _ in range(5)]
        for number, connection in enumerate(connections):
            Client(connection).call("room.join", room="r", name=f"P{number}")
        with ThreadPoolExecutor(len(connections)) as pool:
            endings = [pool.submit(until_closed, connection) for connection in connections]
            began = time.monotonic()
            server.stop()
            took_s = time.monotonic() - began
        for ending in endings:
            messages, code = ending.result()
            assert "server.draining" in [message["method"] for message in messages]
            assert code == 1001
    return took_s < limit_s


@pytest.mark.alone
def test_clients_that_neither_read_nor_close_do_not_hold_it_up() -> None:
    assert any(ends_with_stuck_clients_within(5) for _ in range(3))


def ends_with_stuck_clients_within(limit_s: float) -> bool:
    """End a server whose clients do not read; whether that was quick."""
    with Server() as server:
        stuck = [server.socket() for _ in range(5)]
        for client in stuck:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: h\r\n\r\n" * 200)
        with server.connect() as connection:
            Client(connection).call("room.join", room="r", name="P")
            began = time.monotonic()
            server.stop()
            took_s = time.monotonic() - began
        for client in stuck:
            client.close()
    return took_s < limit_s


@pytest.mark.alone
def test_a_request_that_waits_for_a_stuck_worker_does_not_hold_it_up() -> None:
    assert any(ends_with_a_stuck_worker_within(5) for _ in range(3))


def ends_with_a_stuck_worker_within(limit_s: float) -> bool:
    """End a server whose worker leaves a request unanswered; whether that was quick."""
    with Server() as server, server.connect() as connection:
        client = Client(connection)
        client.call("room.join", room="r", name="P")
        (worker,) = server.worker_pids()
        os.kill(worker, signal.SIGSTOP)
        message = {"jsonrpc": "2.0", "id": 9, "method": "transport.create", "params": {"direction": "send"}}
        connection.send(json.dumps(message))
        wait_for(lambda: server.metric("simplestchat_messages_received_total") >= 2)
        began = time.monotonic()
        server.stop()
        return time.monotonic() - began < limit_s


def test_takes_nobody_new_while_it_drains() -> None:
    with Server() as server, server.connect() as connection:
        client = Client(connection)
        client.call("room.join", room="r", name="P")
        os.kill(server.pid, signal.SIGTERM)
        client.notice("server.draining")
        with pytest.raises(ConnectionRefusedError):
            server.socket()
        server.stop()


@pytest.mark.alone
def test_a_second_signal_ends_it_sooner() -> None:
    assert any(ends_at_the_second_signal_within(1.5) for _ in range(3))


def ends_at_the_second_signal_within(limit_s: float) -> bool:
    """End a server by two signals; whether that was quicker than waiting for its clients."""
    with Server() as server, server.connect() as connection:
        client = Client(connection)
        client.call("room.join", room="r", name="P")
        began = time.monotonic()
        os.kill(server.pid, signal.SIGTERM)
        client.notice("server.draining")
        server.stop()
        return time.monotonic() - began < limit_s


# Workers


def test_workers_ignore_the_signals_that_end_their_node() -> None:
    with running(WORKERS="2") as server:
        workers = server.worker_pids()
        for pid in workers:
            for sign in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                os.kill(pid, sign)
        time.sleep(0.5)
        assert server.worker_pids() == workers
        assert all(alive(pid) for pid in workers)


def test_workers_end_with_a_node_that_was_killed() -> None:
    with Server(WORKERS="2") as server:
        spares = eventually(lambda: spare_pids(server.pid), bool)
        processes = [*server.worker_pids(), *spares]
        os.kill(server.pid, signal.SIGKILL)
        wait_for(lambda: not any(alive(pid) for pid in processes), 5)


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
def test_a_lost_worker_is_told_and_replaced(sign: signal.Signals) -> None:
    with running() as server, server.connect() as connection, server.connect() as other:
        client, witness = Client(connection), Client(other)
        client.call("room.join", room="r", name="P")
        witness.call("room.join", room="r", name="W")
        transport = client.call("transport.create", direction="send")["id"]
        (worker,) = server.worker_pids()
        eventually(lambda: spare_pids(server.pid), bool)
        os.kill(worker, sign)
        # One that hangs is found out by the question that it leaves unanswered.
        lost = client.notice("transport.state", timeout_s=15, transportId=transport)
        assert lost["state"] == "failed"
        began = time.monotonic()
        again = client.call("transport.create", direction="send")
        assert time.monotonic() - began < 5
        assert again["id"] != transport
        assert again["iceCandidates"]
        wait_for(lambda: len(server.worker_pids()) == 1 and server.worker_pids() != [worker])
        assert server.metric("simplestchat_worker_restarts_total") == 1
        assert witness.call("ping", a=1) == {"a": 1}


def failed_transports(client: Client) -> list[str]:
    """The transports that a client was told to have failed, up to now."""
    client.call("ping")
    told = (notice["params"] for notice in client.notices if notice["method"] == "transport.state")
    return [params["transportId"] for params in told if params["state"] == "failed"]


def test_only_the_rooms_of_a_lost_worker_notice() -> None:
    with running(WORKERS="2") as server, server.connect() as one, server.connect() as two:
        clients = Client(one), Client(two)
        transports = []
        for number, client in enumerate(clients):
            client.call("room.join", room=f"room-{number}", name="P")
            transports.append(client.call("transport.create", direction="send")["id"])
        eventually(lambda: spare_pids(server.pid), bool)
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        lost = eventually(lambda: [failed_transports(client) for client in clients], any)
        wait_for(lambda: server.metric("simplestchat_workers") == 2)
        assert [failed_transports(client) for client in clients] == lost
        assert sorted(lost, key=len) in ([[], [transports[0]]], [[], [transports[1]]])


# Logs


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_logs_hold_no_address_no_token_and_no_name(log_format: str) -> None:
    with running(LOG_LEVEL="debug", LOG_FORMAT=log_format) as server:
        with server.connect(subprotocols=["bearer.verysecrettoken1"]) as connection:
            client = Client(connection)
            joined = client.call("room.join", room="hidden-room", name="Hidden Name", password="hidden-password")
            transport = client.call("transport.create", direction="recv")
            client.call("chat.send", text="hidden text", clientId="1")
            eventually(lambda: spare_pids(server.pid), bool)
            os.kill(server.worker_pids()[0], signal.SIGKILL)
            client.notice("transport.state", transportId=transport["id"])
            client.call("transport.create", direction="recv")
        assert status(exchange(server, b"GET /secret-path HTTP/1.1\r\nHost: h\r\nx\r\n\r\n")) == 400
    log = "".join(line for line in server.output if not line.startswith("ready "))
    assert "worker lost" in log
    secrets = [
        joined["resumeToken"], joined["peerId"], joined["room"]["ownerToken"], transport["id"],
        transport["iceParameters"]["password"], transport["iceParameters"]["usernameFragment"],
        "127.0.0.1", "verysecret", "idden", "secret-path",
    ]  # fmt: skip
    for secret in secrets:
        assert secret not in log


# Many


@pytest.mark.alone
def test_a_thousand_and_one_join_one_room_from_one_address_at_once() -> None:
    with running() as server:
        joined, refused = gather(server.address, room="big", people=1001)
        assert refused == []
        assert joined == 1001
        wait_for(lambda: server.metric("simplestchat_websockets") == 0, 60)
        assert server.metric("simplestchat_connections_refused_total") == 0


def test_rooms_made_by_joining_are_bounded_for_each_address_but_not_for_this_machine() -> None:
    def made(number: int, **options: object) -> str:
        with server.connect(**options) as connection:
            answer = Client(connection).request("room.join", room=f"room-{number}", name="P")
        return str(answer["error"]["data"]["reason"]) if "error" in answer else ""

    with running(ROOM_JOIN_BURST="3", ROOM_JOIN_RATE="1") as server:
        assert [made(number) for number in range(6)] == [""] * 6
        proxied = {"additional_headers": {"X-Forwarded-For": "192.0.2.1"}}
        assert [made(number, **proxied) for number in range(6, 11)] == [""] * 3 + ["rate_limited"] * 2
        assert made(0, **proxied) == "", "this one is there"
