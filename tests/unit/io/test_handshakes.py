"""A herd's handshakes do not hold up what lies behind them in the socket."""

from __future__ import annotations

import random
import socket

from support.dtls_wire import CLIENT_CONTEXT
from support.ice_agent import IceAgent, IceCredentials
from support.live_call import HOST, LiveServer
from support.netem import Clock

from simplestchat._native.testing.probe_dtls import Dtls

HERD = 80  # more than two batches of datagrams
STUN, HANDSHAKE = 1, 22
NS = 1_000_000_000
SO_TIMESTAMPNS = 35
TIMEOUT_S = 30


class Guest:
    """A socket that a transport of the server waits for."""

    def __init__(self, server: LiveServer, number: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(TIMEOUT_S)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind((HOST, 0))
        self.socket.connect(server.address)
        remote = IceCredentials(*server.shard.create_transport(number))
        digest = ":".join(f"{byte:02X}" for byte in CLIENT_CONTEXT.fingerprint("sha-256"))
        server.shard.connect_transport(number, "client", [("sha-256", digest)])
        self._agent = IceAgent(Clock(), random.Random(number), remote, self.socket.send)

    def check(self) -> None:
        self.socket.send(self._agent.request(nominate=True))

    def hello(self) -> None:
        client = Dtls(CLIENT_CONTEXT, "client")
        client.start(0)
        for datagram in client.drain():
            self.socket.send(datagram)

    def arrival_ns(self, kind: int) -> int:
        """When the kernel had the first datagram of a kind for it."""
        while True:
            data, [(_, _, stamp)], _, _ = self.socket.recvmsg(2048, 64)
            if data[0] == kind:
                return int.from_bytes(stamp[:8], "little") * NS + int.from_bytes(stamp[8:], "little")


def test_what_came_behind_a_herd_is_answered_before_its_first_flight() -> None:
    server = LiveServer(held=True)
    guests = [Guest(server, number) for number in range(1, HERD + 2)]
    *herd, last = guests
    for guest in herd:
        guest.check()
        guest.hello()
    last.check()
    server.start()
    try:
        flights = [guest.arrival_ns(HANDSHAKE) for guest in herd]
        assert last.arrival_ns(STUN) < min(flights)
    finally:
        server.close()
        for guest in guests:
            guest.socket.close()
