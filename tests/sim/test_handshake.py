"""Connecting over bad paths: loss each way, in both DTLS roles, and whatever comes before its turn."""

from __future__ import annotations

import statistics

import pytest
from support.netem import US_PER_S, Link
from support.secure import DtlsRole
from support.simulation import Simulation

SEEDS = 50
BAD = Link(delay_us=50_000, loss=0.25)


@pytest.mark.parametrize("role", ["client", "server"])
def test_every_handshake_ends_under_heavy_loss(role: DtlsRole) -> None:
    times = []
    for seed in range(SEEDS):
        sim = Simulation(seed, BAD, BAD)
        started = sim.clock.now
        member = sim.add_peer("anna", role=role, native_dtls=True)
        while member.peer.srtp is None and sim.clock.now - started < 30 * US_PER_S:
            sim.run(0.1)
        assert member.peer.srtp is not None, f"seed {seed}"
        sim.run(3)
        # The server is done too, or it will be when our last flight gets through.
        assert sim.events.states(member.transport) in ([], ["connected"])
        times.append((member.peer.connected_us - started) / US_PER_S)
    assert max(times) <= 10
    assert statistics.median(times) <= 2


def test_a_client_hello_before_transport_connect_is_kept() -> None:
    """The peer's handshake may overtake what signaling says of it; it ends once the fingerprint is known."""
    sim = Simulation(1)
    member = sim.add_peer("anna", announce=False)
    sim.run(1)
    assert sim.events.states(member.transport) == []
    sim.announce(member, "client")
    sim.run(1)
    assert sim.events.states(member.transport) == ["connected"]
    assert member.peer.srtp is not None


def test_one_peer_alone_in_both_roles() -> None:
    for role in ("client", "server", "auto"):
        sim = Simulation(2)
        member = sim.add_peer("anna", role="client" if role == "auto" else role, announced_role=role)
        sim.run(1)
        assert sim.events.states(member.transport) == ["connected"]


def test_keys_do_not_change_when_the_handshake_is_repeated() -> None:
    """Old handshake records that come again, out of order or doubled, leave a running call alone."""
    sim = Simulation(3)
    member = sim.add_peer("anna")
    seen: list[bytes] = []
    transmit = member.peer.transmit
    member.peer.transmit = lambda data: (seen.append(data), transmit(data))[1]
    sim.run(1)
    source = sim.publish(member, "audio")
    handshake = [data for data in seen if 20 <= data[0] < 64]
    assert len(handshake) >= 2
    for data in [*handshake, *reversed(handshake)]:
        member.socket.send(data)
    sim.run(2)
    assert sim.events.states(member.transport) == ["connected"]
    stats = sim.control("transport_stats", member.transport)
    assert isinstance(stats, dict)
    assert stats["packets_in"] >= len(source.track.sent)
    assert sim.shard.stats()["dropped_auth"] == 0
