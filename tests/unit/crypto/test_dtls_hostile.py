"""DTLS against fragments in every order, strangers who write into the handshake, floods, and noise in every state."""

from __future__ import annotations

import itertools
import os
import random

import pytest
from support.dtls_wire import (
    ALERT,
    CCS,
    CLIENT_CONTEXT,
    DATA,
    HANDSHAKE,
    MESSAGE_HEADER,
    RECORD_HEADER,
    SERVER_CONTEXT,
    Sent,
    Wire,
    fragment,
    fragments,
    record,
    records,
)

from simplestchat._native.testing.probe_dtls import Dtls

E_LIMIT = -12
LIMIT_OF_FRAGMENTS = 1000
CLIENT_HELLO, SERVER_HELLO, HELLO_REQUEST = 1, 2, 0


def client_hello() -> bytes:
    client = Dtls(CLIENT_CONTEXT, "client")
    client.start(0)
    [datagram] = client.drain()
    return datagram[RECORD_HEADER:]


def large_client_hello(size: int) -> bytes:
    """A ClientHello grown by an extension that nobody knows, as a post-quantum key share grows a browser's."""
    message = client_hello()
    body = message[MESSAGE_HEADER:]
    at = 2 + 32
    at += 1 + body[at]  # session id
    at += 1 + body[at]  # cookie
    at += 2 + int.from_bytes(body[at : at + 2], "big")  # cipher suites
    at += 1 + body[at]  # compression methods
    filler = size - len(body) - 4
    extensions = body[at + 2 :] + b"\xfa\xfa" + filler.to_bytes(2, "big") + os.urandom(filler)
    body = body[:at] + len(extensions).to_bytes(2, "big") + extensions
    head = bytes([CLIENT_HELLO]) + len(body).to_bytes(3, "big") + message[4:6] + bytes(3) + len(body).to_bytes(3, "big")
    return head + body


def server() -> Dtls:
    end = Dtls(SERVER_CONTEXT, "server")
    end.set_fingerprint("sha-256", CLIENT_CONTEXT.fingerprint())
    end.start(0)
    return end


def answers(parts: list[bytes]) -> bool:
    end = server()
    for part in parts:
        assert end.drain() == []
        end.feed(part, 0)
    return bool(end.drain())


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_a_client_hello_in_every_order_of_its_fragments(count: int) -> None:
    parts = fragments(client_hello(), count)
    for order in itertools.permutations(parts):
        assert answers(list(order))


@pytest.mark.parametrize("count", range(2, 11))
def test_a_large_client_hello_in_fragments_with_repeats(count: int) -> None:
    rng = random.Random(count)
    parts = fragments(large_client_hello(1800), count)
    for _ in range(20):
        last = rng.randrange(count)
        others = [part for at, part in enumerate(parts) if at != last] * 2
        rng.shuffle(others)
        assert answers([*others, parts[last]])


