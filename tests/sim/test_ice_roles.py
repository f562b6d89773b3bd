"""What an ICE-lite server answers to a peer that is not what it should be, and what an answer says."""

from __future__ import annotations

from aioice import stun
from support.calls import connect
from support.simulation import Member, Simulation, Socket

ROLE_CONFLICT = 487


def answered(sim: Simulation, socket: Socket, request: bytes) -> stun.Message | None:
    socket.keep = True
    socket.received.clear()
    socket.send(request)
    sim.run(0.02)
    return stun.parse_message(socket.received[0][1]) if socket.received else None


def request_as(member: Member, role: str) -> bytes:
    plain = stun.parse_message(member.peer.ice.request(nominate=False))
    for name in ("MESSAGE-INTEGRITY", "FINGERPRINT", "ICE-CONTROLLING"):
        plain.attributes.pop(name)
    plain.attributes[role] = 5
    plain.add_message_integrity(member.peer.ice.remote.password.encode())
    return bytes(plain)


def test_a_controlled_peer_is_told_of_the_conflict_and_gets_no_path() -> None:
    sim = Simulation(161)
    member = sim.add_peer("anna", start=False)
    answer = answered(sim, member.socket, request_as(member, "ICE-CONTROLLED"))
    assert answer is not None
    assert answer.error_code == ROLE_CONFLICT
    assert answer.check_message_integrity(member.peer.ice.remote.password.encode())
    assert sim.shard.stats()["tuples"] == 0


def test_an_answer_names_the_address_it_saw() -> None:
    sim = Simulation(162)
    member = sim.add_peer("anna", start=False)
    answer = answered(sim, member.socket, request_as(member, "ICE-CONTROLLING"))
    assert answer is not None
    assert answer.attributes["XOR-MAPPED-ADDRESS"] == member.socket.address
    assert set(answer.attributes) == {"XOR-MAPPED-ADDRESS", "MESSAGE-INTEGRITY", "FINGERPRINT"}


def test_peers_behind_one_address_and_on_version_six() -> None:
    """Two transports of one host, told apart by port alone, and one that comes over IPv6."""
    sim = Simulation(163)
    members = [sim.add_peer(name, start=False) for name in ("anna", "ben", "cleo")]
    addresses = [("203.0.113.9", 5000), ("203.0.113.9", 5001), ("2001:db8::1:2", 5000)]
    for member, address in zip(members, addresses, strict=True):
        sim.move(member, address)
        member.peer.start()
    connect(sim, *members)
    for member, address in zip(members, addresses, strict=True):
        assert sim.events.states(member.transport) == ["connected"]
        assert member.peer.ice.mapped == address
