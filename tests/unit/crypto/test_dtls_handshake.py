"""Both roles of our DTLS against each other in virtual time: keys, fingerprints, loss, the schedule, the end."""

from __future__ import annotations

import random
import subprocess
import sys
import time

import pytest
from support.dtls_wire import CLIENT_CONTEXT, SERVER_CONTEXT, Sent, Wire, deliver, records
from support.repository import ROOT

from simplestchat._native.core.errors import MisuseError, PeerError
from simplestchat._native.testing.probe_crypto import AEAD_AES_128_GCM
from simplestchat._native.testing.probe_dtls import Dtls

HASHES: list[str] = ["sha-256", "sha-384", "sha-512"]
LOSSLESS_DATAGRAMS = 4
FIRST_TIMEOUT_US = 250_000
HANDSHAKE_TIMEOUT_US = 30_000_000


def same_keys(wire: Wire) -> bool:
    client, server = wire.client.keys(), wire.server.keys()
    return client[0] == server[0] and client[1:3] == server[3:] and client[3:] == server[1:3]


@pytest.mark.parametrize("announce", HASHES)
def test_both_ends_connect_with_the_same_keys(announce: str) -> None:
    wire = Wire(announce=announce).run()
    assert wire.connected
    assert same_keys(wire)
    suite, send_key, send_salt, receive_key, _ = wire.client.keys()
    assert (suite, len(send_key), len(send_salt)) == (AEAD_AES_128_GCM, 16, 12)
    assert send_key != receive_key
    assert wire.now == 0
    assert len(wire.log) == LOSSLESS_DATAGRAMS
    assert wire.client.deadline is None
    assert wire.server.deadline is None


def test_datagrams_keep_to_the_limit_and_hold_whole_records() -> None:
    for sent in Wire().run().log:
        assert len(sent.data) <= 1200
        assert b"".join(records(sent.data)) == sent.data


def test_every_handshake_has_keys_of_its_own() -> None:
    keys = [Wire().run().client.keys()[1:] for _ in range(5)]
    assert len({key for association in keys for key in association}) == 20


def test_a_thread_that_never_made_random_numbers_connects() -> None:
    """OpenSSL makes a generator for each thread, in its first handshake. Nothing else has used it in that process."""
    code = (
        "import threading; from support.dtls_wire import Wire\n"
        "threading.Thread(target=lambda: print(Wire().run().connected)).start()"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "tests", capture_output=True, text=True, check=True)
    assert done.stdout == "True\n", done.stderr


@pytest.mark.parametrize("lost", range(LOSSLESS_DATAGRAMS))
def test_any_single_datagram_may_be_lost(lost: int) -> None:
    wire = Wire(lambda sent: [] if sent.number == lost else deliver(sent)).run()
    assert wire.connected
    assert same_keys(wire)
    assert wire.now == FIRST_TIMEOUT_US


@pytest.mark.parametrize("lost", range(LOSSLESS_DATAGRAMS))
def test_every_copy_of_a_flight_but_the_sixth_may_be_lost(lost: int) -> None:
    seen = 0

    def fate(sent: Sent) -> list[tuple[int, bytes]]:
        nonlocal seen
        if sent.number < lost or sent.to_server != (lost % 2 == 0):
            return deliver(sent)
        seen += 1
        return [] if seen <= 5 else deliver(sent)

    wire = Wire(fate).run()
    assert wire.connected
    assert same_keys(wire)


