"""A call of two: everything that one publishes arrives at the other, whole, in order and once."""

from __future__ import annotations

import pytest
from support.calls import assert_clean, assert_no_gaps, begins_within, connect, stop_media, two_party_call, undelivered
from support.dtls_openssl import OpensslDtls
from support.secure import SUITES, DtlsRole, certificate_digest, shared_identity
from support.simulation import Simulation

pytestmark = pytest.mark.usefixtures("srtp_backend")


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("role", ["client", "server"])
def test_everything_arrives_both_ways(suite: str, role: DtlsRole) -> None:
    call = two_party_call(1, suites=[suite], role=role)
    call.sim.run(3)
    stop_media(call.sim, call.published)
    for member in call.members:
        assert member.peer.srtp is not None
        assert member.peer.srtp.suite.name == suite
        assert call.sim.events.states(member.transport) == ["connected"]
        assert isinstance(member.peer.dtls, OpensslDtls)
        for algorithm, digest in call.sim.shard.fingerprints():
            assert member.peer.dtls.server_digest(algorithm) == digest
    for each in call.consumed:
        assert begins_within(each, 0.5)
        assert undelivered(each) == []
        assert max(each.reception.latencies()) <= 15_000, "two links of 5 ms and no waiting"
        assert_no_gaps(each)
    assert_clean(call.sim)


def test_the_first_suite_offered_by_both_is_gcm() -> None:
    call = two_party_call(2)
    assert all(member.peer.srtp.suite.name == "AEAD_AES_128_GCM" for member in call.members if member.peer.srtp)


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-384", "sha-512"])
def test_any_announced_digest_is_checked(algorithm: str) -> None:
    sim = Simulation(3)
    digest = certificate_digest(shared_identity(1).certificate, algorithm)
    good = sim.add_peer("anna", identity=shared_identity(1), fingerprints=[(algorithm, digest)])
    bad = sim.add_peer("eve", identity=shared_identity(2), fingerprints=[(algorithm, digest)])
    connect(sim, good)
    sim.run(3)
    assert sim.events.states(bad.transport) == ["failed"]
    assert sim.events.states(good.transport) == ["connected"]


def test_reports_flow_both_ways() -> None:
    call = two_party_call(4)
    call.sim.run(6)
    for member in call.members:
        reported = {block["ssrc"] for _, block in member.peer.reports}
        assert reported == set(member.peer.tracks), "receiver reports about each published stream"
        assert member.peer.remb, "publishers are told that they may ramp up"
        stats = call.sim.control("transport_stats", member.transport)
        assert isinstance(stats, dict)
        assert 9_900 <= stats["round_trip_us"] <= 10_100, "there and back again"
    assert_clean(call.sim)


def test_levels_are_reported_of_those_who_speak() -> None:
    sim = Simulation(5)
    anna = sim.add_peer("anna")
    connect(sim, anna)
    loud = sim.publish(anna, "audio", extensions=((1, bytes((20,))),), mapped={"audio-level": 1})
    sim.run(2)
    loud.track.stop()
    sim.run(2)
    levels = sim.events.named("levels")
    assert 3 <= len(levels) <= 5
    assert all(event[1] == [(loud.id, 20)] for _, event in levels)


def test_extensions_are_told_by_the_subscribers_own_ids() -> None:
    sim = Simulation(8)
    anna, ben = sim.add_peer("anna"), sim.add_peer("ben")
    connect(sim, anna, ben)
    carried = ((1, bytes((20,))), (4, b"0"))
    source = sim.publish(anna, "audio", mid="0", extensions=carried, mapped={"audio-level": 1, "mid": 4})
    mapped = sim.subscribe(ben, source, mapped={"audio-level": 9})
    unmapped = sim.subscribe(ben, source)
    sim.run(1)
    assert mapped.reception.extensions == {(9, bytes((20,)))}
    assert unmapped.reception.extensions == set()
    assert unmapped.reception.arrivals
    assert_clean(sim)


def test_a_stream_without_an_announced_ssrc_is_found_by_its_mid() -> None:
    sim = Simulation(6)
    anna, ben = sim.add_peer("anna"), sim.add_peer("ben")
    connect(sim, anna, ben)
    source = sim.publish(anna, "audio", mid="7", announced=False, extensions=((4, b"7"),), mapped={"mid": 4})
    heard = sim.subscribe(ben, source)
    sim.run(2)
    stop_media(sim, [source])
    assert undelivered(heard) == []
    assert len(heard.reception.arrivals) >= 95
    assert_clean(sim)


def test_a_call_is_the_same_every_time() -> None:
    def fate() -> list[tuple[int, int]]:
        call = two_party_call(7)
        call.sim.run(1)
        return [
            (arrival.arrived_us, arrival.stamp.counter)
            for each in call.consumed
            for arrival in each.reception.arrivals.values()
        ]

    assert fate() == fate()
