"""After the handshake libssl is gone: a lost last flight is sent again, goodbye is said and heard, the rest dropped."""

from __future__ import annotations

import random

import pytest
from support.dtls_wire import ALERT, CCS, HANDSHAKE, Sent, Wire, deliver, record, records

REPEAT_GAP_US = 40_000
MOST_REPEATS = 10
SERVERS_LAST = 3  # number of the datagram with the server's ChangeCipherSpec and Finished


def half_open() -> tuple[Wire, bytes]:
    """The server is connected, the client lacks its last flight; and what the client sends again."""
    lost: list[Sent] = []
    wire = Wire(lambda sent: lost.append(sent) or [] if sent.number >= SERVERS_LAST else deliver(sent))
    wire.client.start(0)
    wire.server.start(0)
    for end, other in ((wire.client, wire.server), (wire.server, wire.client), (wire.client, wire.server)):
        for datagram in end.drain():
            other.feed(datagram, 0)
    assert (wire.client.state, wire.server.state) == ("connecting", "connected")
    assert wire.server.drain()
    wire.client.tick(250_000)
    [again] = wire.client.drain()
    return wire, again


def test_a_lost_last_flight_is_sent_again_until_it_arrives() -> None:
    wire, again = half_open()
    assert wire.server.feed(again, 250_000) == 0
    [flight] = wire.server.drain()
    assert [part[0] for part in records(flight)] == [CCS, HANDSHAKE]
    wire.client.feed(flight, 250_000)
    assert wire.client.state == "connected"
    assert wire.client.keys()[1:3] == wire.server.keys()[3:]


def test_repeats_are_spaced_and_counted() -> None:
    wire, again = half_open()
    answers = 0
    for now in range(250_000, 3_000_000, 10_000):
        wire.server.feed(again, now)
        answers += len(wire.server.drain())
        assert answers <= 1 + (now - 250_000) // REPEAT_GAP_US
    assert answers == MOST_REPEATS


def test_numbers_and_nonces_go_on_behind_the_handshakes() -> None:
    wire, again = half_open()
    parts: list[bytes] = []
    for now in range(250_000, 800_000, 50_000):
        wire.server.feed(again, now)
        for datagram in wire.server.drain():
            parts += records(datagram)
    wire.server.close()
    for datagram in wire.server.drain():
        parts += records(datagram)
    for epoch in (b"\0\0", b"\0\1"):
        numbers = [part[5:11] for part in parts if part[3:5] == epoch]
        assert numbers == sorted(set(numbers))
        assert len(numbers) >= 10
    nonces = [part[13:21] for part in parts if part[3:5] == b"\0\1"]
    assert nonces == sorted(set(nonces))


@pytest.mark.parametrize("closing", ["client", "server"])
def test_goodbye_is_said_once_and_heard_once(closing: str) -> None:
    wire = Wire().run()
    end, other = (wire.client, wire.server) if closing == "client" else (wire.server, wire.client)
    end.close()
    [goodbye] = end.drain()
    assert other.feed(goodbye, 5) == 0
    assert (end.state, other.state) == ("closed", "closed")
    assert other.feed(goodbye, 6) < 0
    assert other.drain() == []


def test_damaged_and_foreign_goodbyes_close_nothing() -> None:
    rng = random.Random(11)
    wire, foreign = Wire().run(), Wire().run()
    foreign.client.close()
    wire.client.close()
    [goodbye], [theirs] = wire.client.drain(), foreign.client.drain()
    assert wire.server.feed(theirs, 1) < 0
    for _ in range(300):
        damaged = bytearray(goodbye)
        damaged[rng.randrange(3, len(damaged))] ^= 1 << rng.randrange(8)
        assert wire.server.feed(bytes(damaged), 1) < 0
        assert (
            wire.server.feed(record(ALERT, rng.randbytes(rng.randrange(120)), epoch=1, sequence=rng.randrange(9)), 1)
            < 0
        )
    assert wire.server.state == "connected"
    wire.server.feed(goodbye, 1)
    assert wire.server.state == "closed"
