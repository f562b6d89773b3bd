"""Datagrams from addresses that never passed a check, and forged ones from those that did: no answer, no harm."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from aioice import stun
from support.calls import Call, assert_clean, two_party_call, undelivered
from support.rtp import RtpPacket
from support.simulation import Simulation, Socket
from support.stamp import Stamp, stamped

# A ClientHello that names the NULL cipher, as in the advisories on DTLS races.
CLIENT_HELLO = bytes.fromhex(
    "16fefd0000000000000000003601000029000000000000002a"
    "fefd00000000000000000000000000000000000000000000000000000000000000000000000200000100"
)
# An unauthenticated fatal alert of epoch 0, and a close_notify.
ALERTS = (bytes.fromhex("15fefd000000000000000700020228"), bytes.fromhex("15fefd000000000000000800020100"))


def untouched(call: Call, attack: Callable[[int], None], steps: int = 200, pace_s: float = 0.005) -> None:
    """Runs the attack during a call, which goes on as if nothing had been."""
    sim = call.sim
    sim.run(0.5)
    before = sim.shard.stats()
    for step in range(steps):
        attack(step)
        sim.run(pace_s)
    after = sim.shard.stats()
    for census in ("transports", "tuples", "credentials", "producers", "consumers", "handshakes", "handshakes_failed"):
        assert after[census] == before[census], census
    call.end()
    for each in call.consumed:
        assert undelivered(each) == []
    for member in call.members:
        assert sim.events.states(member.transport) == ["connected"]
    assert_clean(sim)


def strange_datagrams(rng: random.Random, call: Call) -> list[bytes]:
    victim = call.published[0].track.settings
    rtp = bytes(RtpPacket(victim.payload_type, False, 1, 1, victim.ssrc, stamped(Stamp(1, 1, 1), 100)))
    rtcp = bytes.fromhex("80c90001") + victim.ssrc.to_bytes(4, "big") + bytes(14)
    return [CLIENT_HELLO, *ALERTS, rtp, rtcp, rng.randbytes(50), b"\x00", b"\x80", bytes((0x80, 200)), b""]


def test_a_stranger_gets_no_byte_and_changes_nothing() -> None:
    call = two_party_call(51)
    rng = random.Random(1)
    stranger = call.sim.socket()
    datagrams = strange_datagrams(rng, call)
    untouched(call, lambda step: stranger.send(datagrams[step % len(datagrams)]))
    assert stranger.sent_bytes > 0
    assert stranger.received_bytes == 0
    assert call.sim.sent_to_nowhere == 0


def test_ten_thousand_addresses_leave_no_state() -> None:
    call = two_party_call(52)
    sim = call.sim
    sim.run(1)
    before = sim.shard.stats()
    check = call.members[0].peer.ice.request(nominate=True, password="wrong")
    for number in range(10_000):
        source = (f"203.0.{number // 250}.{number % 250}", 1024 + number)
        sim.server_receives(CLIENT_HELLO if number % 2 else check, source)
    after = sim.shard.stats()
    assert (after["tuples"], after["transports"]) == (before["tuples"], before["transports"])
    assert sim.sent_to_nowhere == 0
    assert after["dropped_stun"] - before["dropped_stun"] == 5000
    assert after["dropped_unknown"] - before["dropped_unknown"] == 5000
    call.end()
    assert_clean(sim)


def altered_checks(sim: Simulation, call: Call) -> dict[str, bytes]:
    ice, other = call.members[0].peer.ice, call.members[1].peer.ice
    good = ice.request(nominate=True)
    return {
        "wrong password": ice.request(nominate=True, password="A" * 24),
        "another's password": ice.request(nominate=True, password=other.remote.password),
        "unknown user": ice.request(nominate=True, username="AAAAAAAA:BBBB"),
        "no second half": ice.request(nominate=True, username=ice.remote.ufrag),
        "empty second half": ice.request(nominate=True, username=f"{ice.remote.ufrag}:"),
        "flipped bit of the tag": good[:-12] + bytes((good[-12] ^ 1,)) + good[-11:],
        "cut before the fingerprint": good[:-8],
        "cut within the tag": good[:-20],
        "header alone": good[:20],
        "length too long": good[:2] + (int.from_bytes(good[2:4], "big") + 4).to_bytes(2, "big") + good[4:],
        "wrong cookie": good[:4] + bytes(4) + good[8:],
        "indication": b"\x00\x11" + good[2:],
        "response": b"\x01\x01" + good[2:],
    }


def test_a_check_that_is_not_authentic_is_not_answered() -> None:
    call = two_party_call(53)
    sim = call.sim
    attempts = altered_checks(sim, call)
    strangers = {name: sim.socket() for name in attempts}
    names = list(attempts)
    untouched(call, lambda step: strangers[names[step % len(names)]].send(attempts[names[step % len(names)]]))
    for name, stranger in strangers.items():
        assert stranger.received_bytes == 0, name


def test_an_answer_is_hardly_longer_than_its_request() -> None:
    call = two_party_call(54)
    sim, ice = call.sim, call.members[0].peer.ice
    for nominate in (False, True):
        insider = sim.socket()
        insider.keep = True
        insider.send(ice.request(nominate=nominate))
        sim.run(0.011)
        answer = insider.received[0][1]
        assert len(answer) <= 1.5 * insider.sent_bytes


def test_what_follows_the_integrity_attribute_is_not_believed() -> None:
    """USE-CANDIDATE behind MESSAGE-INTEGRITY nominates nothing (RFC 8489 section 14.5)."""
    call = two_party_call(55)
    sim, ben = call.sim, call.members[1]
    sim.run(1)
    other = sim.socket()
    plain = stun.parse_message(ben.peer.ice.request(nominate=False))
    plain.attributes.pop("FINGERPRINT")
    plain.attributes["USE-CANDIDATE"] = None
    plain.add_fingerprint()
    for _ in range(30):
        other.send(bytes(plain))
        sim.run(0.1)
    assert other.received_bytes <= 30 * 120, "answers to checks, no media"
    call.end()
    assert_clean(sim)


def test_forged_media_from_the_right_address_is_dropped_and_forgotten() -> None:
    """Wrong tags, far-off sequence numbers and unknown SSRCs: the next genuine packet still decrypts."""
    call = two_party_call(56)
    sim = call.sim
    source = call.published[0]
    socket = source.member.socket
    settings = source.track.settings
    rng = random.Random(2)

    def attack(step: int) -> None:
        far = (settings.first_sequence + 30_000 + step) & 0xFFFF
        forged = RtpPacket(settings.payload_type, True, far, rng.getrandbits(32), settings.ssrc, rng.randbytes(200))
        socket.send(bytes(forged))
        socket.send(bytes(RtpPacket(settings.payload_type, False, step, 0, rng.getrandbits(32), rng.randbytes(60))))
        socket.send(bytes((0x81, 205)) + rng.randbytes(30))

    untouched(call, attack)
    assert sim.shard.stats()["dropped_auth"] == 600


@pytest.mark.parametrize("first", [0x80, 0x81, 0x90, 0xBF, 0x14, 0x16, 0x3F, 0x00, 0x01, 0x03, 0x40, 0xFF])
def test_every_short_datagram_is_survived(first: int) -> None:
    call = two_party_call(57)
    sim, socket = call.sim, call.members[0].socket
    sim.run(0.5)
    for size in range(65):
        for second in (0, 96, 200, 201, 205, 0xFE):
            socket.send(bytes((first, second))[:size] + bytes(max(0, size - 2)))
    sim.run(0.5)
    call.end()
    for each in call.consumed:
        assert undelivered(each) == []
    assert_clean(sim)


def test_dtls_from_the_right_address_cannot_end_a_call() -> None:
    """Plain alerts, application data of epoch 0 and foreign handshakes, after the handshake."""
    call = two_party_call(58)
    socket = call.members[0].socket
    plain_data = bytes.fromhex("17fefd00000000000000090003414243")
    records = [
        CLIENT_HELLO,
        *ALERTS,
        plain_data,
        b"\x16",
        b"\x14" * 13,
        bytes.fromhex("15fefd000100000000000a0020") + bytes(32),
    ]
    untouched(call, lambda step: socket.send(records[step % len(records)]))


@pytest.mark.parametrize("when_ms", range(0, 60, 5))
def test_alerts_at_any_stage_of_the_handshake_do_not_stop_it(when_ms: int) -> None:
    sim = Simulation(59 + when_ms)
    member = sim.add_peer("anna", native_dtls=True)
    sim.run(when_ms / 1000)
    for record in (*ALERTS, CLIENT_HELLO):
        member.socket.send(record)
    sim.run(5)
    assert member.peer.srtp is not None
    assert sim.events.states(member.transport) == ["connected"]


def test_dtls_before_any_check_starts_nothing() -> None:
    sim = Simulation(60)
    member = sim.add_peer("anna", start=False)
    stranger: Socket = sim.socket()
    for _ in range(20):
        member.socket.send(CLIENT_HELLO)
        stranger.send(CLIENT_HELLO)
        sim.run(0.1)
    assert member.socket.received_bytes == stranger.received_bytes == 0
    assert sim.shard.stats()["tuples"] == 0
    member.peer.start()
    sim.run(1)
    assert sim.events.states(member.transport) == ["connected"]


def test_a_transports_tuple_cannot_be_stolen() -> None:
    """Another participant sends its own valid check from (a forgery of) a live participant's address."""
    call = two_party_call(61)
    sim, (anna, ben) = call.sim, call.members
    sim.run(1)
    for _ in range(50):
        sim.server_receives(ben.peer.ice.request(nominate=True), anna.socket.address)
        sim.run(0.05)
    anna_stats = sim.control("transport_stats", anna.transport)
    assert isinstance(anna_stats, dict)
    assert anna_stats["state"] == "connected"
    call.end()
    for each in call.consumed:
        if each.source.member is anna:
            assert undelivered(each, 500_000) == []
    assert sim.seals.repeats == []
