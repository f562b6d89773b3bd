"""Without consent nothing is sent; the next valid check restores it (RFC 7675)."""

from __future__ import annotations

from support.calls import assert_clean, connect, stop_media, two_party_call
from support.netem import BLACK_OUT, US_PER_S, Link
from support.simulation import Simulation

CONSENT_S = 30


def test_silence_ends_sending_and_a_check_restores_it() -> None:
    call = two_party_call(31)
    sim, (anna, ben) = call.sim, call.members
    sim.run(2)
    last_check = sim.clock.now
    ben.socket.up.link = BLACK_OUT
    sim.run(CONSENT_S + 3)
    assert sim.events.states(ben.transport) == ["connected", "disconnected"]
    when = next(when for when, event in sim.events.all if event[1:] == (ben.transport, "disconnected"))
    assert CONSENT_S - 3 <= (when - last_check) / US_PER_S <= CONSENT_S
    sent = ben.socket.down.counters.sent
    sim.run(5)
    assert ben.socket.down.counters.sent == sent, "not one packet without consent"
    assert sim.events.states(anna.transport) == ["connected"], "nobody else is touched"

    ben.socket.up.link = Link()
    restored = sim.clock.now
    sim.run(4)
    assert sim.events.states(ben.transport) == ["connected", "disconnected", "connected"]
    for each in call.consumed:
        fresh = [a for a in each.reception.arrivals.values() if a.arrived_us > restored]
        assert len(fresh) > 30
    assert_clean(sim)


def test_media_alone_is_no_consent() -> None:
    """Authentic media keeps coming, but only an answered check says that it is welcome."""
    sim = Simulation(32)
    anna = sim.add_peer("anna")
    connect(sim, anna)
    sim.publish(anna, "audio")
    anna.peer.ice.stop()
    sim.run(CONSENT_S + 1)
    assert sim.events.states(anna.transport) == ["connected", "disconnected"]


def test_checks_alone_keep_consent() -> None:
    sim = Simulation(33)
    anna = sim.add_peer("anna")
    connect(sim, anna)
    sim.run(120)
    assert sim.events.states(anna.transport) == ["connected"]


def test_a_closed_transport_says_goodbye_and_answers_nothing_any_more() -> None:
    call = two_party_call(34)
    sim, (anna, ben) = call.sim, call.members
    sim.run(1)
    sim.control("close_transport", ben.transport)
    sim.run(0.1)
    assert ben.peer.dtls.closed_by_peer
    received = ben.socket.received_bytes
    sim.run(10)
    assert ben.socket.received_bytes == received
    stats = sim.shard.stats()
    assert (stats["transports"], stats["producers"], stats["consumers"], stats["tuples"]) == (1, 2, 0, 1)
    stop_media(sim, call.published)
    assert anna.peer.received["undecryptable"] == 0
