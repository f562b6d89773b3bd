"""Every map has an end: what a participant with valid keys can make the engine remember is bounded."""

from __future__ import annotations

import pytest
from support.calls import assert_clean, connect, two_party_call, undelivered
from support.rtp import RtpPacket
from support.simulation import Simulation
from support.stamp import Stamp, stamped

from simplestchat._native.core.errors import MisuseError
from simplestchat._native.engine.shard import Shard

MAX_PAIRS = 8
MAX_PRODUCERS = 32
MAX_CONSUMERS, MAX_TRANSPORT_CONSUMERS, PRODUCERS = 65_536, 2048, 16
MAX_IN_BURST, MAX_IN_PPS, LEAST_COST = 8_388_608, 25_000, 1000
MAX_GROUPS = 4096
FLOOD = 10_000


def test_unknown_ssrcs_leave_nothing_behind() -> None:
    call = two_party_call(131)
    sim, anna = call.sim, call.members[0]
    sim.run(0.5)
    before = sim.shard.stats()
    for number in range(5000):
        packet = RtpPacket(111, False, 1, 1, 0x1000_0000 + number, stamped(Stamp(1, 1, 1), 60))
        anna.peer.send_rtp(bytes(packet))
    sim.run(0.5)
    after = sim.shard.stats()
    assert after["dropped_unrouted"] - before["dropped_unrouted"] == 5000
    call.end()
    for each in call.consumed:
        assert undelivered(each) == []
    assert_clean(sim)


def flood(number: int, ssrc: int) -> list[bytes]:
    """Packets of one SSRC, with the least payload that looks genuine."""
    payload = stamped(Stamp(1, 1, 1), 60)
    return [bytes(RtpPacket(111, False, index & 0xFFFF, 1, ssrc, payload)) for index in range(number)]


def test_a_flood_of_genuine_media_is_cut_off_and_the_others_go_on() -> None:
    call = two_party_call(136)
    sim, anna = call.sim, call.members[0]
    sim.run(0.5)
    before = sim.shard.stats()
    for packet in flood(FLOOD, 0x1000_0000):
        anna.peer.send_rtp(packet)
    sim.run(0.05)
    after = sim.shard.stats()
    opened = after["dropped_unrouted"] - before["dropped_unrouted"]
    assert opened + after["dropped_budget"] - before["dropped_budget"] == FLOOD
    assert MAX_IN_BURST // LEAST_COST - 50 <= opened <= MAX_IN_BURST // LEAST_COST + MAX_IN_PPS // 1000 + 1
    sim.run(0.5)  # it is left enough for its own media soon
    assert sim.shard.stats()["dropped_budget"] - after["dropped_budget"] < 50
    call.end()
    for each in call.consumed:
        if each.source.member is not anna:
            assert undelivered(each) == []
    assert_clean(sim)


def test_a_stranger_who_forges_an_address_uses_up_nobodys_budget() -> None:
    call = two_party_call(137)
    sim, anna = call.sim, call.members[0]
    sim.run(0.5)
    for packet in flood(FLOOD, 0x1000_0000):
        anna.socket.send(packet + bytes(16))  # no key of ours has sealed it
    sim.run(0.5)
    stats = sim.shard.stats()
    assert stats["dropped_budget"] == 0
    assert stats["dropped_auth"] == FLOOD
    call.end()
    for each in call.consumed:
        assert undelivered(each) == []


def test_addresses_of_one_transport_are_few() -> None:
    call = two_party_call(132)
    sim, anna = call.sim, call.members[0]
    sim.run(0.5)
    for _ in range(100):
        sim.socket().send(anna.peer.ice.request(nominate=False))
        sim.run(0.01)
    assert sim.shard.stats()["tuples"] <= MAX_PAIRS + 1
    assert sim.events.states(anna.transport) == ["connected"]
    call.end()
    for each in call.consumed:
        assert undelivered(each) == []
    assert_clean(sim)


def test_producers_of_one_transport_are_capped_and_the_rest_is_refused() -> None:
    sim = Simulation(133)
    anna = sim.add_peer("anna")
    connect(sim, anna)
    for _ in range(MAX_PRODUCERS):
        sim.publish(anna, "audio", start=False)
    with pytest.raises(MisuseError):
        sim.publish(anna, "audio", start=False)
    assert sim.shard.stats()["producers"] == MAX_PRODUCERS


def consume(shard: Shard, number: int, transport: int) -> None:
    """A consumer of this number and SSRC, of the producer whose turn it is."""
    producer = 1 + number % PRODUCERS
    shard.create_consumer(number, transport, producer, number, 0, [(111, 100, -1)], {}, "", True)


def test_consumers_are_capped_however_many_transports_share_them_out() -> None:
    shard = Shard(138)
    shard.create_transport(1)
    opus = (111, -1, 48000, "opus", False, False, False)
    for producer in range(1, PRODUCERS + 1):
        shard.create_producer(producer, 1, "audio", "", [(producer, 0, "")], [opus], {})
    transports = range(2, 2 + MAX_CONSUMERS // MAX_TRANSPORT_CONSUMERS)
    number = 0
    for transport in transports:
        shard.create_transport(transport)
        for _ in range(MAX_TRANSPORT_CONSUMERS):
            number += 1
            consume(shard, number, transport)
    last = 1 + transports[-1]
    shard.create_transport(last)
    with pytest.raises(MisuseError, match="no more consumers"):
        consume(shard, number + 1, last)
    assert shard.stats()["consumers"] == MAX_CONSUMERS
    # One that is closed makes room for one; what was refused was not counted.
    shard.close_consumer(number)
    with pytest.raises(MisuseError, match="no more consumers"):
        consume(shard, number + 1, transports[0])
    assert shard.stats()["consumers"] == MAX_CONSUMERS - 1
    consume(shard, number + 1, last)
    for transport in (1, *transports, last):
        shard.close_transport(transport)
    assert shard.stats()["consumers"] == 0


def test_groups_of_speakers_are_capped_and_an_empty_one_makes_room() -> None:
    shard = Shard(139)
    for group in range(1, MAX_GROUPS + 1):
        shard.set_loudest(group, 3)
    with pytest.raises(MisuseError, match="takes no more"):
        shard.set_loudest(MAX_GROUPS + 1, 3)
    shard.set_loudest(1, 0)  # nobody is in it, and nothing is said of it any more
    shard.set_loudest(MAX_GROUPS + 1, 3)


def test_transports_that_are_made_and_closed_leave_nothing() -> None:
    sim = Simulation(134)
    for number in range(1, 2001):
        sim.control("create_transport", number)
        sim.control("restart_ice", number)
        sim.control("close_transport", number)
    stats = sim.shard.stats()
    assert (stats["transports"], stats["tuples"], stats["credentials"]) == (0, 0, 0)


def test_many_participants_join_and_leave() -> None:
    sim = Simulation(135)
    host = sim.add_peer("host")
    connect(sim, host)
    source = sim.publish(host, "audio")
    for round_ in range(10):
        guests = [sim.add_peer(f"guest {round_} {number}") for number in range(5)]
        connect(sim, *guests)
        for guest in guests:
            sim.subscribe(guest, source)
        sim.run(0.2)
        for guest in guests:
            assert next(iter(guest.peer.receptions.values())).arrivals
            guest.peer.stop()
            sim.control("close_transport", guest.transport)
    stats = sim.shard.stats()
    assert (stats["transports"], stats["consumers"], stats["tuples"], stats["credentials"]) == (1, 0, 1, 1)
    assert_clean(sim)
