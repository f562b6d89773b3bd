"""A peer's address changes in mid call: media follows within 200 ms of the first valid check from there."""

from __future__ import annotations

from itertools import pairwise

import pytest
from support.calls import Call, assert_clean, two_party_call, undelivered
from support.ice_agent import IceCredentials
from support.netem import US_PER_S
from support.simulation import Socket

SWITCHES = 20


def first_media_after(socket: Socket, start: int) -> int:
    """When the first media packet arrived there."""
    return min(when for when, data in socket.received if when >= start and data[0] >> 6 == 2)


def move_and_restart(call: Call, restart: bool) -> int:
    """Ben moves and checks from the new address; how long media took to come there after his first answered check."""
    sim, ben = call.sim, call.members[1]
    sim.move(ben)
    ben.socket.keep = True
    start = sim.clock.now
    succeeded = ben.peer.ice.succeeded
    if restart:
        ufrag, password = sim.control("restart_ice", ben.transport)  # type: ignore[misc]
        ben.peer.ice.restart(IceCredentials(ufrag, password))
    else:
        ben.peer.ice.restart()
    while ben.peer.ice.succeeded == succeeded:
        sim.run(0.001)
        assert sim.clock.now - start < US_PER_S
    answered = sim.clock.now
    sim.run(1.5)
    return first_media_after(ben.socket, start) - answered


@pytest.mark.parametrize("restart", [False, True], ids=["same-credentials", "ice-restart"])
def test_media_follows_the_first_valid_check(restart: bool) -> None:
    call = two_party_call(41)
    sim, ben = call.sim, call.members[1]
    sim.run(1)
    keys = ben.peer.srtp
    for _ in range(SWITCHES):
        assert move_and_restart(call, restart) <= 200_000
    assert ben.peer.srtp is keys, "no new handshake"
    assert sim.events.states(ben.transport) == ["connected"]
    call.end()
    for each in call.videos():
        if each.member is ben:
            # What was on its way to the old address comes again.
            assert undelivered(each) == []
    assert_clean(sim)


def test_the_old_address_gets_nothing_more() -> None:
    call = two_party_call(42)
    sim, ben = call.sim, call.members[1]
    sim.run(1)
    dead = sim.move(ben)
    ben.peer.ice.restart()
    sim.run(0.3)
    assert ben.peer.ice.mapped == ben.socket.address
    got = dead.received_bytes
    sim.run(2)
    assert dead.received_bytes == got


def test_media_from_a_new_address_without_a_check_moves_nothing() -> None:
    """Even authentic packets: an address is learned from checks alone."""
    call = two_party_call(43)
    sim, (anna, ben) = call.sim, call.members
    sim.run(1)
    other = sim.socket()
    home = ben.socket
    ben.socket = other
    heard = len(call.consumed[0].reception.arrivals)
    ben.peer.ice.stop()
    sim.run(2)
    assert other.received_bytes == 0
    assert sim.shard.stats()["dropped_unknown"] > 100
    assert home.received_bytes > 0
    assert len(call.consumed[0].reception.arrivals) - heard <= 10, "what was on the way"
    assert sim.events.states(anna.transport) == ["connected"]


def test_a_restart_that_fails_breaks_nothing() -> None:
    call = two_party_call(44)
    sim, ben = call.sim, call.members[1]
    sim.run(1)
    for _ in range(3):
        sim.control("restart_ice", ben.transport)
    sim.run(5)
    assert sim.events.states(ben.transport) == ["connected"]
    call.end()
    for each in call.consumed:
        assert undelivered(each) == []
    assert_clean(sim)


def test_migration_is_slowed_to_once_a_second() -> None:
    """An insider that flaps between addresses moves the stream seldom."""
    call = two_party_call(45)
    sim, ben = call.sim, call.members[1]
    sim.run(2)
    others = [sim.socket() for _ in range(2)]
    for socket in others:
        socket.keep = True
    for step in range(100):
        others[step % 2].send(ben.peer.ice.request(nominate=True))
        sim.run(0.05)
    media = sorted(
        (when, number) for number, socket in enumerate(others) for when, data in socket.received if data[0] >> 6 == 2
    )
    changes = sum(1 for (_, before), (_, after) in pairwise(media) if before != after)
    assert changes <= 5


def test_an_unproven_address_gets_little() -> None:
    """Someone who knows the ICE password names a victim: what it gets stays under three times what came, and 4 KiB."""
    call = two_party_call(46)
    sim, ben = call.sim, call.members[1]
    sim.run(2)
    victim = sim.socket()
    victim.send(ben.peer.ice.request(nominate=True))
    sim.run(3)
    assert victim.received_bytes <= 3 * victim.sent_bytes + 4096 + 200
    assert victim.received_bytes < 5000
