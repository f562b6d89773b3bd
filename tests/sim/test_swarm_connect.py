"""Synthetic users connect to the server's engine: under loss, from new addresses, and not where they must not."""

from __future__ import annotations

from itertools import pairwise

import pytest
from support.netem import BLACK_OUT, US_PER_S, Link
from support.simulation import SERVER
from support.swarm_call import SwarmCall

from simplestchat._native.core.errors import MisuseError
from simplestchat._native.peer.swarm import (
    EVENT_CONNECTED,
    EVENT_DISCONNECTED,
    EVENT_FAILED,
    Swarm,
)

CONNECTED, DISCONNECTED, FAILED = 3, 4, 5
LOSSY = Link(delay_us=15_000, jitter_us=5_000, loss=0.15, duplicate=0.05, reorder=0.1)


def test_dozens_connect_under_loss() -> None:
    call = SwarmCall(1, LOSSY, LOSSY)
    paths = [call.join() for _ in range(40)]
    call.run(8)
    assert all(call.path(path)["state"] == CONNECTED for path in paths)
    assert call.sim.shard.stats()["handshakes"] == 40
    for path in paths:
        ((_, _, _, ice, dtls),) = call.of(EVENT_CONNECTED, path)
        assert 30_000 <= ice <= 3 * US_PER_S
        assert 30_000 <= dtls <= 7 * US_PER_S
        assert 30_000 <= call.path(path)["rtt_us"] <= 100_000
    histograms = call.do("sample")["histograms"]
    assert histograms["ice"][0] == histograms["dtls"][0] == 40
    assert sum(call.path(path)["undecryptable"] for path in paths) == 0


