"""Herds of joins: handshakes take turns, nobody starves the others, and whoever has left leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys

from support.churn import CENSUS, stay
from support.dtls_wire import CLIENT_CONTEXT
from support.netem import Link
from support.repository import ROOT
from support.simulation import SERVER, Simulation
from support.swarm_call import SwarmCall

from simplestchat._native.testing.probe_dtls import Dtls
from simplestchat._native.testing.probe_turns import TurnsShard

HERD = 40
STEPS_OF_A_FLIGHT = 5  # messages in the client's last flight
WAITING_EACH = 16


def client_hello() -> bytes:
    client = Dtls(CLIENT_CONTEXT, "client")
    client.start(0)
    return client.drain()[0]


def herd(seed: int) -> tuple[Simulation, TurnsShard, list[tuple[str, int, str, int]]]:
    """Transports with a checked address each; their addresses."""
    sim = Simulation(seed)
    shard = sim.shard = TurnsShard(seed)
    members = [sim.add_peer(f"guest {number}", announce=False) for number in range(HERD)]
    for member in members:
        member.peer.dtls.start = lambda: None  # type: ignore[method-assign]
    sim.run(0.5)
    return sim, shard, [(*member.socket.address, *SERVER) for member in members]


def test_a_turn_does_one_flight() -> None:
    call = SwarmCall(301, Link(delay_us=1000), Link(delay_us=1000))
    shard = call.sim.shard = TurnsShard(301)
    paths = [call.join() for _ in range(HERD)]
    call.run(1)
    assert [call.sim.events.states(path) for path in paths] == [["connected"]] * HERD
    turns = shard.take_turns()
    assert max(worked for worked, _ in turns) <= STEPS_OF_A_FLIGHT
    assert sum(worked > 0 for worked, _ in turns) >= 2 * HERD
    assert shard.stats()["dropped_handshakes"] == 0


def test_many_hellos_at_once_are_worked_off_one_a_turn() -> None:
    sim, shard, addresses = herd(302)
    hello = client_hello()
    shard.take_turns()
    shard.feed([(hello, address) for address in addresses], sim.clock.now)
    turns = shard.take_turns()
    assert [waiting for _, waiting in turns] == list(range(HERD - 1, -1, -1))
    assert all(worked == 1 for worked, _ in turns)


def test_who_is_at_it_takes_turns_with_who_begins() -> None:
    """A herd that came first does not keep one whose handshake is under way waiting for all of it."""
    sim, shard, addresses = herd(306)
    first, *others = addresses
    client = Dtls(CLIENT_CONTEXT, "client")
    digest = bytes.fromhex(dict(shard.fingerprints())["sha-256"].replace(":", ""))
    client.set_fingerprint("sha-256", digest)
    client.start(0)
    shard.feed([(client.drain()[0], first)], sim.clock.now)
    for data, address in shard.drain(sim.clock.now):
        if address == first:
            client.feed(data, 0)
    hello = client_hello()
    shard.take_turns()
    shard.feed([*[(hello, address) for address in others], (client.drain()[0], first)], sim.clock.now)
    turns = shard.take_turns()
    assert max(worked for worked, _ in turns[:2]) > 1, "several messages: the client's last flight"


def test_a_flood_of_one_delays_the_others_by_a_turn_and_is_cut() -> None:
    sim, shard, addresses = herd(303)
    hello = client_hello()
    flood = [(hello, addresses[0])] * 1000
    others = [(hello, address) for address in addresses[1:]]
    shard.take_turns()
    shard.feed([*flood[:20], *others[:30]], sim.clock.now)
    assert shard.stats()["dropped_handshakes"] == 20 - WAITING_EACH
    turns = shard.take_turns()
    assert sum(worked for worked, _ in turns) == 31, "each hello was answered; repeats of one cost nothing"
    assert len([1 for worked, _ in turns[:32] if worked]) == 31, "and what is cheap takes no turn from anyone"


def test_who_closes_while_datagrams_wait_takes_them_along() -> None:
    sim, shard, addresses = herd(304)
    transports = [member.transport for member in sim.members]
    hello = client_hello()
    shard.feed([(hello, address) for address in addresses], sim.clock.now)
    for transport in transports[::2]:
        shard.close_transport(transport)
    shard.feed([(hello, address) for address in addresses], sim.clock.now)
    assert shard.stats()["transports"] == HERD // 2
    for transport in transports[1::2]:
        shard.close_transport(transport)
    assert {name: shard.stats()[name] for name in CENSUS} == dict.fromkeys(CENSUS, 0)


def test_churn_leaves_nothing_behind() -> None:
    call = SwarmCall(305)
    for number in range(60):
        stay(call, number)
        assert {name: call.sim.shard.stats()[name] for name in CENSUS} == dict.fromkeys(CENSUS, 0)
    assert call.sim.shard.stats()["handshakes"] == 120
    assert call.sim.shard.stats()["forwarded"] > 500


def test_churn_leaves_the_heap_as_it_was() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "support.churn", "300"], cwd=ROOT / "tests", capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    # A forgotten transport (1.5 KB and more) at every fifth stay would show; the simulation keeps 140 bytes of each.
    assert int(done.stdout) < 80_000
