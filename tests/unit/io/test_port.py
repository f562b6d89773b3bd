"""A worker's UDP port: trains in and out, a socket for each address, and what a full socket does not take."""

from __future__ import annotations

import random
import socket
import struct
import subprocess
import sys
from contextlib import closing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.namespace import Namespace
from support.repository import ROOT

from simplestchat._native.testing.probe_udp import LARGEST_BATCH, UdpPort

HOST = "127.0.0.1"
SOL_UDP, UDP_SEGMENT, UDP_GRO = 17, 103, 104
PATIENCE_MS = 20_000


def udp(address: str = HOST) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.settimeout(PATIENCE_MS / 1000)
    made.bind((address, 0))
    return made


def send_train(sender: socket.socket, port: UdpPort, size: int, data: bytes) -> None:
    """Datagrams of `size` bytes, the last perhaps shorter, in one message."""
    control = [(SOL_UDP, UDP_SEGMENT, struct.pack("H", size))] if size < len(data) else []
    sender.sendmsg([data], control, 0, (HOST, port.port))


def take(port: UdpPort, count: int) -> list[bytes]:
    """So many datagrams, however they come."""
    taken: list[bytes] = []
    while len(taken) < count:
        places = [place for place, readable, _ in port.ready(0 if port.has_left else PATIENCE_MS) if readable] or [0]
        for place in places:
            batch, _ = port.receive(place)
            assert len(batch) <= LARGEST_BATCH
            taken += [data for data, _ in batch]
    return taken


def cut(size: int, data: bytes) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


# (bytes of a datagram, datagrams, bytes of the last)
TRAINS = st.lists(
    st.integers(20, 1400).flatmap(lambda size: st.tuples(st.just(size), st.integers(1, 40), st.integers(1, size))),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("offload", [True, False], ids=["offload", "one-by-one"])
@given(trains=TRAINS)
@settings(max_examples=40, deadline=None)
def test_trains_come_in_as_the_datagrams_that_they_are(offload: bool, trains: list[tuple[int, int, int]]) -> None:
    port = UdpPort(offload)
    expected = []
    with closing(udp()) as sender:
        for size, count, last in trains:
            data = random.randbytes(size * (count - 1) + last)
            send_train(sender, port, size, data)
            expected += cut(size, data)
        assert take(port, len(expected)) == expected
    assert not port.has_left


def test_a_train_of_more_than_a_batch_is_kept_for_the_next() -> None:
    port = UdpPort()
    with closing(udp()) as sender:
        data = bytes(range(200)) * 3 + b"the end"
        for _ in range(3):
            send_train(sender, port, 10, data[:600])
        first, _ = port.receive(0)
        assert len(first) == LARGEST_BATCH
        assert port.has_left  # the kernel gave whole trains: it is not there to be read again
        assert [d for d, _ in first] + take(port, 180 - LARGEST_BATCH) == cut(10, data[:600]) * 3


def test_without_offload_nothing_is_put_together() -> None:
    port = UdpPort(offload=False)
    with closing(udp()) as receiver:
        receiver.setsockopt(SOL_UDP, UDP_GRO, 1)
        address = (HOST, receiver.getsockname()[1], HOST, port.port)
        port.send([(b"x" * 100, address, True)] * 5)
        assert [receiver.recv(2000) for _ in range(5)] == [b"x" * 100] * 5
    assert port.counters["trains_out"] == 0


def test_a_train_leaves_as_one_message() -> None:
    port = UdpPort()
    with closing(udp()) as receiver:
        receiver.setsockopt(SOL_UDP, UDP_GRO, 1)
        address = (HOST, receiver.getsockname()[1], HOST, port.port)
        port.send([(b"x" * 100, address, True)] * 4 + [(b"y" * 40, address, True)])
        assert receiver.recv(2000) == b"x" * 400 + b"y" * 40
    assert port.counters["trains_out"] == 1


@pytest.mark.parametrize("local", ["127.0.0.1", "127.0.0.9", "::1"])
def test_a_reply_leaves_from_the_address_that_was_asked(local: str) -> None:
    port = UdpPort()
    with closing(udp("::1" if ":" in local else HOST)) as peer:
        for _ in range(3):  # the first comes to the wildcard socket, later ones to that address's own
            peer.sendto(b"question", (local, port.port))
            [place] = [place for place, readable, _ in port.ready(PATIENCE_MS) if readable]
            [(data, address)], _ = port.receive(place)
            assert (data, address[2]) == (b"question", local)
            port.send([(b"answer", address, False)])
            answer, source = peer.recvfrom(100)
            assert (answer, *source[:2]) == (b"answer", local, port.port)
        assert place > 0


def test_no_other_process_gets_the_port() -> None:
    port = UdpPort()
    with closing(udp()) as peer:
        port.send([(b"x", (HOST, peer.getsockname()[1], HOST, port.port), False)])
        assert peer.recv(10) == b"x"
    for reuse in (0, socket.SO_REUSEPORT):
        for host in (HOST, "0.0.0.0", "127.0.0.5"):
            with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as thief:
                if reuse:
                    thief.setsockopt(socket.SOL_SOCKET, reuse, 1)
                with pytest.raises(OSError, match="in use"):
                    thief.bind((host, port.port))
    with pytest.raises(OSError, match="in use"):
        UdpPort(port=port.port)


def test_more_addresses_than_sockets_are_answered_too() -> None:
    port = UdpPort()
    for number in range(1, 30):
        with closing(udp()) as peer:
            port.send([(b"answer", (HOST, peer.getsockname()[1], f"127.0.1.{number}", port.port), False)])
            assert peer.recvfrom(100) == (b"answer", (f"127.0.1.{number}", port.port))


def test_a_destination_that_cannot_be_reached_costs_only_its_own() -> None:
    port = UdpPort()
    with closing(udp()) as peer:
        good = (HOST, peer.getsockname()[1], HOST, port.port)
        bad = ("127.0.0.1", 0, HOST, port.port)  # nothing is sent to port 0
        port.send([(b"a", good, False), (b"lost", bad, True), (b"lost", bad, True), (b"b", good, False)])
        assert [peer.recv(10), peer.recv(10)] == [b"a", b"b"]
    assert port.counters["dropped_send"] == 2


@pytest.mark.parametrize("frames", [30, 700], ids=["all-of-it", "too-much"])
def test_what_a_full_socket_does_not_take_leaves_later_in_order(frames: int) -> None:
    with Namespace() as namespace:
        done = subprocess.run(
            [*namespace.enter, sys.executable, str(ROOT / "tests" / "support" / "full_socket.py"), str(frames)],
            env={"PYTHONPATH": f"{ROOT}:{ROOT / 'tests'}", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.returncode == 0, done.stdout + done.stderr