def test_overlapping_fragments_and_several_in_a_record() -> None:
    message = large_client_hello(1500)
    body = len(message) - MESSAGE_HEADER
    pieces = [fragment(message, start, min(start + 400, body)) for start in range(0, body, 150)]
    whole = len(pieces)
    together = record(HANDSHAKE, b"".join(piece[RECORD_HEADER:] for piece in pieces[: whole // 2]))
    assert answers([*pieces[whole // 2 :], together])
    assert answers([b"".join(pieces)])


def test_a_whole_handshake_in_small_fragments_out_of_order() -> None:
    rng = random.Random(3)

    def fate(sent: Sent) -> list[tuple[int, bytes]]:
        parts: list[bytes] = []
        for part in records(sent.data):
            if (
                part[0] == HANDSHAKE
                and part[3:5] == b"\0\0"
                and part[RECORD_HEADER + 6 : RECORD_HEADER + 9] == bytes(3)
            ):
                parts.extend(fragments(part[RECORD_HEADER:], 6) if len(part) > 60 else [part])
            else:
                parts.append(part)
        rng.shuffle(parts)
        return [(0, part) for part in parts]

    for _ in range(40):
        wire = Wire(fate).run()
        assert wire.connected
        assert wire.now < 1_000_000


def stranger(rng: random.Random, to_server: bool) -> bytes:
    """What someone who can write to the socket, but knows no key, might send."""
    kind = rng.randrange(10)
    if kind == 0:
        return record(ALERT, bytes([2, rng.choice((0, 10, 40, 42, 80))]), sequence=rng.randrange(2**32))
    if kind == 1:
        return record(ALERT, b"\x01\x00")
    if kind == 2:
        return record(DATA, rng.randbytes(40))
    if kind == 3:
        return record(CCS, b"\x01")
    if kind == 4:
        return record(rng.choice((ALERT, DATA, CCS)), rng.randbytes(50), epoch=1, sequence=rng.randrange(2**40))
    if kind == 5:
        return record(HANDSHAKE, rng.randbytes(60), epoch=rng.randrange(2, 65536))
    if kind == 6:
        return rng.randbytes(rng.randrange(120))
    if kind == 7:  # a message that the role does not send, or is not due
        forbidden = (HELLO_REQUEST, SERVER_HELLO) if to_server else (HELLO_REQUEST, CLIENT_HELLO)
        head = bytes([rng.choice(forbidden)]) + bytes(2) + b"\x04" + bytes([0, rng.randrange(6)])
        return record(HANDSHAKE, head + bytes(3) + bytes(2) + b"\x04" + rng.randbytes(4))
    if kind == 8:  # a piece of a message far ahead
        head = bytes([11, 0, 1, 0, 0, rng.randrange(9, 200)]) + bytes(4) + b"\x00\x10"
        return record(HANDSHAKE, head + rng.randbytes(16))
    return record(HANDSHAKE, rng.randbytes(rng.randrange(12, 80)))


def test_strangers_cannot_end_a_handshake_or_a_connection() -> None:
    rng = random.Random(4)

    def fate(sent: Sent) -> list[tuple[int, bytes]]:
        noise = [(0, stranger(rng, sent.to_server)) for _ in range(40)]
        return [*noise[:20], (0, sent.data), *noise[20:]]

    for _ in range(60):
        wire = Wire(fate).run()
        assert wire.connected
        assert wire.now <= 250_000
        for _ in range(100):
            wire.client.feed(stranger(rng, False), wire.now)
            wire.server.feed(stranger(rng, True), wire.now)
        assert wire.connected


def test_forged_finished_messages_do_not_end_a_handshake() -> None:
    """Records under keys that nobody has yet, or has and cannot forge."""
    rng = random.Random(5)

    def fate(sent: Sent) -> list[tuple[int, bytes]]:
        forged = [(0, record(HANDSHAKE, rng.randbytes(40), epoch=1, sequence=rng.randrange(4))) for _ in range(60)]
        split = [(0, part) for part in records(sent.data)]
        return list(itertools.chain.from_iterable([*forged[:5], part, *forged[5:10]] for part in split)) + forged

    for _ in range(20):
        wire = Wire(fate).run()
        assert wire.connected


@pytest.mark.parametrize("period", [1, 8])
def test_damaged_copies_beforehand(period: int) -> None:
    """A copy with a flipped bit precedes every datagram, or one in eight. Taken for the peer, it ends the handshake,
    but in time. Keys and signatures differ from run to run: only the sparse damage leaves enough handshakes whole to
    ask for one."""
    rng = random.Random(6)
    outcomes = set()
    for _ in range(150):

        def fate(sent: Sent) -> list[tuple[int, bytes]]:
            if rng.randrange(period):
                return [(0, sent.data)]
            damaged = bytearray(sent.data)
            damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
            return [(0, bytes(damaged)), (1, sent.data)]

        wire = Wire(fate).run()
        outcomes.add((wire.client.state, wire.server.state))
        assert wire.now <= 30_000_002
    assert ("connecting", "connecting") not in outcomes
    if period > 1:
        assert ("connected", "connected") in outcomes


def test_an_inconsistent_fragment_does_not_block_the_genuine_message() -> None:
    parts = fragments(client_hello(), 3)
    lie = bytearray(parts[0])
    lie[RECORD_HEADER + 3] += 40  # another total length
    assert answers([bytes(lie), *parts])
    assert answers([parts[0], bytes(lie), *parts])


def test_a_flood_of_fragments_is_cut_off() -> None:
    end = server()
    message = large_client_hello(16_000)
    statuses = [end.feed(fragment(message, 0, 1), 0) for _ in range(LIMIT_OF_FRAGMENTS + 500)]
    assert statuses[:LIMIT_OF_FRAGMENTS] == [0] * LIMIT_OF_FRAGMENTS
    assert set(statuses[LIMIT_OF_FRAGMENTS:]) == {E_LIMIT}
    assert end.feed(b"".join(fragments(client_hello(), 2)), 0) == E_LIMIT
    end.tick(30_000_000)
    assert end.state == "failed"


def test_incomplete_messages_hold_no_more_than_their_share() -> None:
    end = server()
    statuses = []
    for seq in range(1, 8):
        head = bytes([11]) + (16_000).to_bytes(3, "big") + seq.to_bytes(2, "big") + bytes(3) + b"\0\0\1"
        statuses.append(end.feed(record(HANDSHAKE, head + b"x"), 0))
    assert statuses == [0, 0, 0, 0, E_LIMIT, E_LIMIT, E_LIMIT]


def test_fragments_of_nothing_and_lengths_that_lie() -> None:
    end = server()
    message = client_hello()
    for offset, length, total in ((0, 0, 100), (90, 20, 100), (0, 20, 2**24 - 1), (2**24 - 1, 20, 100), (0, 200, 100)):
        head = message[:1] + total.to_bytes(3, "big") + bytes(2) + offset.to_bytes(3, "big") + length.to_bytes(3, "big")
        for body in (b"", bytes(20), bytes(length % 1000)):
            assert end.feed(record(HANDSHAKE, head + body), 0) < 0
    assert end.drain() == []
    assert end.state == "connecting"
    assert end.deadline is None