def test_loss_of_a_quarter_each_way() -> None:
    rng = random.Random(7)
    times = []
    for _ in range(150):
        wire = Wire(lambda sent: [(50_000, sent.data)] if rng.random() < 0.75 else []).run()
        assert wire.connected
        assert same_keys(wire)
        times.append(wire.now)
    assert sorted(times)[len(times) // 2] <= 2_000_000
    assert max(times) <= 10_000_000


def test_duplicates_and_reordering() -> None:
    rng = random.Random(8)

    def fate(sent: Sent) -> list[tuple[int, bytes]]:
        # Records of one datagram may come apart, in any order, each up to three times.
        parts = [part for part in records(sent.data) for _ in range(rng.randrange(1, 4))]
        return [(rng.randrange(100_000), part) for part in parts]

    for _ in range(60):
        wire = Wire(fate).run()
        assert wire.connected
        assert same_keys(wire)


def test_the_schedule_doubles_up_to_a_second_and_the_handshake_ends() -> None:
    wire = Wire(lambda sent: [])
    wire.run()
    times = [sent.now for sent in wire.log]
    assert times == [0, 250_000, 750_000, *(1_750_000 + 1_000_000 * step for step in range(8))]
    assert wire.client.state == "failed"
    assert wire.server.state == "connecting"  # nothing ever came
    assert wire.now == HANDSHAKE_TIMEOUT_US


def test_a_server_gives_up_as_long_after_the_first_bytes() -> None:
    wire = Wire(lambda sent: [(5_000_000, sent.data)] if sent.number == 0 else []).run()
    assert wire.server.state == "failed"
    assert wire.now == 5_000_000 + HANDSHAKE_TIMEOUT_US


def test_real_time_that_passes_sends_nothing() -> None:
    def fate(sent: Sent) -> list[tuple[int, bytes]]:
        time.sleep(0.04)  # libssl's own timer is due
        return [(1000, part) for part in records(sent.data)]

    wire = Wire(fate).run()
    assert wire.connected
    assert len(wire.log) == LOSSLESS_DATAGRAMS


def test_a_repeat_by_the_peer_is_answered_at_once_but_not_for_every_copy() -> None:
    wire = Wire()
    wire.server.start(0)
    wire.client.start(0)
    [hello] = wire.client.drain()
    wire.server.feed(hello, 0)
    assert len(wire.server.drain()) == 1
    for _ in range(10):
        wire.server.feed(hello, 10_000)
        assert wire.server.drain() == []
    for _ in range(10):
        wire.server.feed(hello, 60_000)
    assert len(wire.server.drain()) == 1


def test_record_numbers_and_nonces_only_grow() -> None:
    wire = Wire(lambda sent: deliver(sent) if sent.to_server or sent.number < 3 or sent.number > 12 else []).run()
    assert wire.connected
    for to_server in (True, False):
        parts = [part for sent in wire.log if sent.to_server == to_server for part in records(sent.data)]
        for epoch in (b"\0\0", b"\0\1"):
            numbers = [part[5:11] for part in parts if part[3:5] == epoch]
            assert numbers == sorted(set(numbers))
        nonces = [part[13:21] for part in parts if part[3:5] == b"\0\1"]
        assert nonces == sorted(set(nonces))
        assert len(nonces) > 2


@pytest.mark.parametrize("announce", HASHES)
@pytest.mark.parametrize("deceived", ["client", "server"])
def test_a_wrong_fingerprint_fails_and_gives_no_keys(announce: str, deceived: str) -> None:
    wire = Wire(announce=announce)
    victim = wire.client if deceived == "client" else wire.server
    right = (SERVER_CONTEXT if deceived == "client" else CLIENT_CONTEXT).fingerprint(announce)
    victim.set_fingerprint(announce, right[:-1] + bytes([right[-1] ^ 1]))
    wire.run()
    assert victim.state == "failed"
    assert not wire.connected
    with pytest.raises(MisuseError):
        victim.keys()


@pytest.mark.parametrize("late", ["client", "server"])
@pytest.mark.parametrize("right", [True, False])
def test_a_fingerprint_announced_after_the_handshake_decides_then(late: str, right: bool) -> None:
    wire = Wire(announce=None)
    ends = {"client": (wire.client, SERVER_CONTEXT), "server": (wire.server, CLIENT_CONTEXT)}
    waiting, context = ends.pop(late)
    [(other, other_context)] = ends.values()
    other.set_fingerprint("sha-256", other_context.fingerprint())
    wire.server.start(0)
    wire.client.start(0)
    for _ in range(4):
        for datagram in wire.client.drain():
            wire.server.feed(datagram, 0)
        for datagram in wire.server.drain():
            wire.client.feed(datagram, 0)
    assert (other.state, waiting.state) == ("connected", "connecting")
    with pytest.raises(MisuseError):
        waiting.keys()
    digest = context.fingerprint("sha-512")
    waiting.set_fingerprint("sha-512", digest if right else bytes(64))
    assert waiting.state == ("connected" if right else "failed")
    if right:
        assert same_keys(wire)


def test_without_a_fingerprint_the_handshake_fails_in_time() -> None:
    wire = Wire(announce=None).run()
    assert (wire.client.state, wire.server.state) == ("failed", "failed")
    assert wire.now == HANDSHAKE_TIMEOUT_US


def test_a_digest_of_the_wrong_size_is_refused() -> None:
    end = Dtls(CLIENT_CONTEXT, "client")
    for size in (0, 20, 31, 33, 64):
        with pytest.raises(PeerError):
            end.set_fingerprint("sha-256", bytes(size))


def test_close_is_told_to_the_peer() -> None:
    wire = Wire().run()
    wire.client.close()
    assert wire.client.state == "closed"
    for datagram in wire.client.drain():
        wire.server.feed(datagram, 1)
    assert wire.server.state == "closed"
    assert wire.server.deadline is None


def test_steps_out_of_order_are_refused() -> None:
    end = Dtls(CLIENT_CONTEXT, "client")
    assert end.feed(b"", 0) < 0
    with pytest.raises(MisuseError):
        end.keys()
    end.start(0)
    with pytest.raises(MisuseError):
        end.start(0)
    end.close()
    assert end.state == "closed"
    with pytest.raises(MisuseError):
        end.set_fingerprint("sha-256", bytes(32))