def test_checks_are_spaced() -> None:
    swarm = Swarm(b"alone")
    swarm.tick(US_PER_S)
    swarm.add_path(1, 1, SERVER, "ufrag", "password" * 3, swarm.fingerprint, 1)
    checks = []
    now = US_PER_S
    while now < 8 * US_PER_S:
        swarm.tick(now)
        checks += [now for _, data in swarm.drain() if data[0] == 0]
        now = swarm.next_deadline()
    assert [(after - before) // 1000 for before, after in pairwise(checks)] == [100, 200, 400, 800, 1600, 1600, 1600]


def test_a_connected_path_goes_on_asking() -> None:
    call = SwarmCall(3)
    path = call.join()
    call.run(1)
    before = call.path(path)["stun_sent"]
    call.run(60)
    assert 10 <= call.path(path)["stun_sent"] - before <= 15
    assert call.path(path)["state"] == CONNECTED
    assert not call.of(EVENT_DISCONNECTED, path)


def test_nobody_answers() -> None:
    call = SwarmCall(4, BLACK_OUT, Link())
    path = call.join()
    call.run(29)
    assert not call.events
    call.run(2)
    assert len(call.of(EVENT_FAILED, path)) == 1
    sent = len(call.sent[path])
    call.run(30)
    assert len(call.sent[path]) == sent


def test_another_certificate_than_announced_is_refused() -> None:
    call = SwarmCall(5)
    path = call.sim.new_id()
    ufrag, password = call.sim.control("create_transport", path)  # type: ignore[misc]
    call.sockets[path] = call.sim.socket(lambda data: call._received(path, data))
    call.sim.control("connect_transport", path, "client", [call.swarm.fingerprint])
    call.do("add_path", path, path, SERVER, ufrag, password, ("sha-256", ":".join(["AB"] * 32)), 1)
    call.run(1)
    assert call.of(EVENT_FAILED, path)
    assert call.path(path)["state"] == FAILED


def test_a_wrong_password_gets_no_answer() -> None:
    call = SwarmCall(6)
    path = call.sim.new_id()
    ufrag, _ = call.sim.control("create_transport", path)  # type: ignore[misc]
    call.sockets[path] = call.sim.socket(lambda data: call._received(path, data))
    fingerprint = call.sim.shard.fingerprints()[0]
    call.do("add_path", path, path, SERVER, ufrag, "wrong" * 5, fingerprint, 1)
    call.run(31)
    assert call.path(path)["packets_in"] == 0
    assert call.of(EVENT_FAILED, path)


def test_a_silent_server_disconnects_and_its_return_restores() -> None:
    call = SwarmCall(7)
    path = call.join()
    call.run(1)
    good = call.sockets[path].down.link
    call.sockets[path].down.link = BLACK_OUT
    call.run(22)
    ((when, *_),) = call.of(EVENT_DISCONNECTED, path)
    assert 15 * US_PER_S <= when <= 22 * US_PER_S
    assert call.path(path)["state"] == DISCONNECTED
    call.sockets[path].down.link = good
    call.run(2)
    assert call.path(path)["state"] == CONNECTED
    assert [event[3:] for event in call.of(EVENT_CONNECTED, path)][1:] == [(0, 0)]


def test_a_crash_is_noticed_by_the_server_alone() -> None:
    call = SwarmCall(8)
    path = call.join()
    call.run(1)
    call.do("silence", path)
    sent = len(call.sent[path])
    call.run(40)
    assert len(call.sent[path]) == sent
    assert call.sim.events.states(path) == ["connected", "disconnected"]
    assert not call.of(EVENT_DISCONNECTED, path)
    assert call.leave(path)["packets_out"] == sent
    assert len(call.sent[path]) == sent


def test_leaving_says_goodbye() -> None:
    call = SwarmCall(9)
    path = call.join()
    call.run(1)
    totals = call.leave(path)
    assert totals["state"] == CONNECTED
    assert call.sent[path][-1][0] == 21  # an alert's record
    call.run(0.1)
    assert call.sim.events.states(path) == ["connected", "failed"]
    with pytest.raises(MisuseError, match="there is no path"):
        call.do("path_totals", path)


def test_an_ice_restart() -> None:
    call = SwarmCall(10)
    path = call.join()
    call.run(1)
    own = call.do("credentials", path)
    ufrag, password = call.sim.control("restart_ice", path)  # type: ignore[misc]
    call.do("restart_ice", path, ufrag, password)
    renewed = call.do("credentials", path)
    assert own[0] != renewed[0]
    assert own[1] != renewed[1]
    call.run(0.1)
    assert f"{ufrag}:{renewed[0]}".encode() in call.sent[path][-1]
    assert call.path(path)["state"] == CONNECTED
    call.run(40)
    assert call.sim.events.states(path) == ["connected"]


def test_an_ice_restart_from_a_new_address_keeps_keys_and_media() -> None:
    call = SwarmCall(44)
    anna, bert = call.join(), call.join()
    call.run(1)
    sender = call.publish(anna, "opus")
    receiver = call.subscribe(bert, sender)
    call.run(1)
    for path in (anna, bert):
        call.move(path)
        call.do("restart_ice", path, *call.sim.control("restart_ice", path))  # type: ignore[misc]
    handshakes = [len(call.of(EVENT_CONNECTED, path)) for path in (anna, bert)]
    before = call.receiver(receiver)["delivered"]
    call.run(5)
    got = call.receiver(receiver)
    assert got["delivered"] - before > 4.5 * 50
    assert got["corrupt"] == got["misdelivered"] == got["duplicate"] == 0
    assert [len(call.of(EVENT_CONNECTED, path)) for path in (anna, bert)] == handshakes
    assert call.sim.events.states(anna) == call.sim.events.states(bert) == ["connected"]


def test_a_new_address() -> None:
    call = SwarmCall(11)
    path = call.join()
    call.run(2)
    sent = len(call.sent[path])
    call.move(path)
    assert call.sent[path][sent][0] == 0  # a check first
    call.run(40)
    assert call.sim.events.states(path) == ["connected"]
    assert not call.of(EVENT_DISCONNECTED, path)
    assert call.sockets[path].received_bytes > 0


def test_bad_arguments_are_refused() -> None:
    swarm = Swarm(b"any")
    good = (1, 1, ("192.0.2.1", 9), "ufrag", "password" * 3, swarm.fingerprint, 1)
    swarm.add_path(*good)
    with pytest.raises(MisuseError, match="used already"):
        swarm.add_path(*good)
    with pytest.raises(MisuseError, match="no address"):
        swarm.add_path(2, 1, ("example", 9), "ufrag", "password" * 3, swarm.fingerprint, 1)
    with pytest.raises(MisuseError, match="cannot be"):
        swarm.add_path(2, 1, ("192.0.2.1", 9), "u", "password" * 3, swarm.fingerprint, 1)
    with pytest.raises(MisuseError, match="sha-1"):
        swarm.add_path(2, 1, ("192.0.2.1", 9), "ufrag", "password" * 3, ("sha-1", "00"), 1)
    for method in (swarm.rebind, swarm.silence, swarm.remove_path, swarm.path_totals, swarm.credentials):
        with pytest.raises(MisuseError, match="there is no path 2"):
            method(2)
    with pytest.raises(MisuseError, match="there is no path 2"):
        swarm.set_network(2, {}, None)
    with pytest.raises(MisuseError, match="between 0 and 1"):
        swarm.set_network(1, {"loss": 1.5}, None)
    with pytest.raises(MisuseError, match="colour"):
        swarm.set_network(1, None, {"colour": 1})  # type: ignore[typeddict-unknown-key]
    with pytest.raises(MisuseError, match="no SRTP suites"):
        Swarm(b"any", "SRTP_NONSENSE")
    assert swarm.remove_path(1)["state"] == 1
    assert swarm.drain() == []
    assert swarm.sample()["paths"] == 0
